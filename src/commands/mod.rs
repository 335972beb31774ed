//! The commands: a file each, with its arguments and one function.

mod choose;
pub mod completion;
mod connect;
pub mod custom;
pub mod init;
pub mod metadata;
pub mod version;
