//! Reporter of the clients: writes to the console, except for warnings that the command itself shows.

use std::sync::{Arc, Mutex, PoisonError};

use super::App;
use azure_ai_models_core::model::{Report, Reporter};

/// Warnings that the command itself shows.
pub(super) type CollectedWarnings = Arc<Mutex<Vec<String>>>;

impl App {
    /// Reporter that clients report to.
    #[must_use]
    pub(crate) fn reporter(&self) -> Reporter {
        let (console, kept) = (Arc::clone(&self.console), self.collected_warnings.get().cloned());
        Arc::new(move |report| match (report, &kept) {
            (Report::Debug(text), _) => console.debug(&text),
            (Report::Notice(text), _) => console.notice(&text),
            (Report::Warning(text), Some(kept)) => kept.lock().unwrap_or_else(PoisonError::into_inner).push(text),
            (Report::Warning(text), None) => console.warn(&text),
        })
    }

    /// Collects the warnings of clients created from now on for the command, which shows them itself.
    pub(crate) fn collect_warnings(&self) {
        self.collected_warnings.get_or_init(Arc::default);
    }

    /// Returns and clears the collected warnings.
    pub(crate) fn take_warnings(&self) -> Vec<String> {
        let kept = self.collected_warnings.get().map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner));
        kept.map(|mut kept| std::mem::take(&mut *kept)).unwrap_or_default()
    }
}
