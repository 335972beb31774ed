//! The custom models of a Foundry project: one method per operation, both dialects of the bodies, and the wait for
//! operations.

mod client;
mod delete;
mod deployments;
mod first_page;
mod list;
mod location;
mod model_files;
mod operation;
mod pending;
mod register;
mod start;
mod state;
mod update;
mod watch;
mod wire;

pub use client::{DEFAULT_API_VERSION, FoundryClient, api_version};
pub use delete::DeleteError;
pub use first_page::FirstPage;
pub use list::ListError;
pub use model_files::{ModelFiles, ReadError};
pub use register::{RegisterError, RegisterStatus};
pub use start::AcceptedRegistration;
pub use state::{OperationFailure, OperationState};
pub use update::UpdateError;
pub use watch::RegisteredModel;

#[cfg(test)]
mod tests;
