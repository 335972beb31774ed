//! The real program against a local Foundry project and a fake AzCopy: output for the user, and the traffic.

mod agents;
mod azd_host;
mod base_create;
mod base_models;
mod cancel;
mod check;
mod concurrent_upload;
mod conflict;
mod consent;
mod content;
mod create;
mod delete;
mod deployments;
mod deployments_test;
#[cfg(unix)]
mod detached;
mod doc_comments;
#[cfg(unix)]
mod doctor;
#[cfg(unix)]
mod download;
mod dry_run;
mod error_rows;
mod errors;
mod faults;
mod guarantees;
mod help;
mod hook;
mod hub_sources;
#[cfg(unix)]
mod ignored_signals;
#[cfg(unix)]
mod import;
mod init;
mod install;
mod list;
mod machine;
mod metadata;
mod model_folders;
mod model_kinds;
#[cfg(unix)]
mod native;
mod options;
mod plans;
mod printed_commands;
mod progress;
mod project_search;
#[cfg(unix)]
mod proxy;
mod quiet;
mod references;
mod resume;
mod secrets;
mod show;
#[cfg(unix)]
mod sign_in;
mod suggestions;
mod support;
mod test_files;
mod trust;
mod unattended;
mod unreadable_operations;
mod untrusted_text;
mod update;
mod uploads;
#[cfg(unix)]
mod verify;
mod wait;
mod web;
