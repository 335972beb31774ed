//! The real program with the real AzCopy and a real Azurite, which ci/test.sh starts.

#[path = "../support/copy_store.rs"]
mod copy_store;
mod create;
mod remote;
mod stage;
