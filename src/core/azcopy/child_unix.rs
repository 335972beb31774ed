//! Groups and signals on Unix.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

pub(super) fn own_group(command: &mut Command) {
    command.process_group(0);
}

pub(super) fn signal(status: ExitStatus) -> Option<i32> {
    status.signal()
}

pub(super) fn interrupt(pid: u32, _process: &mut Child) {
    send(pid, Signal::INT);
}

pub(super) fn kill(pid: u32, _process: &mut Child) {
    send(pid, Signal::KILL);
}

pub(super) fn kill_group(pid: u32) {
    send(pid, Signal::KILL);
}

/// The only failure is that the group is gone, which is what was asked for.
fn send(pid: u32, signal: Signal) {
    if let Some(group) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _: rustix::io::Result<()> = kill_process_group(group, signal);
    }
}
