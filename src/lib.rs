//! `azure.ai.models`: upload, register and manage custom models in a Foundry project.

pub mod azcopy;
pub mod cancel;
pub mod env;
pub mod model;
pub mod redact;
pub mod units;
