//! Pseudo-terminal for the program, with a screen that tests can read.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::TestEnv;

const LIMIT: Duration = Duration::from_secs(30);
const ROWS: NonZeroU16 = NonZeroU16::new(50).expect("not zero");

/// A program that runs in a terminal.
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
    bars: usize,
    wrapped: Option<String>,
}

impl Seen {
    /// Processes output, and counts the bars on the screen.
    fn take(&mut self, bytes: &[u8]) {
        self.screen.process(bytes);
        self.raw.extend_from_slice(bytes);
        let screen = self.screen.screen();
        let columns = screen.size().1;
        let rows: Vec<String> = screen.rows(0, columns.get()).collect();
        let bars = rows.iter().enumerate().filter(|(_, row)| is_bar(row));
        let mut count = 0;
        for (at, row) in bars {
            count += 1;
            if screen.row_wrapped(u16::try_from(at).expect("a row")) {
                self.wrapped = Some(row.clone());
            }
        }
        self.bars = self.bars.max(count);
    }
}

fn rows(screen: &vt100::Screen) -> String {
    let rows: Vec<String> = screen.rows(0, screen.size().1.get()).map(|row| row.trim_end().to_owned()).collect();
    rows.join("\n").trim_end().to_owned()
}

/// True for a line with the bar of an upload; the horizontal rules of the page at the end are not indented.
fn is_bar(row: &str) -> bool {
    row.strip_prefix("  ").is_some_and(|row| row.starts_with(['━', '─']))
}

impl Terminal {
    /// Starts the program in a terminal of this many columns.
    pub(crate) fn start(env: &TestEnv, columns: u16, args: &[&str]) -> Self {
        Self::start_program(env, columns, env!("CARGO_BIN_EXE_azure-ai-models"), args)
    }

    /// Starts another program, such as a shell that starts ours, with the same environment.
    pub(crate) fn start_program(env: &TestEnv, columns: u16, program: &str, args: &[&str]) -> Self {
        let size = PtySize { rows: ROWS.get(), cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a terminal");
        let command = env.command(args);
        let mut builder = CommandBuilder::new(program);
        builder.args(command.get_args());
        builder.env_clear();
        builder.env("TERM", "xterm-256color");
        for (name, value) in command.get_envs() {
            builder.env(name, value.unwrap_or_default());
        }
        builder.cwd(env.work());
        let child = pair.slave.spawn_command(builder).expect("the program starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let writer = pair.master.take_writer().expect("a writer");
        let screen = vt100::Parser::new(ROWS, NonZeroU16::new(columns).expect("columns"), 1000);
        let seen = Arc::new((
            Mutex::new(Seen { screen, raw: Vec::new(), ended: false, bars: 0, wrapped: None }),
            Condvar::new(),
        ));
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                // A closed terminal reads as an error on Linux. The kernel checks for text first and for the end
                // afterwards, so text written in between needs another read.
                let mut read = || reader.read(&mut buffer).unwrap_or(0);
                let count = match read() {
                    0 => read(),
                    count => count,
                };
                let mut seen = shared.0.lock().expect("the screen");
                seen.take(&buffer[..count]);
                seen.ended = count == 0;
                shared.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Self { child, writer, seen, _master: pair.master }
    }

    /// Process id of the program.
    #[cfg(unix)]
    pub(crate) fn pid(&self) -> u32 {
        self.child.process_id().expect("a process")
    }

    /// Sends a signal only to the program.
    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        super::send(self.pid(), signal);
    }

    /// Types this text.
    pub(crate) fn type_text(&mut self, text: &str) {
        self.writer.write_all(text.as_bytes()).expect("typed");
        self.writer.flush().expect("typed");
    }

    /// Waits until the screen shows this text; fails the test if it never does.
    pub(crate) fn wait_for(&self, text: &str) {
        self.wait_until(&format!("{text:?}"), |seen| seen.screen.screen().contents().contains(text));
    }

    fn wait_until(&self, what: &str, done: impl Fn(&Seen) -> bool) {
        let started = Instant::now();
        let mut seen = self.seen.0.lock().expect("the screen");
        while !done(&seen) {
            let left = LIMIT.saturating_sub(started.elapsed());
            let is_waiting = !left.is_zero() && !seen.ended;
            assert!(is_waiting, "never saw {what} on:\n{}", seen.screen.screen().contents());
            seen = self.seen.1.wait_timeout(seen, left).expect("the screen").0;
        }
    }

    /// Waits until the program ends.
    pub(crate) fn finish(mut self) -> Ended {
        self.wait_until("the end", |seen| seen.ended);
        let code = self.child.wait().expect("the program ends").exit_code();
        let seen = self.seen.0.lock().expect("the screen");
        Ended {
            screen: seen.screen.screen().contents(),
            rows: rows(seen.screen.screen()),
            raw: String::from_utf8_lossy(&seen.raw).into_owned(),
            cursor_hidden: seen.screen.screen().hide_cursor(),
            bars: seen.bars,
            wrapped_bar: seen.wrapped.clone(),
            code,
        }
    }
}

/// End of a run in a terminal.
pub(crate) struct Ended {
    /// Text on the screen; a line that wraps over several rows is one line.
    pub(crate) screen: String,
    /// Rows of the screen as displayed, up to the last one that is not empty.
    pub(crate) rows: String,
    /// All output, including escape sequences.
    pub(crate) raw: String,
    /// True if the program left the cursor hidden.
    pub(crate) cursor_hidden: bool,
    /// Maximum number of bars on the screen.
    pub(crate) bars: usize,
    /// A bar that continued on the next line of the screen.
    pub(crate) wrapped_bar: Option<String>,
    /// Exit code.
    pub(crate) code: u32,
}

impl Ended {
    /// All percentages in the output, in order.
    pub(crate) fn percents(&self) -> Vec<f64> {
        let before = |text: &str| -> String {
            let digits = text.chars().rev().take_while(|char| char.is_ascii_digit() || *char == '.');
            digits.collect::<Vec<_>>().into_iter().rev().collect()
        };
        let mut parts: Vec<&str> = self.raw.split('%').collect();
        parts.pop();
        parts.into_iter().filter_map(|part| before(part).parse().ok()).collect()
    }

    /// Sequences that change colour or weight, without those that move the cursor.
    pub(crate) fn styles(&self) -> Vec<&str> {
        styles(&self.raw)
    }
}

/// Sequences in a text that change colour or weight.
pub(crate) fn styles(text: &str) -> Vec<&str> {
    let sequences = text.split("\u{1b}[").skip(1);
    sequences
        .filter_map(|rest| {
            let end = rest.find(|char: char| char.is_ascii_alphabetic())?;
            rest[end..].starts_with('m').then(|| &rest[..end])
        })
        .collect()
}
