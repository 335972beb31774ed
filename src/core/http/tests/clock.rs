//! A paused clock for tests with real sockets, so that limits and pauses have their full values and take no time.
//!
//! tokio's paused clock jumps to the next timer whenever the runtime is idle, also while a response is in transit
//! through a socket: every limit would end immediately. The clock stops while a blocking task runs, so one runs for as
//! long as a request is in flight. Pauses between requests pass immediately; the speed of the machine does not matter.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};

use crate::model::Report;

/// Stops the paused clock of this thread's runtime while a request is in flight; one request at a time.
#[derive(Default)]
pub(super) struct ClockHold(Mutex<Option<mpsc::Sender<()>>>);

thread_local! {
    /// Owned by the clients of the test on this thread: a failed test must not leave a blocking task behind.
    static HOLD: RefCell<Weak<ClockHold>> = const { RefCell::new(Weak::new()) };
}

impl ClockHold {
    /// Returns the hold that the clients and servers of this thread share.
    pub(super) fn of_this_thread() -> Arc<Self> {
        HOLD.with_borrow_mut(|known| {
            known.upgrade().unwrap_or_else(|| {
                let new = Arc::new(Self::default());
                *known = Arc::downgrade(&new);
                new
            })
        })
    }

    /// Reads the client's trace: `>` begins a request, `<` ends it.
    pub(super) fn observe(&self, report: &Report) {
        match report {
            Report::Debug(line) if line.starts_with("> ") => self.begin(),
            Report::Debug(line) if line.starts_with("< ") => self.end(),
            _ => {}
        }
    }

    fn begin(&self) {
        let (sender, receiver) = mpsc::channel();
        drop(tokio::task::spawn_blocking(move || receiver.recv()));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
    }

    /// Lets the clock run again. Servers call this when they will never respond.
    pub(super) fn end(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}
