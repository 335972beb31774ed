//! The real program against a local Foundry project and a fake AzCopy: output for the user, and the traffic.

mod agents;
mod ask;
mod azd_host;
mod base;
mod base_create;
mod cancel;
mod cases;
mod check;
mod conflict;
mod consent;
mod content;
mod create;
mod delete;
mod deployments;
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
mod foreign;
mod foreign_text;
mod help;
mod hook;
mod hub_sources;
#[cfg(unix)]
mod ignored;
#[cfg(unix)]
mod import;
mod init;
mod install;
mod kinds;
mod list;
mod machine;
mod metadata;
mod names;
#[cfg(unix)]
mod native;
mod options;
mod papers;
mod plans;
mod printed;
mod progress;
mod project_search;
#[cfg(unix)]
mod proxy;
mod read;
mod resume;
mod rows;
mod secrets;
#[cfg(unix)]
mod sign_in;
mod support;
mod test_files;
mod trust;
mod unattended;
mod unseen;
mod update;
mod uploads;
#[cfg(unix)]
mod verify;
mod wait;
mod ways_on;
mod web;
