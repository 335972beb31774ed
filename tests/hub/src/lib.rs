//! A model hub of this machine: the API, the redirects and the signed URLs of Hugging Face's Hub as its clients see
//! them, strict, and faulty on demand. Tests start it in-process ([`FakeHub::start`]); the program of this crate is the
//! same for scripts.
//!
//! Two origins: the Hub itself (API, small files) and its CDN (large files, by signed URLs that end). A proxy beside them
//! answers for the public names with TLS of an authority of its own, so that a client meets `huggingface.co` and
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
