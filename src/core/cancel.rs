//! Cancellation: one value made at the start, set by signals, seen everywhere.

use tokio::sync::watch;

/// How urgently the person wants the program to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Nobody asked.
    #[default]
    None,
    /// Ctrl+C, SIGTERM or SIGHUP: end cleanly.
    Graceful,
    /// A second time: end now.
    Now,
}

/// See [`Cancellation::hold`].
#[derive(Debug)]
pub struct Hold;

/// The listening side; cheap to clone.
#[derive(Clone, Debug)]
pub struct Cancellation(watch::Receiver<Urgency>);

/// The side that signals set.
#[derive(Debug)]
pub struct Canceller(watch::Sender<Urgency>);

/// A fresh pair, with nobody asking yet.
#[must_use]
pub fn channel() -> (Canceller, Cancellation) {
    let (sender, receiver) = watch::channel(Urgency::None);
    (Canceller(sender), Cancellation(receiver))
}

impl Canceller {
    /// One more request to end: the first is graceful, each further one means now.
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
    /// How urgent it is at this moment.
    #[must_use]
    pub fn urgency(&self) -> Urgency {
        *self.0.borrow()
    }

    /// Completes once the urgency is at least this. Never, when the signalling side is gone without a request.
    pub async fn at_least(&self, urgency: Urgency) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|now| *now >= urgency).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Keeps the command from being dropped at the first request to end, as long as the guard lives.
    #[must_use]
    pub fn hold(&self) -> Hold {
        Hold
    }

    /// Runs the future, or gives `None` when the person asks to end first. Only for work that may be dropped.
    pub async fn or<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.at_least(Urgency::Graceful) => None,
            value = work => Some(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn the_second_request_means_now() {
        let (canceller, cancellation) = channel();
        assert_eq!(cancellation.or(async { 1 }).await, Some(1));
        canceller.request();
        assert_eq!(cancellation.urgency(), Urgency::Graceful);
        assert_eq!(cancellation.or(std::future::pending::<()>()).await, None);
        canceller.request();
        cancellation.at_least(Urgency::Now).await;
    }
}
