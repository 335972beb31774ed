//! Recorded runs of the real AzCopy, for tests. `tests/data/azcopy/runs.txt` lists them: `NAME | EXIT | PLAN`, where a
//! negative exit is a signal, and the plan is files and bytes, or `own` for a remote source. The messages for the user
//! are in the snapshot of `error/transcripts.rs`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{AzCopyFailure, AzCopyOutcome, CompletedJob, Exit, Expectation, judge, parse_line};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/azcopy")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(directory().join(name)).unwrap_or_default()
}

/// All recorded runs with their verdicts.
#[must_use]
pub fn all() -> Vec<(String, Result<CompletedJob, AzCopyFailure>)> {
    let row = |row: &str| {
        let [name, exit, plan] = row.splitn(3, " | ").collect::<Vec<_>>()[..] else { panic!("{row}") };
        (name.to_owned(), verdict(name, exit, plan))
    };
    read("runs.txt").lines().map(row).collect()
}

fn verdict(name: &str, exit: &str, plan: &str) -> Result<CompletedJob, AzCopyFailure> {
    let mut outcome = AzCopyOutcome { elapsed: Duration::from_secs(2), ..AzCopyOutcome::default() };
    for line in read(&format!("{name}.ndjson")).lines() {
        outcome.message(parse_line(line));
    }
    for line in read(&format!("{name}.stderr")).lines() {
        outcome.stderr_line(line);
    }
    let code: i32 = exit.parse().expect("a number in runs.txt");
    outcome.exit = Some(if code < 0 { Exit::Signal(-code) } else { Exit::Code(code) });
    let expectation = match plan.split_once(' ') {
        Some((files, bytes)) => Expectation::Plan {
            files: files.parse().expect("a number in runs.txt"),
            bytes: bytes.parse().expect("a number in runs.txt"),
        },
        None => Expectation::OwnTotals,
    };
    judge(&outcome, expectation)
}

#[test]
fn each_recorded_run_has_a_row() {
    let names: Vec<String> = all().into_iter().map(|(name, _)| format!("{name}.ndjson")).collect();
    let mut recorded: Vec<String> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".ndjson"))
        .collect();
    recorded.sort_unstable();
    assert_eq!(recorded, names);
}

#[test]
fn a_success_that_differs_from_the_plan_fails() {
    let verdict = |exit, plan| match verdict("05-dir-star-capped", exit, plan) {
        Ok(finished) => format!("ok {} {}", finished.files, finished.bytes),
        Err(failure) => failure.to_string(),
    };
    for (plan, expected) in [
        ("7 204326600", "ok 7 204326600"),
        ("8 204326600", "azcopy copied 7 of 8 files"),
        ("6 204326600", "azcopy copied 7 of 6 files"),
        ("7 204326601", "azcopy copied 204326600 bytes instead of 204326601"),
        ("own", "ok 7 204326600"),
    ] {
        assert_eq!(verdict("0", plan), expected, "{plan}");
    }
    assert_eq!(verdict("-9", "own"), "azcopy was stopped by signal 9");
    assert_eq!(verdict("1", "own"), "azcopy ended with exit code 1 although it reports no failure");
}
