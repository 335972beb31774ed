//! `azure.ai.models`: upload, register and manage custom models in a Foundry project.

pub mod cancel;
pub mod credential;
pub mod env;
pub mod foundry;
pub mod http;
pub mod model;
pub mod project;
pub mod redact;
pub mod units;
