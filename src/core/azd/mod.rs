//! azd around the program: its gRPC services while it runs the program, its program and
//! its files where it does not.
//!
//! Owns the wire, the limits of a call, and what azd's refusals mean. Callers see typed methods and typed errors only.

mod account;
mod ask;
mod azure_refusal;
mod disk;
mod dotenv;
mod error;
mod host;
mod injected;
mod program;
mod project;
mod reach;
mod report;
mod words;
/// What `build.rs` makes of `proto/azdext.proto`.
#[expect(unreachable_pub, unused_qualifications, reason = "generated")]
mod proto {
    tonic::include_proto!("azdext");
}

pub use account::Subscription;
pub use ask::{ModelQuestion, Resource};
pub use azure_refusal::AzureRefusal;
pub use disk::{
    ConfigError, ENDPOINT_KEY, default_environment, default_subscription, environments, has_environment, names_in,
    project_root, stored_endpoint,
};
pub(crate) use error::with_sign_in;
pub use error::{HostError, Refusal};
pub use host::Host;
pub use injected::{Injected, VariableOrigin, injected};
pub use program::{INSTALL, ProgramError, environment_values};
pub use project::{AzdEnvironment, AzdProject};
pub use reach::{Azd, AzdError, SaveError};
pub use report::{ErrorReport, Origin};
pub use words::AzdWords;
