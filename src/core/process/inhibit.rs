//! Sleep inhibition, through a system program that ends with this one.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use super::find_program;
use crate::env::{Env, var};

/// Keeps the machine awake until it is dropped or this process ends in any way.
#[derive(Debug)]
pub struct Inhibitor {
    child: Child,
}

/// Keeps the machine awake; the system displays `why`. Blocks until the system has responded.
///
/// # Errors
/// A sentence with the reason why the machine may go to sleep.
pub fn inhibit(env: &Env, why: &str) -> Result<Inhibitor, String> {
    let path = env.get(var::PATH).unwrap_or_default();
    if cfg!(target_os = "macos") { caffeinate(path) } else { systemd_inhibit(path, why) }
}

/// logind holds the lock while `cat` runs, which is while this process holds its end of the pipe.
fn systemd_inhibit(path: &str, why: &str) -> Result<Inhibitor, String> {
    let program = find_program(path, "systemd-inhibit").ok_or("this system cannot prevent it")?;
    let mut command = Command::new(program);
    command.args(["--what=sleep:idle", "--mode=block", "--who=azure.ai.models", &format!("--why={why}")]);
    command.args(["/bin/sh", "-c", "echo locked; exec cat >/dev/null"]);
    start(command, true)
}

fn caffeinate(path: &str) -> Result<Inhibitor, String> {
    let program = find_program(path, "caffeinate").ok_or("caffeinate was not found")?;
    let mut command = Command::new(program);
    command.args(["-i", "-w", &std::process::id().to_string()]);
    start(command, false)
}

/// Starts the program; if it `answers`, the lock is held once it has written a line.
fn start(mut command: Command, answers: bool) -> Result<Inhibitor, String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|why| why.to_string())?;
    let mut line = String::new();
    if let (true, Some(stdout)) = (answers, child.stdout.take()) {
        drop(BufReader::new(stdout).read_line(&mut line));
    }
    if !answers || !line.is_empty() {
        return Ok(Inhibitor { child });
    }
    let mut output = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        drop(stderr.read_to_string(&mut output));
    }
    drop(child.wait());
    Err(output.lines().next().unwrap_or("the system refused").trim().to_owned())
}

impl Drop for Inhibitor {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
