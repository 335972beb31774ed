//! The program in the background without a terminal, while a test watches its output.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Output, TestEnv};

const LIMIT: Duration = Duration::from_secs(30);

/// A program that runs.
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
        let said: Arc<(Mutex<CapturedOutput>, Condvar)> = Arc::default();
        let shared = Arc::clone(&said);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let count = stderr.read(&mut buffer).expect("read");
                let mut said = shared.0.lock().expect("the words");
                said.bytes.extend_from_slice(&buffer[..count]);
                said.ended = count == 0;
                shared.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Self { child, stdout, stderr: said }
    }

    /// Waits until standard error has this; fails the test when it never has.
    pub(crate) fn wait_for(&self, text: &str) {
        self.wait_until(text, |said| String::from_utf8_lossy(&said.bytes).contains(text));
    }

    fn wait_until(&self, what: &str, done: impl Fn(&CapturedOutput) -> bool) {
        let started = Instant::now();
        let mut said = self.stderr.0.lock().expect("the words");
        while !done(&said) {
            let left = LIMIT.saturating_sub(started.elapsed());
            let may_come = !left.is_zero() && !said.ended;
            assert!(may_come, "never saw {what:?} in:\n{}", String::from_utf8_lossy(&said.bytes));
            said = self.stderr.1.wait_timeout(said, left).expect("the words").0;
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

    /// Waits for the end.
    #[must_use = "either snapshot the output or assert the exit code"]
    pub(crate) fn finish(mut self, env: &TestEnv) -> Output {
        self.wait_until("the end", |said| said.ended);
        let status = self.child.wait().expect("the program ends");
        let stdout = self.stdout.join().expect("the reader");
        let stderr = std::mem::take(&mut self.stderr.0.lock().expect("the words").bytes);
        env.output(&std::process::Output { status, stdout, stderr })
    }
}
