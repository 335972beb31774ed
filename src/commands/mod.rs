//! The commands: a file each, with its arguments and one function.

pub mod completion;
pub mod custom;
pub mod metadata;
pub mod version;
