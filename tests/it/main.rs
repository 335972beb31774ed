//! The real program against a local Foundry project and a fake AzCopy: what a person sees, and what the wire carried.

mod architecture;
mod create;
mod delete;
mod install;
mod read;
mod support;
