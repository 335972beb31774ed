//! Fake of AzCopy 10 that runs a script, so that tests can produce every failure.
//!
//! `--version` prints `azcopy version $FAKE_AZCOPY_VERSION` (10.32.2). Otherwise `FAKE_AZCOPY_SCRIPT` names a file with
//! one step per line (`script.rs` lists them all; `#` starts a comment); `next-run` separates the steps of further
//! invocations, which are counted in `SCRIPT.run`. Without a script the listed files are "copied" with success.
//! `FAKE_AZCOPY_RECORD` names a file that receives one JSON line per invocation. SIGINT and SIGTERM, on Windows Ctrl+C
//! and Ctrl+Break, stop the script as the real AzCopy cancels a job: three notices, Progress, `EndOfJob` Cancelled,
//! exit 1; after `scanning` it prompts first.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program of its own, for tests")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

#[path = "azcopy/job.rs"]
mod job;
#[path = "azcopy/script.rs"]
mod script;
#[path = "azcopy/signals.rs"]
mod signals;
#[path = "azcopy/words.rs"]
mod words;

use job::Job;
use words::emit;

fn main() {
    let args: Vec<String> = std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    if args.first().is_some_and(|arg| arg == "--version") {
        println!("azcopy version {}", var("FAKE_AZCOPY_VERSION").unwrap_or_else(|| "10.32.2".to_owned()));
        return;
    }
    if args.first().is_some_and(|arg| arg == "jobs") {
        if !show_delivered(&args) {
            emit("Error", "the plan file cannot be read");
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
        let script = script::steps_of_this_run();
        job.record().await;
        // The signal handler comes first: a step may never yield.
        tokio::select! {
            biased;
            () = signals::stop_requested() => {}
            code = job.follow(&script) => return code,
        }
        job.cancelled().await
    });
    std::process::exit(code);
}

/// `jobs show ID --with-status=Success`: prints the files of the step `delivered` of that job; false if its plan is
/// broken.
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
    emit("ListJobTransfers", &json!({"ErrorMsg": "", "JobID": args[2], "Details": details}).to_string());
    true
}

fn var(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
