//! Windows has no signal that a child without a console of its own would see: every end is a kill.

use std::process::ExitStatus;

use tokio::process::{Child, Command};

pub(super) fn own_group(_command: &mut Command) {}

pub(super) fn signal(_status: ExitStatus) -> Option<i32> {
    None
}

pub(super) fn interrupt(pid: u32, process: &mut Child) {
    kill(pid, process);
}

/// Nothing can be known of a process by its id alone, so nothing is ended.
pub(super) fn kill_group(_pid: u32) {}

/// The only failure is that it has ended, which is what was asked for.
pub(super) fn kill(_pid: u32, process: &mut Child) {
    drop(process.start_kill());
}
