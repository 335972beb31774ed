//! The data plane of a Foundry project: one short method an operation (contracts/foundry-rest.md 1).
//!
//! Knows both dialects of the service. Decides nothing about what a person sees.

mod client;
mod operation;
mod wire;

pub use client::{Deleted, FoundryClient};
pub use operation::{RegisterError, RegisterStatus};
pub use wire::PendingUpload;
