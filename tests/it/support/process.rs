//! Processes, and waiting for them with a limit.

use std::process::Command;
use std::time::{Duration, Instant};

/// Longest duration of a run; a run that exceeds it hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// Waits for a child process; kills it and fails the test if it exceeds the limit.
pub(crate) fn wait(child: std::process::Child) -> std::process::Output {
    let pid = child.id();
    let (done, waiter) = std::sync::mpsc::channel::<()>();
    let guard = std::thread::spawn(move || {
        if waiter.recv_timeout(LIMIT).is_err() {
            kill(pid);
            true
        } else {
            false
        }
    });
    let started = Instant::now();
    let output = child.wait_with_output().expect("the program ends");
    done.send(()).unwrap_or_default();
    let killed = guard.join().expect("the guard");
    assert!(!killed || started.elapsed() < LIMIT, "the program hung: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Waits until the condition is met; fails the test after the limit.
pub(crate) fn eventually(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < LIMIT, "never saw: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends a signal to one process.
#[cfg(unix)]
pub(crate) fn send(pid: u32, signal: rustix::process::Signal) {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).expect("a process");
    rustix::process::kill_process(pid, signal).expect("sent");
}

/// True while a process with this id exists.
#[cfg(unix)]
pub(crate) fn is_alive(pid: u64) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).expect("a process");
    rustix::process::test_kill_process(pid).is_ok()
}

fn kill(pid: u32) {
    drop(Command::new("kill").args(["-9", &pid.to_string()]).status());
}
