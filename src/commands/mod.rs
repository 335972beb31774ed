//! The commands: a file each, with its arguments and one function.

mod choose;
pub(crate) mod completion;
mod connect;
pub(crate) mod custom;
pub(crate) mod init;
pub(crate) mod metadata;
pub(crate) mod version;
