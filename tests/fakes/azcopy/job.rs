//! Job of one invocation, and the messages that it writes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::words::{answer, emit, numbers, put, seconds_of_day};
use super::{signals, var, words};

pub(super) struct Job {
    args: Vec<String>,
    pub(super) id: String,
    pub(super) last: Value,
    pub(super) failed: Vec<Value>,
    pub(super) asks_to_cancel: bool,
}

impl Job {
    pub(super) fn new(args: Vec<String>) -> Self {
        let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("clock").subsec_nanos();
        let id = format!("{:08x}-0000-4000-8000-{nanos:012x}", std::process::id());
        Self { args, id, last: Value::Null, failed: vec![], asks_to_cancel: false }
    }

    /// Records in the plan that this file was delivered.
    pub(super) fn deliver(&self, rest: &str) {
        let plan = self.log().with_file_name(format!("{}--00000.steV20", self.id));
        let mut plan = fs::OpenOptions::new().create(true).append(true).open(plan).expect("a plan");
        let source = &self.args[1];
        let path = match cfg!(windows) {
            true => format!(r"\\?\{source}\{}", rest.replace('/', r"\")),
            false => format!("{source}/{rest}"),
        };
        writeln!(plan, "{path}").expect("a plan");
    }

    pub(super) fn init(&self) {
        let log = self.log();
        fs::write(&log, "").expect("log");
        emit("Init", &json!({"LogFileLocation": log, "JobID": self.id, "IsCleanupJob": false}).to_string());
    }

    pub(super) fn log(&self) -> PathBuf {
        Path::new(&var("AZCOPY_LOG_LOCATION").unwrap_or_default()).join(format!("{}.log", self.id))
    }

    pub(super) fn progress(&mut self, status: &str, of: [u64; 5], network: &str) {
        let with_failed = numbers(status, of, network, &self.id, &std::mem::take(&mut self.failed));
        emit("Progress", &with_failed.to_string());
        self.last = numbers(status, of, network, &self.id, &[]);
    }

    pub(super) fn ask(&self, kind: &str, text: &str) {
        put(&json!({"TimeStamp": "2026-01-01T00:00:00Z", "MessageType": "Prompt", "MessageContent": text,
            "PromptDetails": {"PromptType": kind, "ResponseOptions": [
                {"ResponseType": "Yes", "UserFriendlyResponseType": "yes", "ResponseString": "y"},
                {"ResponseType": "No", "UserFriendlyResponseType": "no", "ResponseString": "n"}], "PromptTarget": ""}}));
    }

    /// Completes the job, with the counts of the list.
    pub(super) fn succeed(&mut self) {
        let list = self.value("--list-of-files").map(|list| fs::read_to_string(list).expect("list"));
        let source = Path::new(self.args.get(1).map_or("", String::as_str));
        let (files, bytes) = match &list {
            Some(list) => list
                .lines()
                .filter_map(|name| fs::metadata(source.join(name)).ok())
                .fold((0, 0), |(files, bytes), file| (files + 1, bytes + file.len())),
            None => (1, 11),
        };
        emit("Info", "INFO: Scanning...");
        self.init();
        self.progress("Completed", [bytes, bytes, files, files, 0], "0");
        emit("EndOfJob", &self.last.to_string());
    }

    pub(super) async fn replay(&mut self, words: &[&str]) {
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
    pub(super) async fn cancelled(&mut self) -> i32 {
        if self.asks_to_cancel {
            self.ask("Cancel", "The enumeration is not complete, cancelling means it cannot be resumed.");
            if answer().await != "y" {
                std::future::pending::<()>().await;
            }
        }
        self.end_cancelled().await
    }

    pub(super) async fn end_cancelled(&mut self) -> i32 {
        emit("Info", "INFO: Cancellation requested");
        emit("Info", "INFO: Cancellation requested. Beginning clean shutdown...");
        emit("Info", "INFO: Canceling job started");
        tokio::time::sleep(Duration::from_millis(30)).await;
        if self.last.is_null() {
            self.last = numbers("Cancelled", [0, 11, 0, 1, 0], "0", &self.id, &[]);
        }
        self.last["JobStatus"] = json!("Cancelled");
        emit("Progress", &self.last.to_string());
        emit("EndOfJob", &self.last.to_string());
        1
    }

    fn value(&self, name: &str) -> Option<String> {
        let at = self.args.iter().position(|arg| arg == name)?;
        self.args.get(at + 1).cloned()
    }

    pub(super) async fn record(&self) {
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
