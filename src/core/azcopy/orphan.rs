//! An AzCopy that outlived the program that started it: our own SIGKILL leaves one for up to two seconds
//! (contracts/azcopy.md 4). It must be gone before its plan or its container are touched.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

const PID: &str = "azcopy.pid";
const LOOK: Duration = Duration::from_millis(50);

/// Leaves word of a running AzCopy in its private directory: process id, and when it started.
pub(super) fn leave_word(directory: &Path, pid: u32) -> io::Result<()> {
    fs::write(directory.join(PID), format!("{pid} {}", started_at(pid).unwrap_or_default()))
}

/// Waits until the AzCopy of an earlier run in this directory has ended, and ends it when that takes longer than
/// `grace`.
pub async fn wait_for_orphan(directory: &Path, grace: Duration) {
    let Some((pid, started)) = word(directory) else { return };
    let begun = Instant::now();
    // A process with that id and another start is somebody else's.
    while !started.is_empty() && started_at(pid).as_deref() == Some(&started) {
        if begun.elapsed() > grace {
            super::child::kill_group(pid);
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn word(directory: &Path) -> Option<(u32, String)> {
    let text = fs::read_to_string(directory.join(PID)).ok()?;
    let (pid, started) = text.split_once(' ')?;
    Some((pid.parse().ok()?, started.to_owned()))
}

/// The kernel's own word for when a process started; nothing where there is no such process, or no `/proc`.
fn started_at(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold blanks; the 22nd field is the 20th behind it. A zombie has ended.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let started = fields.nth(18)?;
    (state != "Z").then(|| started.to_owned())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn an_orphan_is_ended_and_a_stranger_is_not() {
        use std::os::unix::process::CommandExt;
        let directory = tempfile::tempdir().expect("a directory");
        let mut orphan = std::process::Command::new("sleep").arg("60").process_group(0).spawn().expect("sleep");
        leave_word(directory.path(), orphan.id()).expect("written");
        wait_for_orphan(directory.path(), Duration::from_millis(100)).await;
        assert!(!orphan.wait().expect("ended").success());

        let mut stranger = std::process::Command::new("sleep").arg("60").process_group(0).spawn().expect("sleep");
        fs::write(directory.path().join(PID), format!("{} 1", stranger.id())).expect("written");
        wait_for_orphan(directory.path(), Duration::ZERO).await;
        assert!(stranger.try_wait().expect("looked").is_none());
        stranger.kill().expect("killed");
        stranger.wait().expect("ended");
    }
}
