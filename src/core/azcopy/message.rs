//! Output of AzCopy with `--output-type json`, one line at a time. Pure.
//!
//! Nothing here is an error: an unknown line is [`Message::Other`]. All text is sanitized.

use std::path::PathBuf;

use serde_json::Value;

use super::text;

/// One line of AzCopy's standard output.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Start of a job with its id; sent once the destination has responded.
    Init(Init),
    /// Progress, every two seconds.
    Progress(Summary),
    /// End of a job; without numbers after a dry run.
    EndOfJob(Option<Summary>),
    /// A notice, without its prefix `INFO: `.
    Info(String),
    /// AzCopy ends with an error; no [`Message::EndOfJob`] follows.
    Error(String),
    /// A question; AzCopy waits for the answer on standard input.
    Prompt {
        /// The question.
        text: String,
        /// Subject of the question.
        kind: PromptKind,
    },
    /// Anything else, such as text that is not JSON.
    Other(String),
}

/// Job id and log file of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Init {
    /// A UUID.
    pub job_id: String,
    /// The job's log file.
    pub log: PathBuf,
}

/// Subject of a question of AzCopy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptKind {
    /// Question whether to cancel although the scan is not finished.
    Cancel,
    /// Anything else, such as overwriting or deleting.
    Other,
}

/// `JobStatus` of AzCopy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobStatus {
    /// Running.
    InProgress,
    /// Every file was uploaded.
    Completed,
    /// Some files were uploaded.
    CompletedWithErrors,
    /// Some files already existed.
    CompletedWithSkipped,
    /// Ended by a signal, or by a 403.
    Cancelled,
    /// No file was uploaded.
    Failed,
    /// A status that appears in no recorded run.
    Unknown(String),
}

/// A file that was not uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedTransfer {
    /// Path or URL of the source.
    pub source: String,
    /// Size in bytes.
    pub size: u64,
    /// HTTP status; 0 when the reason is local or unknown.
    pub code: u16,
    /// Reason from AzCopy's log, if it was found there.
    pub reason: Option<String>,
}

/// Numbers of a job, in files and bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// State of the job.
    pub status: JobStatus,
    /// True once the source is scanned, so that the totals are final.
    pub scanned: bool,
    /// Files found so far.
    pub total: u64,
    /// Uploaded files.
    pub completed: u64,
    /// Failed files.
    pub failed: u64,
    /// Files that already existed.
    pub skipped: u64,
    /// Bytes read for sending, retries included: may exceed the total.
    pub bytes_over_wire: u64,
    /// Uploaded bytes.
    pub bytes_transferred: u64,
    /// Bytes found so far.
    pub bytes_expected: u64,
    /// Share of requests that failed on the network.
    pub network_error_percent: f64,
    /// Failed files that no earlier line contained.
    pub failed_transfers: Vec<FailedTransfer>,
}

/// Parses one line. Every input yields a message.
#[must_use]
pub fn parse_line(line: &str) -> Message {
    let Ok(envelope) = serde_json::from_str::<Value>(line) else { return Message::Other(text::sanitized(line)) };
    let content = envelope["MessageContent"].as_str().unwrap_or_default();
    match envelope["MessageType"].as_str() {
        Some("Init") => match serde_json::from_str::<Value>(content) {
            Ok(init) => Message::Init(Init {
                job_id: text::sanitized(init["JobID"].as_str().unwrap_or_default()),
                log: PathBuf::from(text::sanitized(init["LogFileLocation"].as_str().unwrap_or_default())),
            }),
            Err(_) => Message::Other(text::sanitized(line)),
        },
        Some("Progress") => summary(content).map_or_else(|| Message::Other(text::sanitized(line)), Message::Progress),
        Some("EndOfJob") => Message::EndOfJob(summary(content)),
        Some("Info") => Message::Info(text::sanitized(content.strip_prefix("INFO: ").unwrap_or(content))),
        Some("Error") => Message::Error(text::sanitized(content)),
        Some("Prompt") => Message::Prompt {
            text: text::sanitized(content),
            kind: match envelope["PromptDetails"]["PromptType"].as_str() {
                Some("Cancel") => PromptKind::Cancel,
                _ => PromptKind::Other,
            },
        },
        _ => Message::Other(text::sanitized(line)),
    }
}

/// Reads a summary; `None` without a status: `jobs list` and others end with an `EndOfJob` of another shape.
fn summary(content: &str) -> Option<Summary> {
    let value: Value = serde_json::from_str(content).ok()?;
    let status = JobStatus::from_word(value["JobStatus"].as_str()?);
    Some(Summary {
        status,
        scanned: value["CompleteJobOrdered"].as_bool().unwrap_or(false),
        total: integer(&value["TotalTransfers"]),
        completed: integer(&value["TransfersCompleted"]),
        failed: integer(&value["TransfersFailed"]),
        skipped: integer(&value["TransfersSkipped"]),
        bytes_over_wire: integer(&value["BytesOverWire"]),
        bytes_transferred: integer(&value["TotalBytesTransferred"]),
        bytes_expected: integer(&value["TotalBytesExpected"]),
        network_error_percent: decimal(&value["NetworkErrorPercentage"]),
        failed_transfers: value["FailedTransfers"].as_array().map_or_else(Vec::new, |list| {
            list.iter()
                .map(|one| FailedTransfer {
                    source: text::sanitized(one["Src"].as_str().unwrap_or_default()),
                    size: integer(&one["TransferSize"]),
                    code: u16::try_from(integer(&one["ErrorCode"])).unwrap_or_default(),
                    reason: None,
                })
                .collect()
        }),
    })
}

