//! A real terminal for the program: a pseudo-terminal, with a screen that a test can look at.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::TestEnv;

const LIMIT: Duration = Duration::from_secs(30);
const ROWS: NonZeroU16 = NonZeroU16::new(50).expect("not zero");

/// A program in a terminal.
pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    _master: Box<dyn MasterPty + Send>,
}

struct Seen {
    screen: vt100::Parser,
    raw: Vec<u8>,
    ended: bool,
}

impl Terminal {
    /// Starts the program in a terminal of this many columns.
    pub(crate) fn start(env: &TestEnv, columns: u16, args: &[&str]) -> Self {
        let size = PtySize { rows: ROWS.get(), cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a terminal");
        let command = env.command(args);
        let mut builder = CommandBuilder::new(command.get_program());
        builder.args(command.get_args());
        builder.env_clear();
        for (name, value) in command.get_envs() {
            builder.env(name, value.unwrap_or_default());
        }
        builder.cwd(env.work());
        let child = pair.slave.spawn_command(builder).expect("the program starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let writer = pair.master.take_writer().expect("a writer");
        let screen = vt100::Parser::new(ROWS, NonZeroU16::new(columns).expect("columns"), 1000);
        let seen = Arc::new((Mutex::new(Seen { screen, raw: Vec::new(), ended: false }), Condvar::new()));
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                // A closed terminal reads as an error on Linux.
                let count = reader.read(&mut buffer).unwrap_or(0);
                let mut seen = shared.0.lock().expect("the screen");
                seen.screen.process(&buffer[..count]);
                seen.raw.extend_from_slice(&buffer[..count]);
                seen.ended = count == 0;
                shared.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Self { child, writer, seen, _master: pair.master }
    }

    /// Types this.
    pub(crate) fn type_text(&mut self, text: &str) {
        self.writer.write_all(text.as_bytes()).expect("typed");
        self.writer.flush().expect("typed");
    }

    /// Waits until the screen shows this; fails the test when it never does.
    pub(crate) fn wait_for(&self, text: &str) {
        self.wait_until(&format!("{text:?}"), |seen| seen.screen.screen().contents().contains(text));
    }

    fn wait_until(&self, what: &str, done: impl Fn(&Seen) -> bool) {
        let started = Instant::now();
        let mut seen = self.seen.0.lock().expect("the screen");
        while !done(&seen) {
            let left = LIMIT.saturating_sub(started.elapsed());
            let may_come = !left.is_zero() && !seen.ended;
            assert!(may_come, "never saw {what} on:\n{}", seen.screen.screen().contents());
            seen = self.seen.1.wait_timeout(seen, left).expect("the screen").0;
        }
    }

    /// Waits for the end: what the screen shows, whether the cursor is hidden, and the exit code.
    pub(crate) fn finish(mut self) -> Ended {
        self.wait_until("the end", |seen| seen.ended);
        let code = self.child.wait().expect("the program ends").exit_code();
        let seen = self.seen.0.lock().expect("the screen");
        Ended {
            screen: seen.screen.screen().contents(),
            raw: String::from_utf8_lossy(&seen.raw).into_owned(),
            cursor_hidden: seen.screen.screen().hide_cursor(),
            code,
        }
    }
}

/// How a run in a terminal ended.
pub(crate) struct Ended {
    /// The text on the screen.
    pub(crate) screen: String,
    /// Everything that was written, escapes included.
    pub(crate) raw: String,
    /// True when the program left the cursor hidden.
    pub(crate) cursor_hidden: bool,
    /// Exit code.
    pub(crate) code: u32,
}
