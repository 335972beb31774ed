//! AzCopy process that outlived the program that started it: a SIGKILL of this program leaves one for up to two
//! seconds. It must end before its plan or its container is modified. Not needed on Windows: the system kills AzCopy
//! with this program, and nothing is recorded.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::files::remove_file;
use crate::process::ProcessStamp;

const PID: &str = "azcopy.pid";
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Records a running AzCopy in its private directory.
pub(super) fn record_process(directory: &Path, pid: u32) -> io::Result<()> {
    let note = directory.join(PID);
    match ProcessStamp::of(pid) {
        Some(stamp) => fs::write(note, stamp.to_string()),
        // Left by an earlier run of this directory.
        None => remove_file(&note),
    }
}

/// Waits until the AzCopy of an earlier run in this directory has ended, and kills it after `grace`.
pub async fn wait_for_orphan(directory: &Path, grace: Duration) {
    let note = fs::read_to_string(directory.join(PID)).ok();
    let Some(stamp) = note.as_deref().and_then(ProcessStamp::parse) else { return };
    let begun = Instant::now();
    while stamp.is_running() {
        if begun.elapsed() > grace {
            stamp.kill_group();
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command};

    use super::*;

    fn sleep() -> Child {
        Command::new("sleep").arg("60").process_group(0).spawn().expect("sleep")
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_orphan_is_killed_but_no_other_process() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut orphan = sleep();
        record_process(directory.path(), orphan.id()).expect("written");
        wait_for_orphan(directory.path(), Duration::from_millis(100)).await;
        assert!(!orphan.wait().expect("ended").success());

        let mut stranger = sleep();
        fs::write(directory.path().join(PID), format!("{} 1", stranger.id())).expect("written");
        wait_for_orphan(directory.path(), Duration::ZERO).await;
        assert!(stranger.try_wait().expect("looked").is_none());
        stranger.kill().expect("killed");
        stranger.wait().expect("ended");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn the_record_of_an_earlier_run_is_replaced() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut earlier = sleep();
        record_process(directory.path(), earlier.id()).expect("written");
        earlier.kill().expect("killed");
        earlier.wait().expect("ended");
        record_process(directory.path(), earlier.id()).expect("removed");
        assert!(!directory.path().join(PID).exists());
    }
}
