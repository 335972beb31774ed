//! Deployments of a Foundry account: reads, writes, and their long-running operations.
//!
//! A write is watched by its deployment, never by its status URL alone: reading that URL can need a right that the caller
//! lacks, and then a good create looks like a refusal.

mod body;
mod change;
mod client;
mod error;
mod quota;
mod watch;
mod write;

#[cfg(test)]
mod tests;

pub use body::{DraftModel, NewDeployment, NewModel};
pub use change::{DeploymentChange, Difference};
pub use client::Deployments;
pub use error::DeployError;
pub use quota::QuotaShortage;
pub use watch::{DeployStatus, WaitTarget};
pub use write::AcceptedWrite;
