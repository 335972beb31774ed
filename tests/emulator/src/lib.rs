//! Emulator of a Foundry project: validates requests strictly, fails on demand, and leaves content to a separate, real
//! Azurite. Tests start it in-process ([`Emulator::start`]); scripts use the program of this crate.

mod arm_call;
mod arm_config;
mod azurite;
mod base_models;
mod call;
mod catalog;
mod config;
mod connection;
mod deployment_body;
mod deployments;
mod fault;
mod fault_spec;
mod quota;
mod record;
mod refusal;
mod routes;
mod sabotage;
mod sas;
mod server;
mod state;
mod wire;

pub use arm_config::{Arm, ArmTenant, Deploying, DeploymentEnd, Polling};
pub use base_models::{numbered, recorded_size};
pub use catalog::SeedError;
pub use config::{Auth, BlobStore, Config, LocationForm, MissingRoute, NextLinkForm, OperationEnd, PendingUploadShape};
pub use fault::{Fault, FaultKind, RetryAfter, Route};
pub use fault_spec::FaultSpecError;
pub use record::RequestRecord;
pub use server::Emulator;
