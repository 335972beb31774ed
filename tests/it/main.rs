//! The real program against a local Foundry project and a fake AzCopy: what a person sees, and what the wire carried.

mod architecture;
mod check;
mod create;
mod delete;
mod read;
mod support;
