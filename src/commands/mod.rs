//! The commands: one file each, with its arguments and one function.

mod account;
pub(crate) mod base;
mod choose;
pub(crate) mod completion;
mod connect;
pub(crate) mod custom;
pub(crate) mod deployments;
pub(crate) mod doctor;
mod finder;
pub(crate) mod headings;
mod inference;
pub(crate) mod init;
pub(crate) mod metadata;
mod number;
mod progress;
mod search;
mod similar;
pub(crate) mod skill;
pub(crate) mod version;
