//! Script that a test writes: its part for this invocation, and its steps.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use super::job::Job;
use super::words::{answer, emit, numbers};
use super::{signals, var};

/// This invocation's part of the script.
pub(super) fn steps_of_this_run() -> Vec<String> {
    let Some(path) = var("FAKE_AZCOPY_SCRIPT") else { return vec!["default".to_owned()] };
    let counter = format!("{path}.run");
    let run: usize = fs::read_to_string(&counter).ok().and_then(|text| text.parse().ok()).unwrap_or_default();
    fs::write(&counter, (run + 1).to_string()).expect("counter");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let lines: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    let parts: Vec<&[String]> = lines.split(|line| line == "next-run").collect();
    parts.get(run).or(parts.last()).expect("a script has a part").to_vec()
}

impl Job {
    pub(super) async fn follow(&mut self, script: &[String]) -> i32 {
        for line in script.iter().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            if let Some(code) = self.step(word, rest.trim_start()).await {
                return code;
            }
        }
        0
    }

    /// Runs one step; an exit code ends the program. Texts may contain `\n`.
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
                emit("Progress", &found.to_string());
            }
            // SOURCE CODE SIZE: sent with the next progress.
            "failed" => self.failed.push(json!({"Src": words[0], "Dst": "", "IsFolderProperties": false,
                "TransferStatus": "Failed", "TransferSize": number(2).unwrap_or(0), "ErrorCode": words[1]})),
            // STATUS DONE TOTAL FILES_DONE FILES_TOTAL FAILED
            "end" => {
                let numbers = [1, 2, 3, 4, 5].map(|at| number(at).unwrap_or_default());
                self.progress(words[0], numbers, "0");
                emit("EndOfJob", &self.last.to_string());
            }
            // BYTES: an EndOfJob (Completed, 1 file, 11 bytes) whose line is that long.
            "long-end" => {
                self.last = numbers("Completed", [11, 11, 1, 1, 0], "0", &self.id, &[]);
                self.last["Padding"] = json!("x".repeat(usize::try_from(number(0)?).expect("size")));
                emit("EndOfJob", &self.last.to_string());
            }
            "info" => emit("Info", &format!("INFO: {text}")),
            "error" => {
                emit("Error", &text);
                return Some(1);
            }
            // Prompts whether to cancel, and waits for the answer.
            "prompt-cancel" => {
                self.ask("Cancel", "The enumeration is not complete, cancelling means it cannot be resumed.");
                if answer().await == "y" {
                    return Some(self.end_cancelled().await);
                }
            }
            // Prompts about overwriting, and reports the answer.
            "prompt" => {
                self.ask("Overwrite", &text);
                emit("Info", &format!("INFO: answered {}", answer().await));
            }
            // From now on SIGINT prompts first, as with the real AzCopy during a scan.
            "scanning" => self.asks_to_cancel = true,
            "plain" => println!("{text}"),
            "stderr" => eprintln!("{text}"),
            // Endless, and ignores signals.
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
            // FILE: from now on each SIGINT adds a line to it.
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
}
