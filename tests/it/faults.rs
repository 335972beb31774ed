//! The fault matrix: every request of every command with every fault, once and always. No run may panic, exceed the
//! limits, or report a success that did not happen. The gate runs a part; `ci/faults.sh` runs all and writes
//! `design/faults.md`.
#![cfg(unix)]

mod commands;
mod fixture;
mod kinds;
mod outcome;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::panic::AssertUnwindSafe;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use commands::{COMMANDS, Command};
use fixture::Fixture;
use kinds::{Kind, kinds};

use crate::support::Rule;

/// A run that takes longer hangs. The longest wait under the scaled limits is a third of it.
const LIMIT: Duration = Duration::from_secs(40);

/// Every operation of an upload on a blob store.
const BLOB_OPERATIONS: [&str; 6] = [
    "GET container?restype=container&comp=list",
    "GET container/blob?comp=blocklist",
    "PUT container/blob?",
    "PUT container/blob?comp=block",
    "PUT container/blob?comp=blocklist",
    "DELETE container/blob?",
];

struct Case {
    command: &'static Command,
    route: String,
    kind: usize,
    always: bool,
}

/// Result of one case.
struct Verdict {
    code: Option<i32>,
    duration: Duration,
    /// Number of requests that met the fault.
    met: usize,
    /// Description of the violation.
    fault: Option<String>,
}

/// All cases, always in the same order.
fn cases(kinds: &[Kind]) -> Vec<Case> {
    let mut cases = Vec::new();
    for command in COMMANDS {
        let fixture = (command.fixture)(None);
        let verdict = run(command, &fixture);
        assert_eq!((verdict.code, &verdict.fault), (Some(0), &None), "{} without a fault", command.name);
        let mut routes = fixture.routes();
        routes.sort();
        routes.dedup();
        for route in routes {
            for kind in 0..kinds.len() {
                for always in [false, true] {
                    cases.push(Case { command, route: route.clone(), kind, always });
                }
            }
        }
    }
    cases
}

fn run(command: &Command, fixture: &Fixture) -> Verdict {
    let started = Instant::now();
    let mut program = fixture.env.command(&[command.args, &["-o", "json"]].concat());
    let child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let pid = child.id();
    let (done, ended) = std::sync::mpsc::channel::<()>();
    let guard = std::thread::spawn(move || {
        let hangs = ended.recv_timeout(LIMIT).is_err();
        if hangs {
            crate::support::send(pid, rustix::process::Signal::KILL);
        }
        hangs
    });
    let output = child.wait_with_output().expect("the program ends");
    done.send(()).unwrap_or_default();
    let hangs = guard.join().expect("the guard");
    let (code, duration) = (output.status.code(), started.elapsed());
    let stderr = String::from_utf8_lossy(&output.stderr);
    let fault = if hangs {
        Some(format!("hangs: {stderr}"))
    } else if stderr.contains("panicked at") || code == Some(101) {
        Some(format!("panics: {stderr}"))
    } else if code == Some(0) {
        (command.check)(fixture, &output.stdout).err().map(|why| format!("false success: {why}"))
    } else if !matches!(code, Some(1..=9)) {
        Some(format!("ends with {code:?}: {stderr}"))
    } else if !stderr.lines().last().is_some_and(|line| line.starts_with(r#"{"error":{"#)) {
        Some(format!("fails without an error: {stderr}"))
    } else {
        None
    };
    Verdict { code, duration, met: 0, fault }
}

fn run_case(kinds: &[Kind], case: &Case) -> Verdict {
    let rule = Rule { route: case.route.clone(), fault: kinds[case.kind].fault.clone(), always: case.always };
    let verdict = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let fixture = (case.command.fixture)(Some(rule));
        let mut verdict = run(case.command, &fixture);
        verdict.met = fixture.injected();
        if verdict.met == 0 {
            verdict.fault.get_or_insert_with(|| "the fault was never met".to_owned());
        }
        verdict
    }));
    verdict.unwrap_or_else(|_| Verdict {
        code: None,
        duration: Duration::ZERO,
        met: 0,
        fault: Some("the test itself failed".into()),
    })
}

/// Runs all cases, a few concurrently: a run mostly waits.
fn run_cases(kinds: &[Kind], cases: &[Case]) -> Vec<Verdict> {
    let next = AtomicUsize::new(0);
    let verdicts: Vec<Mutex<Option<Verdict>>> = cases.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(index) else { return };
                    *verdicts[index].lock().expect("a verdict") = Some(run_case(kinds, case));
                }
            });
        }
    });
    verdicts.into_iter().map(|verdict| verdict.into_inner().expect("a verdict").expect("a finished case")).collect()
}

fn violations(kinds: &[Kind], cases: &[Case], verdicts: &[Verdict]) -> String {
    let mut text = String::new();
    for (case, verdict) in cases.iter().zip(verdicts) {
        if let Some(fault) = &verdict.fault {
            let frequency = if case.always { "always" } else { "once" };
            let fault: String = fault.chars().take(600).collect();
            writeln!(text, "{} | {} | {} {frequency} | {fault}", case.command.name, case.route, kinds[case.kind].name)
                .expect("a line");
        }
    }
    text
}

