//! Deployments of a Foundry account: reads, writes, and their long-running operations.
//!
//! A write is polled through its deployment, never through its status URL alone: that URL can require a permission that
//! the caller lacks, and a successful create would look like a rejection.

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
