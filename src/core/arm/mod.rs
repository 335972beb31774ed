//! Azure's control plane, as far as it takes to find a Foundry project.
//!
//! Owns the address that management tokens go to, ARM ids, and the reads that lead from a subscription to a project.

mod client;
mod endpoint;
mod id;

pub use client::{Account, ArmClient, ArmError, FoundryProject, Subscription};
pub use endpoint::{ArmEndpoint, ArmEndpointError};
pub use id::{IdError, ProjectId};
