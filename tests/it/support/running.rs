//! The program in the background without a terminal, while a test reads its output.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Output, TestEnv};

const LIMIT: Duration = Duration::from_secs(30);

/// A running program.
pub(crate) struct Running {
    child: Child,
    stdout: JoinHandle<Vec<u8>>,
    stderr: Arc<(Mutex<CapturedOutput>, Condvar)>,
}

#[derive(Default)]
struct CapturedOutput {
    bytes: Vec<u8>,
    ended: bool,
}

impl Running {
    /// Starts the program.
    pub(crate) fn start(env: &TestEnv, args: &[&str]) -> Self {
        Self::start_command(env.command(args))
    }

    /// Starts a prepared command.
    pub(crate) fn start_command(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let mut stdout = child.stdout.take().expect("a pipe");
        let mut stderr = child.stderr.take().expect("a pipe");
        let stdout = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            stdout.read_to_end(&mut bytes).expect("read");
            bytes
        });
        let captured: Arc<(Mutex<CapturedOutput>, Condvar)> = Arc::default();
        let shared = Arc::clone(&captured);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let count = stderr.read(&mut buffer).expect("read");
                let mut captured = shared.0.lock().expect("the output");
                captured.bytes.extend_from_slice(&buffer[..count]);
                captured.ended = count == 0;
                shared.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Self { child, stdout, stderr: captured }
    }

    /// Waits until standard error contains this text; fails the test if it never does.
    pub(crate) fn wait_for(&self, text: &str) {
        self.wait_until(text, |captured| String::from_utf8_lossy(&captured.bytes).contains(text));
    }

    fn wait_until(&self, what: &str, done: impl Fn(&CapturedOutput) -> bool) {
        let started = Instant::now();
        let mut captured = self.stderr.0.lock().expect("the output");
        while !done(&captured) {
            let left = LIMIT.saturating_sub(started.elapsed());
            let is_waiting = !left.is_zero() && !captured.ended;
            assert!(is_waiting, "never saw {what:?} in:\n{}", String::from_utf8_lossy(&captured.bytes));
            captured = self.stderr.1.wait_timeout(captured, left).expect("the output").0;
        }
    }

    /// Process id.
    #[cfg(unix)]
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the program.
    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        super::send(self.child.id(), signal);
    }

    /// Waits until the program ends.
    #[must_use = "either snapshot the output or assert the exit code"]
    pub(crate) fn finish(mut self, env: &TestEnv) -> Output {
        self.wait_until("the end", |captured| captured.ended);
        let status = self.child.wait().expect("the program ends");
        let stdout = self.stdout.join().expect("the reader");
        let stderr = std::mem::take(&mut self.stderr.0.lock().expect("the output").bytes);
        env.output(&std::process::Output { status, stdout, stderr })
    }
}
