//! Signals of the terminal and the system, converted to cancellation.

#[cfg(unix)]
mod ignored;

use std::io;
use std::sync::Arc;
#[cfg(unix)]
use std::time::Duration;

use azure_ai_models_core::cancel::Canceller;

/// Delay before a message about an interrupt: the terminal sends the signal first and writes `^C` after it, and the
/// message must follow both.
#[cfg(unix)]
const TERMINAL_ECHO_DELAY: Duration = Duration::from_millis(20);

/// Starts to listen: Ctrl+C, SIGTERM and SIGHUP request the end, a second one requests an immediate end. A signal that
/// was ignored at the start stays ignored: `nohup` and the `&` of a script protect an upload. A detached process always
/// ignores SIGHUP.
///
/// # Errors
/// When the system does not permit listening.
#[cfg(unix)]
pub(crate) fn listen(canceller: Arc<Canceller>, is_detached: bool) -> io::Result<()> {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    let unless_ignored = |kind: SignalKind| -> io::Result<Option<Signal>> {
        if ignored::is_ignored(kind.as_raw_value()) { Ok(None) } else { signal(kind).map(Some) }
    };
    let mut interrupt = unless_ignored(SignalKind::interrupt())?;
    let mut terminate = unless_ignored(SignalKind::terminate())?;
    let mut hangup = unless_ignored(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = received(&mut interrupt) => tokio::time::sleep(TERMINAL_ECHO_DELAY).await,
                () = received(&mut terminate) => {}
                () = received(&mut hangup) => {
                    if is_detached {
                        continue;
                    }
                }
            }
            canceller.request();
        }
    });
    Ok(())
}

#[cfg(unix)]
async fn received(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Starts to listen: Ctrl+C and Ctrl+Break request the end, a second one requests an immediate end. A closed console, a
/// log-off and a shutdown do the same: the system waits about five seconds for the program, and then kills it.
///
/// # Errors
/// When the system does not permit listening.
#[cfg(windows)]
pub(crate) fn listen(canceller: Arc<Canceller>, _is_detached: bool) -> io::Result<()> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
    let (mut interrupt, mut stop) = (ctrl_c()?, ctrl_break()?);
    let (mut close, mut log_off, mut shutdown) = (ctrl_close()?, ctrl_logoff()?, ctrl_shutdown()?);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = stop.recv() => {}
                _ = close.recv() => {}
                _ = log_off.recv() => {}
                _ = shutdown.recv() => {}
            }
            canceller.request();
        }
    });
    Ok(())
}
