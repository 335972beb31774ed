//! Fake of AzCopy 10 that follows a script, so that tests can produce every failure.
//!
//! `--version` answers `azcopy version $FAKE_AZCOPY_VERSION` (10.32.2). Otherwise `FAKE_AZCOPY_SCRIPT` names a file
//! with one step a line (`step` below has them all; `#` starts a comment); `next-run` separates the steps of further
//! invocations, which are counted in `SCRIPT.run`. Without a script the listed files are "copied" with success.
//! `FAKE_AZCOPY_RECORD` names a file that gets one JSON line per invocation. SIGINT and SIGTERM, on Windows Ctrl+C and
//! Ctrl+Break, end the script as the real one ends a job: three notices, Progress, `EndOfJob` Cancelled, exit 1; after
//! `scanning` it asks first.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program of its own, for tests")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

#[path = "azcopy/signals.rs"]
mod signals;
#[path = "azcopy/words.rs"]
mod words;

use words::{answer, numbers, put, say, seconds_of_day};

fn main() {
    let args: Vec<String> = std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    if args.first().is_some_and(|arg| arg == "--version") {
        println!("azcopy version {}", var("FAKE_AZCOPY_VERSION").unwrap_or_else(|| "10.32.2".to_owned()));
        return;
    }
    if args.first().is_some_and(|arg| arg == "jobs") {
        if !show_delivered(&args) {
            say("Error", "the plan file cannot be read");
            std::process::exit(1);
        }
        return;
    }
    // Child process of the step `spawn-child`.
    if args.first().is_some_and(|arg| arg == "sleep") {
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    words::listen();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let code = runtime.block_on(async {
        let mut job = Job::new(args);
        let script = script();
        job.record().await;
        // The signal handler comes first: a step may never yield.
        tokio::select! {
            biased;
            () = signals::asked_to_end() => {}
            code = job.follow(&script) => return code,
        }
        job.cancelled().await
    });
    std::process::exit(code);
}

/// `jobs show ID --with-status=Success`: what the step `delivered` of that job said; false where its plan is broken.
fn show_delivered(args: &[String]) -> bool {
    let plan = Path::new(&var("AZCOPY_JOB_PLAN_LOCATION").expect("a plan")).join(format!("{}--00000.steV20", args[2]));
    let plan = fs::read_to_string(plan).expect("a plan");
    if plan == "broken" {
        return false;
    }
    if let Some(pid) = plan.strip_prefix("hang ") {
        fs::write(pid, std::process::id().to_string()).expect("pid");
        loop {
            std::thread::park();
        }
    }
    let details: Vec<Value> = plan
        .lines()
        .map(|path| json!({"Src": path, "Dst": "", "TransferStatus": "Success", "TransferSize": 0, "ErrorCode": "0"}))
        .collect();
    say("ListJobTransfers", &json!({"ErrorMsg": "", "JobID": args[2], "Details": details}).to_string());
    true
}

fn var(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// This invocation's part of the script.
fn script() -> Vec<String> {
    let Some(path) = var("FAKE_AZCOPY_SCRIPT") else { return vec!["default".to_owned()] };
    let counter = format!("{path}.run");
    let run: usize = fs::read_to_string(&counter).ok().and_then(|text| text.parse().ok()).unwrap_or_default();
    fs::write(&counter, (run + 1).to_string()).expect("counter");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let lines: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    let parts: Vec<&[String]> = lines.split(|line| line == "next-run").collect();
    parts.get(run).or(parts.last()).expect("a script has a part").to_vec()
}

struct Job {
    args: Vec<String>,
    id: String,
    last: Value,
    failed: Vec<Value>,
    asks_to_cancel: bool,
}

impl Job {
    fn new(args: Vec<String>) -> Self {
        let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("clock").subsec_nanos();
        let id = format!("{:08x}-0000-4000-8000-{nanos:012x}", std::process::id());
        Self { args, id, last: Value::Null, failed: vec![], asks_to_cancel: false }
    }

    async fn follow(&mut self, script: &[String]) -> i32 {
        for line in script.iter().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            if let Some(code) = self.step(word, rest.trim_start()).await {
                return code;
            }
        }
        0
    }

    /// Writes into the plan that this file arrived whole.
    fn deliver(&self, rest: &str) {
        let plan = self.log().with_file_name(format!("{}--00000.steV20", self.id));
        let mut plan = fs::OpenOptions::new().create(true).append(true).open(plan).expect("a plan");
        let source = &self.args[1];
        let path = match cfg!(windows) {
            true => format!(r"\\?\{source}\{}", rest.replace('/', r"\")),
            false => format!("{source}/{rest}"),
        };
        writeln!(plan, "{path}").expect("a plan");
    }

    /// One step; a number ends the program. Texts may hold `\n`.
    async fn step(&mut self, word: &str, rest: &str) -> Option<i32> {
        let words: Vec<&str> = rest.split_whitespace().collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok());
        let text = rest.replace("\\n", "\n");
        match word {
            "default" => self.succeed(),
            // FILE [SPEED]: lines of a recorded run; with a speed, with their pauses, divided by it.
            "replay" => self.replay(&words).await,
            "init" => self.init(),
            // DONE TOTAL [FILES_DONE FILES_TOTAL] [NETWORK_ERROR_PERCENT]
            "progress" => {
                let files = (number(2).unwrap_or(0), number(3).unwrap_or(1));
                let network = words.get(4).or(words.get(2).filter(|_| words.len() == 3)).copied().unwrap_or("0");
                self.progress("InProgress", [number(0)?, number(1)?, files.0, files.1, 0], network);
            }
            // DONE TOTAL: progress while the source is still read, so that the total may grow.
            "found" => {
                let mut found = numbers("InProgress", [number(0)?, number(1)?, 0, 1, 0], "0", &self.id, &[]);
                found["CompleteJobOrdered"] = json!(false);
                say("Progress", &found.to_string());
            }
            // SOURCE CODE SIZE: goes out with the next progress.
            "failed" => self.failed.push(json!({"Src": words[0], "Dst": "", "IsFolderProperties": false,
                "TransferStatus": "Failed", "TransferSize": number(2).unwrap_or(0), "ErrorCode": words[1]})),
            // STATUS DONE TOTAL FILES_DONE FILES_TOTAL FAILED
            "end" => {
                let numbers = [1, 2, 3, 4, 5].map(|at| number(at).unwrap_or_default());
                self.progress(words[0], numbers, "0");
                say("EndOfJob", &self.last.to_string());
            }
            // BYTES: an EndOfJob (Completed, 1 file, 11 bytes) whose line is that long.
            "long-end" => {
                self.last = numbers("Completed", [11, 11, 1, 1, 0], "0", &self.id, &[]);
                self.last["Padding"] = json!("x".repeat(usize::try_from(number(0)?).expect("size")));
                say("EndOfJob", &self.last.to_string());
            }
            "info" => say("Info", &format!("INFO: {text}")),
            "error" => {
                say("Error", &text);
                return Some(1);
            }
            // Asks whether to cancel, and waits for the answer.
            "prompt-cancel" => {
                self.ask("Cancel", "The enumeration is not complete, cancelling means it cannot be resumed.");
                if answer().await == "y" {
                    return Some(self.end_cancelled().await);
                }
            }
            // Asks about overwriting, and says which answer came.
            "prompt" => {
                self.ask("Overwrite", &text);
                say("Info", &format!("INFO: answered {}", answer().await));
            }
            // From now on SIGINT asks first, as the real one does during a scan.
            "scanning" => self.asks_to_cancel = true,
            "plain" => println!("{text}"),
            "stderr" => eprintln!("{text}"),
            // Endless, and ignoring signals.
            "flood-stdout" => loop {
                println!("{}", "x".repeat(79));
            },
            "flood-stderr" => {
                for _ in 0..number(0)? / 80 {
                    eprintln!("{}", "x".repeat(79));
                }
            }
            "log" => {
                let mut file = fs::OpenOptions::new().create(true).append(true).open(self.log()).expect("log");
                writeln!(file, "{text}").expect("log");
            }
            "sleep" => tokio::time::sleep(Duration::from_secs_f64(rest.parse().expect("seconds"))).await,
            // FILE: from now on each SIGINT adds a line there.
            "count-signals" => signals::count(rest).await,
            "ignore-signals" => signals::IGNORED.store(true, Ordering::SeqCst),
            "wait-signal" => {
                let was = signals::IGNORED.swap(true, Ordering::SeqCst);
                signals::wait_signal().await;
                // The other listener has to receive the same signal first.
                tokio::time::sleep(Duration::from_millis(20)).await;
                signals::IGNORED.store(was, Ordering::SeqCst);
            }
            "hang" => std::future::pending().await,
            // FILE: waits until it exists.
            "wait-file" => {
                while !Path::new(rest).exists() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            // NAME: the plan marks this file of the list as delivered.
            "delivered" => self.deliver(rest),
            // From now on the upload's journal cannot be written.
            "block-journal" => {
                let upload = self.log().ancestors().nth(2).expect("the upload's directory").to_owned();
                fs::create_dir(upload.join("journal.next")).expect("a directory");
            }
            // TEXT: a plan with this content; `broken` makes one that cannot be shown, `hang FILE` one that is never
            // shown, with the process id of `jobs show` in FILE.
            "plan" => {
                let plan = self.log().with_file_name(format!("{}--00000.steV20", self.id));
                fs::write(plan, text).expect("a plan");
            }
            // FILE: writes the process id.
            "spawn-record" => fs::write(rest, std::process::id().to_string()).expect("pid"),
            // FILE: starts a process that holds the pipes for a minute, and writes its id.
            "spawn-child" => {
                let this = std::env::current_exe().expect("this program");
                let mut child = std::process::Command::new(this).arg("sleep").spawn().expect("a child");
                fs::write(rest, child.id().to_string()).expect("pid");
                std::thread::spawn(move || child.wait());
            }
            "exit" => return Some(rest.parse().expect("code")),
            "die-signal" => signals::die(rest.parse().expect("signal")),
            other => panic!("unknown step {other}"),
        }
        None
    }

    fn init(&self) {
        let log = self.log();
        fs::write(&log, "").expect("log");
        say("Init", &json!({"LogFileLocation": log, "JobID": self.id, "IsCleanupJob": false}).to_string());
    }

    fn log(&self) -> PathBuf {
        Path::new(&var("AZCOPY_LOG_LOCATION").unwrap_or_default()).join(format!("{}.log", self.id))
    }

    fn progress(&mut self, status: &str, of: [u64; 5], network: &str) {
        let with_failed = numbers(status, of, network, &self.id, &std::mem::take(&mut self.failed));
        say("Progress", &with_failed.to_string());
        self.last = numbers(status, of, network, &self.id, &[]);
    }

    fn ask(&self, kind: &str, text: &str) {
        put(&json!({"TimeStamp": "2026-01-01T00:00:00Z", "MessageType": "Prompt", "MessageContent": text,
            "PromptDetails": {"PromptType": kind, "ResponseOptions": [
                {"ResponseType": "Yes", "UserFriendlyResponseType": "yes", "ResponseString": "y"},
                {"ResponseType": "No", "UserFriendlyResponseType": "no", "ResponseString": "n"}], "PromptTarget": ""}}));
    }

    /// Success, with the numbers of the list.
    fn succeed(&mut self) {
        let list = self.value("--list-of-files").map(|list| fs::read_to_string(list).expect("list"));
        let source = Path::new(self.args.get(1).map_or("", String::as_str));
        let (files, bytes) = match &list {
            Some(list) => list
                .lines()
                .filter_map(|name| fs::metadata(source.join(name)).ok())
                .fold((0, 0), |(files, bytes), file| (files + 1, bytes + file.len())),
            None => (1, 11),
        };
        say("Info", "INFO: Scanning...");
        self.init();
        self.progress("Completed", [bytes, bytes, files, files, 0], "0");
        say("EndOfJob", &self.last.to_string());
    }

    async fn replay(&mut self, words: &[&str]) {
        let speed: Option<f64> = words.get(1).and_then(|word| word.parse().ok());
        let mut before = None;
        for line in fs::read_to_string(words[0]).expect("transcript").lines() {
            let Ok(mut message) = serde_json::from_str::<Value>(line) else {
                println!("{line}");
                continue;
            };
            let now = seconds_of_day(message["TimeStamp"].as_str().unwrap_or_default());
            if let (Some(speed), Some(before)) = (speed, before) {
                tokio::time::sleep(Duration::from_secs_f64(f64::max(now - before, 0.0) / speed)).await;
            }
            before = Some(now);
            let content = message["MessageContent"].as_str().unwrap_or_default();
            if let Ok(mut inner) = serde_json::from_str::<Value>(content) {
                if message["MessageType"] == "Init" {
                    self.id = inner["JobID"].as_str().unwrap_or_default().to_owned();
                    inner["LogFileLocation"] = json!(self.log());
                    fs::write(self.log(), "").expect("log");
                    message["MessageContent"] = json!(inner.to_string());
                } else {
                    self.last = inner;
                }
            }
            put(&message);
        }
    }

    /// Reacts to a signal.
    async fn cancelled(&mut self) -> i32 {
        if self.asks_to_cancel {
            self.ask("Cancel", "The enumeration is not complete, cancelling means it cannot be resumed.");
            if answer().await != "y" {
                std::future::pending::<()>().await;
            }
        }
        self.end_cancelled().await
    }

    async fn end_cancelled(&mut self) -> i32 {
        say("Info", "INFO: Cancellation requested");
        say("Info", "INFO: Cancellation requested. Beginning clean shutdown...");
        say("Info", "INFO: Canceling job started");
        tokio::time::sleep(Duration::from_millis(30)).await;
        if self.last.is_null() {
            self.last = numbers("Cancelled", [0, 11, 0, 1, 0], "0", &self.id, &[]);
        }
        self.last["JobStatus"] = json!("Cancelled");
        say("Progress", &self.last.to_string());
        say("EndOfJob", &self.last.to_string());
        1
    }

    fn value(&self, name: &str) -> Option<String> {
        let at = self.args.iter().position(|arg| arg == name)?;
        self.args.get(at + 1).cloned()
    }

    async fn record(&self) {
        let Some(path) = var("FAKE_AZCOPY_RECORD") else { return };
        // A closed standard input is detected immediately.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut names: Vec<String> = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        let shown = |name: &&String| name.starts_with("AZCOPY_") || *name == "HOME";
        let values: serde_json::Map<_, _> =
            names.iter().filter(shown).map(|name| (name.clone(), json!(var(name)))).collect();
        let line = json!({
            "argv": self.args, "pid": std::process::id(), "cwd": std::env::current_dir().ok(),
            "env": names, "values": values, "environ": fs::read("/proc/self/environ").ok().map(|all| String::from_utf8_lossy(&all).into_owned()),
            "stdin": {"pipe": signals::stdin_is_pipe(), "open": words::stdin_is_open()},
            "list": self.value("--list-of-files").and_then(|list| fs::read_to_string(list).ok()),
        });
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).expect("record");
        writeln!(file, "{line}").expect("record");
    }
}
