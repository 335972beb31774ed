//! azd: its gRPC services when it runs this program, and the `azd` program when it does not (contracts/azd-host.md).
//!
//! Only typed methods leave this module. A host that is gone is an error of the one call, not of the program.

mod error;
mod executor;
mod host;
mod program;
mod prompts;
pub mod proto;
mod report;

pub use error::HostError;
pub use executor::{Ending, GroupExecutor};
pub use host::{AzdHost, Environment};
pub use program::{INSTALL_LINK, Program, ProgramError};
pub use prompts::{PickedGroup, PickedProject, PickedSubscription};
pub use report::{Category, Origin, Reported};
