//! Signals, and the system's information about the fake's own process.

use std::sync::atomic::{AtomicBool, Ordering};

/// While set, a received signal has no effect.
pub(super) static IGNORED: AtomicBool = AtomicBool::new(false);

#[cfg(unix)]
pub(super) async fn stop_requested() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).expect("signals");
    let mut terminate = signal(SignalKind::terminate()).expect("signals");
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if !IGNORED.load(Ordering::SeqCst) {
            return;
        }
    }
}

#[cfg(windows)]
pub(super) async fn stop_requested() {
    use tokio::signal::windows::{ctrl_break, ctrl_c};
    let mut interrupt = ctrl_c().expect("signals");
    let mut stop = ctrl_break().expect("signals");
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = stop.recv() => {}
        }
        if !IGNORED.load(Ordering::SeqCst) {
            return;
        }
    }
}

#[cfg(unix)]
pub(super) async fn count(path: &str) {
    use std::io::Write;
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).expect("signals");
    let mut file = std::fs::File::create(path).expect("signals");
    tokio::spawn(async move {
        while interrupt.recv().await.is_some() {
            writeln!(file, "SIGINT").expect("signals");
        }
    });
}

#[cfg(not(unix))]
pub(super) async fn count(_path: &str) {}

#[cfg(unix)]
pub(super) async fn wait_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).expect("signals");
    interrupt.recv().await;
}

#[cfg(not(unix))]
pub(super) async fn wait_signal() {
    std::future::pending::<()>().await;
}

#[cfg(unix)]
pub(super) fn stdin_is_pipe() -> bool {
    rustix::fs::fstat(std::io::stdin()).is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_fifo())
}

#[cfg(not(unix))]
pub(super) fn stdin_is_pipe() -> bool {
    true
}

#[cfg(unix)]
pub(super) fn die(signal: i32) {
    let signal = rustix::process::Signal::from_named_raw(signal).expect("a signal");
    rustix::process::kill_process(rustix::process::getpid(), signal).expect("kill");
    std::thread::sleep(std::time::Duration::from_secs(5));
}

#[cfg(not(unix))]
pub(super) fn die(_signal: i32) {
    std::process::abort();
}
