//! A detached upload: one that a process without a terminal carries on.
//!
//! Owns the files that its private directory has besides the journal. They stay for [`KEPT`] after its end, so that the end
//! can be looked at.
//!
//! | file | content |
//! |---|---|
//! | `detached.json` | process and model, written once the process owns the directory |
//! | `detached.lock` | locked from then on until the result is written |
//! | `events.ndjson` | events of the run, at most 16 MiB |
//! | `log` | what the process prints, at most 8 MiB |
//! | `result.json` | how the run ended |
//! | `stop` | request to end the run |

mod bound;
mod events;
mod files;
mod reader;
mod result;

pub use bound::trim_log;
pub use events::EventLog;
pub(super) use files::{DETACHED_LOCK, EVENTS, LOG, RESULT, RUN};
pub use files::{DetachedFiles, DetachedRun, ResumeHint, RunLock};
pub use reader::EventReader;
pub use result::{Outcome, RecordedError, RecordedProduct, RunResult};

use std::time::Duration;

/// Time for which the files of a detached upload are kept after its end.
pub const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
