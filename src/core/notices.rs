//! Reports on long waits.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Awaits work, and calls `say` with the elapsed time: first after `first`, and then at intervals of `every`.
pub async fn with_notices<T>(
    (first, every): (Duration, Duration),
    mut say: impl FnMut(Duration),
    work: impl Future<Output = T>,
) -> T {
    let begun = Instant::now();
    let talk = async {
        sleep(first).await;
        loop {
            say(begun.elapsed());
            sleep(every).await;
        }
    };
    tokio::select! {
        biased;
        value = work => value,
        () = talk => unreachable!("it never ends"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn only_a_long_wait_is_reported() {
        for (takes, expected) in [(0, vec![]), (4, vec![]), (6, vec![5]), (66, vec![5, 35, 65])] {
            let mut notices = Vec::new();
            let pauses = (Duration::from_secs(5), Duration::from_secs(30));
            let work = sleep(Duration::from_secs(takes));
            with_notices(pauses, |elapsed| notices.push(elapsed.as_secs()), work).await;
            assert_eq!(notices, expected);
        }
    }
}
