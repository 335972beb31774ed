//! Output of AzCopy, as JSON lines with numbers as strings, and its input.

use std::io::BufRead;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

static ANSWERS: Mutex<Vec<String>> = Mutex::new(Vec::new());
static STDIN_ENDED: AtomicBool = AtomicBool::new(false);

/// Reads standard input from now on.
pub(super) fn listen() {
    std::thread::spawn(|| {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            ANSWERS.lock().expect("answers").push(line);
        }
        STDIN_ENDED.store(true, Ordering::SeqCst);
    });
}

pub(super) fn stdin_is_open() -> bool {
    !STDIN_ENDED.load(Ordering::SeqCst)
}

pub(super) fn numbers(
    status: &str,
    [done, total, files, all, failed]: [u64; 5],
    network: &str,
    id: &str,
    list: &[Value],
) -> Value {
    let text = |number: u64| number.to_string();
    json!({"ErrorMsg": "", "JobID": id, "ActiveConnections": "0", "CompleteJobOrdered": true, "JobStatus": status,
        "TotalTransfers": text(all), "FileTransfers": text(all), "TransfersCompleted": text(files),
        "TransfersFailed": text(failed), "TransfersSkipped": "0", "BytesOverWire": text(done),
        "TotalBytesTransferred": text(done), "TotalBytesEnumerated": text(total), "TotalBytesExpected": text(total),
        "PercentComplete": "0", "NetworkErrorPercentage": network, "FailedTransfers": list, "SkippedTransfers": null,
        "PerfConstraint": 0, "PerformanceAdvice": [], "IsCleanupJob": false})
}

pub(super) fn emit(kind: &str, content: &str) {
    put(&json!({"TimeStamp": "2026-01-01T00:00:00Z", "MessageType": kind, "MessageContent": content,
        "PromptDetails": {"PromptType": "", "ResponseOptions": null, "PromptTarget": ""}}));
}

pub(super) fn put(message: &Value) {
    println!("{message}");
}

pub(super) fn seconds_of_day(stamp: &str) -> f64 {
    let time = stamp.split_once('T').map_or("", |(_, time)| time).trim_end_matches('Z');
    time.split(':').fold(0.0, |sum, part| sum * 60.0 + part.parse::<f64>().unwrap_or_default())
}

/// Next line of standard input; pending until there is one.
pub(super) async fn answer() -> String {
    loop {
        {
            let mut answers = ANSWERS.lock().expect("answers");
            if !answers.is_empty() {
                return answers.remove(0);
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
