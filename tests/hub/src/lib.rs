//! Local model hub: the API, the redirects and the signed URLs of Hugging Face's Hub as its clients see them, strict,
//! and faulty on demand. Tests start it in-process ([`FakeHub::start`]); scripts use the program of this crate.
//!
//! Two origins: the Hub itself (API, small files) and its CDN (large files, by signed URLs that expire). A proxy serves
//! the public names with TLS certificates of its own authority, so that a client reaches `huggingface.co` and
//! `us.aws.cdn.hf.co` without leaving the machine.

mod answer;
mod cdn;
#[path = "../../support/certificate.rs"]
mod certificate;
mod config;
mod content;
mod fault;
mod fault_spec;
mod hub;
mod listener;
mod proxy;
mod record;
mod repo;
mod resolve;
mod server;
mod signature;
mod state;
mod tree;

pub use config::{Config, Gate, RepoConfig};
pub use fault::{Fault, FaultKind, Route};
pub use fault_spec::FaultSpecError;
pub use record::{FileCount, RequestRecord, Side};
pub use server::FakeHub;
pub use signature::SIGNATURE_MARK;
