//! Signals of the terminal and the system, turned into cancellation.

use std::io;
#[cfg(unix)]
use std::time::Duration;

use azure_ai_models_core::cancel::Canceller;

/// The terminal sends the signal first and writes `^C` after it; what is said about it has to come behind both.
#[cfg(unix)]
const ECHO: Duration = Duration::from_millis(20);

/// Listens from now on: Ctrl+C, SIGTERM and SIGHUP ask to end, a second one asks to end at once.
///
/// # Errors
/// When the system does not let the process listen.
#[cfg(unix)]
pub(crate) fn listen(canceller: Canceller) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => tokio::time::sleep(ECHO).await,
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            canceller.request();
        }
    });
    Ok(())
}

/// Listens from now on: Ctrl+C and Ctrl+Break ask to end, a second one asks to end at once.
///
/// # Errors
/// When the system does not let the process listen.
#[cfg(windows)]
pub(crate) fn listen(canceller: Canceller) -> io::Result<()> {
    use tokio::signal::windows::{ctrl_break, ctrl_c};
    let mut interrupt = ctrl_c()?;
    let mut stop = ctrl_break()?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = stop.recv() => {}
            }
            canceller.request();
        }
    });
    Ok(())
}
