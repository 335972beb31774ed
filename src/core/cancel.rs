//! Cancellation: one value, created at the start, set by signals, visible everywhere.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// Urgency of the request to end the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// No request.
    #[default]
    None,
    /// Ctrl+C, SIGTERM or SIGHUP: end cleanly.
    Graceful,
    /// Second request: end now.
    Now,
}

/// Receiving side; cheap to clone.
#[derive(Clone, Debug)]
pub struct Cancellation {
    urgency: watch::Receiver<Urgency>,
    holds: Arc<watch::Sender<usize>>,
}

/// Signalling side.
#[derive(Debug)]
pub struct Canceller(watch::Sender<Urgency>);

/// Keeps a command from being dropped at the first request to end, while the hold exists: for work that must end
/// something itself, such as AzCopy, and report its progress.
#[derive(Debug)]
#[must_use = "the hold ends when this is dropped"]
pub struct Hold(Arc<watch::Sender<usize>>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.send_modify(|holds| *holds -= 1);
    }
}

/// Creates a connected pair, without a request yet.
#[must_use]
pub fn channel() -> (Canceller, Cancellation) {
    let (sender, urgency) = watch::channel(Urgency::None);
    (Canceller(sender), Cancellation { urgency, holds: Arc::new(watch::Sender::new(0)) })
}

impl Canceller {
    /// Records a request to end: the first is graceful, each further one means now.
    pub fn request(&self) {
        self.0.send_modify(|urgency| {
            *urgency = match urgency {
                Urgency::None => Urgency::Graceful,
                Urgency::Graceful | Urgency::Now => Urgency::Now,
            };
        });
    }
}

impl Cancellation {
    /// Current urgency.
    #[must_use]
    pub fn urgency(&self) -> Urgency {
        *self.urgency.borrow()
    }

    /// Completes once the urgency is at least this. Never completes if the signalling side is dropped without a
    /// request.
    pub async fn at_least(&self, urgency: Urgency) {
        let mut receiver = self.urgency.clone();
        if receiver.wait_for(|now| *now >= urgency).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Lets the command end by itself after the first request.
    pub fn hold(&self) -> Hold {
        self.holds.send_modify(|holds| *holds += 1);
        Hold(Arc::clone(&self.holds))
    }

    /// Runs a command, and drops it at a request to end, which returns `None`: immediately if there is no
    /// [hold](Self::hold), otherwise `grace` after the second request.
    pub async fn run<T>(&self, grace: Duration, command: impl Future<Output = T>) -> Option<T> {
        let released = async {
            self.at_least(Urgency::Graceful).await;
            // The sender is owned by `self`, so it exists.
            drop(self.holds.subscribe().wait_for(|holds| *holds == 0).await);
        };
        let overdue = async {
            self.at_least(Urgency::Now).await;
            tokio::time::sleep(grace).await;
        };
        tokio::select! {
            biased;
            // First, so that a command that ends at the same moment returns its result.
            value = command => Some(value),
            () = released => None,
            () = overdue => None,
        }
    }

    /// Runs a part of work that uses a [hold](Self::hold); returns `None` at the first request to end.
    pub async fn or_cancelled<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.at_least(Urgency::Graceful) => None,
            value = work => Some(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    const NEVER: Duration = Duration::from_secs(3600);

    #[tokio::test(flavor = "current_thread")]
    async fn a_second_request_is_immediate() {
        let (canceller, cancellation) = channel();
        assert_eq!(cancellation.or_cancelled(async { 1 }).await, Some(1));
        canceller.request();
        assert_eq!(cancellation.urgency(), Urgency::Graceful);
        assert_eq!(cancellation.or_cancelled(pending::<()>()).await, None);
        canceller.request();
        cancellation.at_least(Urgency::Now).await;
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_command_is_dropped_at_the_first_request() {
        let (canceller, cancellation) = channel();
        assert_eq!(cancellation.run(NEVER, async { 1 }).await, Some(1));
        canceller.request();
        assert_eq!(cancellation.run(NEVER, pending::<()>()).await, None);
        assert_eq!(cancellation.run(NEVER, async { 1 }).await, Some(1), "a ready result is returned");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_command_with_a_hold_ends_on_its_own() {
        let (canceller, cancellation) = channel();
        canceller.request();
        let held = async {
            let hold = cancellation.hold();
            tokio::task::yield_now().await;
            drop(hold);
            1
        };
        assert_eq!(cancellation.run(NEVER, held).await, Some(1));
        let released = async {
            drop(cancellation.hold());
            pending::<()>().await;
        };
        assert_eq!(cancellation.run(NEVER, released).await, None, "no hold is left");
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_second_request_grants_a_command_with_a_hold_its_grace_period() {
        let (canceller, cancellation) = channel();
        canceller.request();
        canceller.request();
        let grace = Duration::from_secs(1);
        let slow = |seconds| {
            let cancellation = &cancellation;
            async move {
                let _hold = cancellation.hold();
                tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
            }
        };
        assert_eq!(cancellation.run(grace, slow(0.9)).await, Some(()));
        assert_eq!(cancellation.run(grace, slow(1.1)).await, None);
    }
}
