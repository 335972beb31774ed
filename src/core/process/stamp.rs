//! Identity of a process, which need not be a child: its id, and its start time, which distinguishes it from a later
//! process with that id.

use std::fmt;

use super::group;

/// Identity of a process that one run of this program records for the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProcessStamp {
    pid: u32,
    started: String,
}

impl ProcessStamp {
    /// Running process with this id. `None` on Windows: a process there does not outlive its job, and the job does not
    /// outlive this program.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        Some(Self { pid, started: system::started_at(pid)? })
    }

    /// Parses the `Display` form.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (pid, started) = text.split_once(' ').filter(|(_, started)| !started.is_empty())?;
        Some(Self { pid: pid.parse().ok()?, started: started.to_owned() })
    }

    /// True while this process has not ended. A process with the same id and another start time does not count.
    pub(crate) fn is_running(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    /// Kills the group that the process leads, if it is still this process.
    pub(crate) fn kill_group(&self) {
        if self.is_running() {
            group::kill_group(self.pid);
        }
    }
}

impl fmt::Display for ProcessStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pid, self.started)
    }
}

#[cfg(unix)]
mod system {
    use std::fs;
    use std::path::Path;
    use std::process::{Command, Stdio};

    /// Start time in the system's own format; `None` if there is no process with that id, or it has ended and is not
    /// yet reaped.
    pub(super) fn started_at(pid: u32) -> Option<String> {
        if Path::new("/proc/self/stat").exists() {
            from_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
        } else {
            // macOS has no /proc.
            from_ps(&ps(pid)?)
        }
    }

    /// Parses the start in ticks: the 22nd field, which is the 20th after the name in parentheses, which may contain
    /// spaces.
    pub(super) fn from_stat(stat: &str) -> Option<String> {
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        let started = fields.nth(18)?;
        (state != "Z").then(|| started.to_owned())
    }

    /// Output of `ps` in UTC and English, so that a run in another time zone or language reads the same.
    fn ps(pid: u32) -> Option<String> {
        let mut ps = Command::new("/bin/ps");
        ps.args(["-o", "stat=", "-o", "lstart=", "-p", &pid.to_string()]);
        ps.env_clear().envs([("TZ", "UTC0"), ("LC_ALL", "C")]);
        let output = ps.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Parses `Ss   Sat Nov 29 06:05:00 2025`: the state, and the start to the second.
    pub(super) fn from_ps(line: &str) -> Option<String> {
        let mut words = line.split_whitespace();
        let state = words.next()?;
        let started = words.collect::<Vec<_>>().join(" ");
        (!state.starts_with('Z') && !started.is_empty()).then_some(started)
    }
}

#[cfg(windows)]
mod system {
    /// `None`: not needed on Windows.
    pub(super) fn started_at(_pid: u32) -> Option<String> {
        None
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use super::system::{from_ps, from_stat};
    use super::*;

    #[test]
    fn the_start_is_read_from_proc_and_from_ps() {
        let stat = |state| format!("7 (a) b) {state} 1 7 7 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 4242 0 0");
        assert_eq!(from_stat(&stat("S")).as_deref(), Some("4242"));
        assert_eq!(from_stat(&stat("Z")), None);
        assert_eq!(from_ps("Ss   Sat Nov  1 06:05:00 2025\n").as_deref(), Some("Sat Nov 1 06:05:00 2025"));
        assert_eq!(from_ps("Z+   Sat Nov  1 06:05:00 2025\n"), None);
        assert_eq!(from_ps("\n"), None);
    }

    #[test]
    fn a_process_is_recognized_until_it_has_ended() {
        let mut child = Command::new("sleep").arg("60").process_group(0).spawn().expect("sleep");
        let stamp = ProcessStamp::of(child.id()).expect("a start");
        assert_eq!(ProcessStamp::parse(&stamp.to_string()), Some(stamp.clone()));
        assert!(stamp.is_running());
        stamp.kill_group();
        child.wait().expect("ended");
        assert!(!stamp.is_running());
    }

    #[test]
    fn a_process_with_the_id_of_another_is_left_alone() {
        let mut stranger = Command::new("sleep").arg("60").process_group(0).spawn().expect("sleep");
        let earlier = ProcessStamp::parse(&format!("{} 1", stranger.id())).expect("a stamp");
        assert!(!earlier.is_running());
        earlier.kill_group();
        assert!(stranger.try_wait().expect("looked").is_none());
        stranger.kill().expect("killed");
        stranger.wait().expect("ended");
    }

    #[test]
    fn a_record_without_a_start_time_matches_no_process() {
        for text in ["", "7", "7 ", "x 1"] {
            assert_eq!(ProcessStamp::parse(text), None, "{text:?}");
        }
    }
}
