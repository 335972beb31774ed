//! Detached upload: an upload that continues in a process without a terminal.
//!
//! Owns the files in its private directory other than the journal. They are kept for [`RETENTION`] after the upload
//! ends, so that the result can be shown.
//!
//! | file | content |
//! |---|---|
//! | `detached.json` | process and model, written once the process owns the directory |
//! | `detached.lock` | locked from then on until the result is written |
//! | `events.ndjson` | events of the run, at most 16 MiB |
//! | `log` | output of the process, at most 8 MiB |
//! | `result.json` | result of the run |
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
pub use result::{DetachedOutcome, RecordedError, RecordedProduct, RunResult};

use std::time::Duration;

/// Time for which the files of a detached upload are kept after its end.
pub const RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);