/// 10.32 writes numbers as strings, other versions as numbers.
fn integer(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.parse().unwrap_or_default(),
        other => other.as_u64().unwrap_or_default(),
    }
}

fn decimal(value: &Value) -> f64 {
    let number = match value {
        Value::String(text) => text.parse().unwrap_or_default(),
        other => other.as_f64().unwrap_or_default(),
    };
    if f64::is_finite(number) { number } else { 0.0 }
}

impl JobStatus {
    fn from_word(word: &str) -> Self {
        match word {
            "InProgress" => Self::InProgress,
            "Completed" => Self::Completed,
            "CompletedWithErrors" | "CompletedWithErrorsAndSkipped" => Self::CompletedWithErrors,
            "CompletedWithSkipped" => Self::CompletedWithSkipped,
            "Cancelled" | "Cancelling" => Self::Cancelled,
            "Failed" => Self::Failed,
            other => Self::Unknown(text::sanitized(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn line(kind: &str, content: &str) -> String {
        json!({"MessageType": kind, "MessageContent": content, "PromptDetails": {"PromptType": ""}}).to_string()
    }

    #[test]
    fn numbers_may_be_strings_or_numbers_and_lists_may_be_null() {
        let strings = json!({"JobStatus": "Completed", "TotalTransfers": "7", "NetworkErrorPercentage": "1.5",
            "FailedTransfers": null, "New": {"a": 1}})
        .to_string();
        let numbers = json!({"JobStatus": "Completed", "TotalTransfers": 7, "NetworkErrorPercentage": 1.5,
            "FailedTransfers": []})
        .to_string();
        let parsed = parse_line(&line("Progress", &strings));
        assert_eq!(parsed, parse_line(&line("Progress", &numbers)));
        let Message::Progress(summary) = parsed else { panic!("{parsed:?}") };
        assert_eq!((summary.total, summary.network_error_percent), (7, 1.5));
    }

    #[test]
    fn a_failed_transfer_keeps_its_code_and_no_secret() {
        let content = json!({"JobStatus": "Failed", "FailedTransfers": [
            {"Src": "https://h/c/f?sig=CANARY", "TransferSize": 5, "ErrorCode": "403"}, {"ErrorCode": 7}, "odd"]});
        let Message::EndOfJob(Some(summary)) = parse_line(&line("EndOfJob", &content.to_string())) else {
            panic!("no summary")
        };
        assert_eq!(summary.failed_transfers.len(), 3);
        assert_eq!(summary.failed_transfers[0].source, "https://h/c/f?***");
        assert_eq!((summary.failed_transfers[0].size, summary.failed_transfers[0].code), (5, 403));
    }

    #[test]
    fn unknown_lines_are_kept_as_text() {
        for (given, expected) in [
            ("unknown flag: --x".to_owned(), Message::Other("unknown flag: --x".into())),
            ("[1]".to_owned(), Message::Other("[1]".into())),
            (line("EndOfJob", ""), Message::EndOfJob(None)),
            (line("EndOfJob", r#"{"JobIDDetails":[]}"#), Message::EndOfJob(None)),
            (line("Info", "INFO: Scanning..."), Message::Info("Scanning...".into())),
            (line("Error", "no https://h?sig=CANARY"), Message::Error("no https://h?***".into())),
        ] {
            assert_eq!(parse_line(&given), expected, "{given}");
        }
        assert!(matches!(parse_line(&line("Progress", "no JSON")), Message::Other(_)));
        assert!(matches!(parse_line(&line("Dryrun", "{}")), Message::Other(_)));
    }

    #[test]
    fn only_the_cancel_prompt_is_recognized() {
        for (word, kind) in [("Cancel", PromptKind::Cancel), ("Overwrite", PromptKind::Other), ("", PromptKind::Other)]
        {
            let given =
                json!({"MessageType": "Prompt", "MessageContent": "sure?", "PromptDetails": {"PromptType": word}});
            assert_eq!(parse_line(&given.to_string()), Message::Prompt { text: "sure?".into(), kind });
        }
    }

    proptest! {
        #[test]
        fn no_line_causes_a_panic(text in "\\PC{0,80}") {
            drop(parse_line(&text));
        }

        #[test]
        fn no_content_causes_a_panic(kind in "Init|Progress|EndOfJob|Info|Error|Prompt", content in "\\PC{0,80}",
            value in prop_oneof![Just(json!(-1)), Just(json!("1e400")), Just(json!([])), Just(json!({})), Just(json!(u64::MAX))]) {
            drop(parse_line(&line(&kind, &content)));
            let odd = json!({"JobStatus": "Failed", "TotalTransfers": value, "NetworkErrorPercentage": value,
                "FailedTransfers": [value], "CompleteJobOrdered": value});
            drop(parse_line(&line(&kind, &odd.to_string())));
        }
    }

    #[test]
    fn line_survives_mutation() {
        let line = r#"{"TimeStamp":"t","MessageType":"Progress","MessageContent":"{\"ErrorMsg\":\"\",\"TotalBytesTransferred\":\"1\",\"JobStatus\":\"InProgress\",\"FailedTransfers\":[{\"Src\":\"a\",\"ErrorCode\":403}]}","PromptDetails":{"PromptType":""}}"#;
        let end = line.replace("Progress\",\"MessageC", "EndOfJob\",\"MessageC");
        crate::fuzz::fuzz("azcopy-line", &[line.as_bytes(), end.as_bytes(), b"INFO: text"], |input| {
            let message = parse_line(&String::from_utf8_lossy(input));
            assert!(!format!("{message:?}").is_empty());
        });
    }
}
