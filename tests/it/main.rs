//! The real program against a local Foundry project and a fake AzCopy: what a person sees, and what the wire carried.

mod architecture;
mod cancel;
mod check;
mod create;
mod delete;
mod dry_run;
mod errors;
mod help;
mod install;
mod machine;
#[cfg(unix)]
mod native;
mod options;
mod progress;
mod read;
mod resume;
mod secrets;
#[cfg(unix)]
mod sign_in;
mod support;
mod uploads;
