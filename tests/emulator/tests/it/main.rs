//! The emulator over real sockets, from a client's perspective.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do; clippy.toml covers test functions only")]

mod admin;
mod base_models;
mod client;
mod deployments;
mod faults;
mod models;
#[cfg(unix)]
mod program;
mod registration;
mod strictness;
mod uploads;
