//! The real program with the real AzCopy and a real Azurite, which ci/test.sh starts.

#[path = "../support/copy_store.rs"]
mod copy_store;
#[cfg(target_os = "linux")]
mod crash;
mod create;
#[cfg(unix)]
mod detached;
mod download;
mod gate;
#[cfg(target_os = "linux")]
mod hostile;
#[cfg(unix)]
mod native;
mod network;
mod remote;
#[cfg(unix)]
mod soak;
mod stage;
mod two_machines;
