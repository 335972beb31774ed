//! The commands: a file each, with its arguments and one function.

pub(crate) mod choose;
pub mod completion;
pub mod custom;
pub mod init;
pub mod metadata;
pub mod version;
