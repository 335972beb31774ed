//! The real program with the real AzCopy and a real Azurite, which ci/test.sh starts.

#![cfg(unix)]

#[path = "../support/copy_store.rs"]
mod copy_store;
#[cfg(target_os = "linux")]
mod crash;
mod create;
mod detached;
mod download;
mod gate;
#[cfg(target_os = "linux")]
mod hostile;
mod native;
mod network;
mod remote;
mod soak;
mod stage;
mod two_machines;