#[test]
fn selected_cases_pass() {
    let kinds = kinds();
    let mut cases = cases(&kinds);
    // With a prime step, the selection includes every command and every kind across the routes.
    cases = cases.into_iter().enumerate().filter(|(index, _)| index % 59 == 0).map(|(_, case)| case).collect();
    let verdicts = run_cases(&kinds, &cases);
    assert!(cases.len() > 100, "{}", cases.len());
    assert_eq!(violations(&kinds, &cases, &verdicts), "");
}

#[test]
#[ignore = "takes a quarter of an hour: ci/faults.sh"]
#[expect(clippy::print_stderr, reason = "the figures, for who runs the script")]
fn all_cases_pass() {
    let kinds = kinds();
    let mut cases = cases(&kinds);
    let is_blob_side = std::env::var("FAULTS_SIDE").is_ok_and(|side| side == "blob");
    let command = std::env::var("FAULTS_COMMAND").ok();
    if let Some(start) = &command {
        cases.retain(|case| case.command.name.starts_with(start.as_str()));
    }
    if is_blob_side {
        cases.retain(|case| case.route.contains(" container"));
        for operation in BLOB_OPERATIONS {
            assert!(cases.iter().any(|case| case.route == operation), "no run of {operation}");
        }
    }
    let started = Instant::now();
    let verdicts = run_cases(&kinds, &cases);
    let duration = started.elapsed();
    if let Ok(file) = std::env::var("FAULTS_TABLE") {
        std::fs::write(file, table(&kinds, &cases, &verdicts)).expect("the table");
    }
    let violations = violations(&kinds, &cases, &verdicts);
    eprintln!("{} cases in {} s, {} complaints", cases.len(), duration.as_secs(), violations.lines().count());
    let minimum = match command {
        Some(_) => 100,
        None if is_blob_side => 1000,
        None => 2000,
    };
    assert!(kinds.len() >= 66 && cases.len() >= minimum, "{} kinds, {} cases", kinds.len(), cases.len());
    assert_eq!(violations, "");
}

fn table(kinds: &[Kind], cases: &[Case], verdicts: &[Verdict]) -> String {
    let mut rows: BTreeMap<(usize, &str), Vec<&Verdict>> = BTreeMap::new();
    for (case, verdict) in cases.iter().zip(verdicts) {
        let command = COMMANDS.iter().position(|one| std::ptr::eq(one, case.command)).expect("a command");
        rows.entry((command, &case.route)).or_default().push(verdict);
    }
    let count = |of: &[&Verdict], is_so: &dyn Fn(&Verdict) -> bool| of.iter().filter(|one| is_so(one)).count();
    let all: Vec<&Verdict> = verdicts.iter().collect();
    let begins =
        |word: &'static str| move |one: &Verdict| one.fault.as_ref().is_some_and(|fault| fault.starts_with(word));
    let mut text = format!(
        "# Faults\n\nWritten by `ci/faults.sh`. Each request of each command meets {} faults, once and always: {} runs of the \
         program.\n\n{} panics, {} false successes, {} hangs (over {} s), {} other complaints.\n\nA run that succeeded did what it says: the model \
         is registered with the bytes that were sent, changed, gone, or shown as it is.\n\n\
         | command | request | runs | requests met | succeeded | failed, by exit code | slowest |\n|---|---|---|---|---|---|---|\n",
        kinds.len(),
        cases.len(),
        count(&all, &begins("panics")),
        count(&all, &begins("false success")),
        count(&all, &begins("hangs")),
        LIMIT.as_secs(),
        count(&all, &|one| {
            one.fault.is_some() && !["panics", "false success", "hangs"].iter().any(|word| begins(word)(one))
        }),
    );
    for ((command, route), verdicts) in rows {
        let mut codes = BTreeMap::new();
        for code in verdicts.iter().filter_map(|verdict| verdict.code).filter(|code| *code != 0) {
            *codes.entry(code).or_insert(0) += 1;
        }
        let codes: Vec<_> = codes.iter().map(|(code, times)| format!("{code}: {times}")).collect();
        let slowest = verdicts.iter().map(|verdict| verdict.duration).max().unwrap_or_default();
        writeln!(
            text,
            "| `{}` | `{route}` | {} | {} | {} | {} | {:.0} s |",
            COMMANDS[command].name,
            verdicts.len(),
            verdicts.iter().map(|one| one.met).sum::<usize>(),
            count(&verdicts, &|one| one.code == Some(0)),
            codes.join(", "),
            slowest.as_secs_f64().ceil(),
        )
        .expect("a row");
    }
    let names: Vec<_> = kinds.iter().map(|kind| kind.name.clone()).collect();
    write!(text, "\nThe faults: {}.\n", names.join(", ")).expect("the faults");
    text
}
