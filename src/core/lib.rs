//! Everything below the command line: the domain types, the clients of azd, Azure and the blob store, the engines, and
//! the upload. Never prints, prompts, exits, or knows the command line: the crate boundary enforces that direction.

pub mod arm;
pub mod azcopy;
pub mod azd;
pub mod cancel;
pub mod check;
pub mod credential;
mod descriptors;
pub mod display;
pub mod doctor;
pub mod download;
pub mod env;
mod files;
pub mod foundry;
#[cfg(test)]
mod fuzz;
pub mod http;
pub mod hub;
pub mod inference;
pub mod model;
mod native;
pub mod notices;
mod paths;
pub mod platform;
pub mod process;
mod progress;
pub mod project;
pub mod redact;
pub mod source;
pub mod store;
pub mod units;
pub mod upload;
pub mod verify;
