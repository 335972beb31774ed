//! The custom models of a Foundry project: one method per operation, both dialects of the bodies, and the wait for
//! operations.

mod client;
mod delete;
mod first_page;
mod model_files;
mod operation;
mod pending;
mod register;
mod start;
mod state;
mod watch;
mod wire;

pub use client::{DEFAULT_API_VERSION, FoundryClient, ListError, UpdateError, api_version};
pub use delete::DeleteError;
pub use first_page::FirstPage;
pub use model_files::{ModelFiles, ReadError};
pub use register::{RegisterError, RegisterStatus};
pub use start::AcceptedRegistration;
pub use state::{OperationFailure, OperationState};
pub use watch::RegisteredModel;

#[cfg(test)]
mod tests;
