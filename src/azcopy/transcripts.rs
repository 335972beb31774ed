//! Every recorded run of the real AzCopy against the verdict: `tests/data/azcopy/verdicts.txt` is the table.
//! Its lines are `NAME | EXIT | PLAN | VERDICT`, where a negative exit is a signal.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Exit, Expectation, Outcome, judge, parse_line};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/azcopy")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(directory().join(name)).unwrap_or_default()
}

fn verdict(name: &str, exit: &str, plan: &str) -> String {
    let mut outcome = Outcome { elapsed: Duration::from_secs(2), ..Outcome::default() };
    for line in read(&format!("{name}.ndjson")).lines() {
        outcome.message(parse_line(line));
    }
    for line in read(&format!("{name}.stderr")).lines() {
        outcome.stderr_line(line);
    }
    let code: i32 = exit.parse().unwrap();
    outcome.exit = Some(if code < 0 { Exit::Signal(-code) } else { Exit::Code(code) });
    let expectation = match plan.split_once(' ') {
        Some((files, bytes)) => Expectation::Plan { files: files.parse().unwrap(), bytes: bytes.parse().unwrap() },
        None => Expectation::OwnTotals,
    };
    match judge(&outcome, expectation) {
        Ok(finished) => format!("ok {} {}", finished.files, finished.bytes),
        Err(failure) => {
            let kind = format!("{failure:?}");
            format!("{}: {failure}", kind.split([' ', '{']).next().unwrap_or_default())
        }
    }
}

#[test]
fn every_recorded_run_gets_its_verdict() {
    let mut names = Vec::new();
    for row in read("verdicts.txt").lines() {
        let [name, exit, plan, expected] = row.splitn(4, " | ").collect::<Vec<_>>()[..] else { panic!("{row}") };
        assert_eq!(verdict(name, exit, plan), expected, "{name}");
        names.push(format!("{name}.ndjson"));
    }
    let mut recorded: Vec<String> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".ndjson"))
        .collect();
    recorded.sort_unstable();
    names.sort_unstable();
    assert_eq!(recorded, names, "each recorded run has a row");
}

#[test]
fn a_success_with_other_numbers_than_the_plan_is_none() {
    for (plan, verdict_start) in [
        ("7 204326600", "ok 7 "),
        ("8 204326600", "CountMismatch: azcopy copied 7 of 8 files"),
        ("6 204326600", "CountMismatch: azcopy copied 7 of 6 files"),
        ("7 204326601", "SizeMismatch: azcopy copied 204326600 bytes instead of 204326601"),
        ("own", "ok 7 "),
    ] {
        assert!(verdict("05-dir-star-capped", "0", plan).starts_with(verdict_start), "{plan}");
    }
    assert_eq!(verdict("05-dir-star-capped", "-9", "own"), "Killed: azcopy was ended by signal 9");
    assert_eq!(
        verdict("05-dir-star-capped", "1", "own"),
        "ExitCode: azcopy ended with exit code 1 although it reports no failure"
    );
}
