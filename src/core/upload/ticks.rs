//! Timer for the times in which an engine reports nothing.

use std::cell::RefCell;
use std::convert::Infallible;
use std::time::Duration;

use super::engine::{TransferEngine, TransferError, TransferJob};
use super::event::UploadEvent;
use crate::cancel::Cancellation;
use crate::model::TransferEvent;
use crate::native::Transferred;

/// Interval between ticks.
const TICK: Duration = Duration::from_millis(200);

/// Runs the engine, with ticks for the caller while it reports nothing.
pub(super) async fn with_ticks(
    engine: &dyn TransferEngine,
    job: TransferJob<'_>,
    cancel: &Cancellation,
    on: &mut dyn FnMut(UploadEvent<'_>),
) -> Result<Transferred, TransferError> {
    let on = RefCell::new(on);
    let mut transfer_event = |event: TransferEvent| (on.borrow_mut())(UploadEvent::Transfer(event));
    let ticks = async {
        let mut interval = tokio::time::interval(TICK);
        while cancel.or_cancelled(interval.tick()).await.is_some() {
            (on.borrow_mut())(UploadEvent::Tick);
        }
        (on.borrow_mut())(UploadEvent::Stopping { waits: !engine.stops_at_once() });
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        biased;
        // First, so that the bar is removed before the engine is asked to end.
        never = ticks => match never {},
        sent = engine.transfer(job, &mut transfer_event) => sent,
    }
}
