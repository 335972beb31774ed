//! The fault matrix: every request of every command with every fault, transient and permanent. No run may panic, exceed
//! the limits, or report a success that did not happen. The gate runs a part; `ci/faults.sh` runs all and writes
//! `design/faults.md`.
#![cfg(unix)]

mod commands;
mod kinds;
mod outcome;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::panic::AssertUnwindSafe;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use commands::{COMMANDS, Command};
use kinds::{Kind, kinds};
use world::World;

use crate::support::Rule;

/// A run that takes longer hangs. The longest wait that the scaled limits allow is a third of it.
const LIMIT: Duration = Duration::from_secs(40);

/// Every operation that an upload asks of a blob store.
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
    took: Duration,
    /// Requests that met the fault.
    met: usize,
    /// Violation, in words.
    fault: Option<String>,
}

/// Every case, in an order that is the same each time.
fn cases(kinds: &[Kind]) -> Vec<Case> {
    let mut cases = Vec::new();
    for command in COMMANDS {
        let world = (command.world)(None);
        let verdict = run(command, &world);
        assert_eq!((verdict.code, &verdict.fault), (Some(0), &None), "{} without a fault", command.name);
        let mut routes = world.routes();
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

fn run(command: &Command, world: &World) -> Verdict {
    let begun = Instant::now();
    let mut program = world.env.command(&[command.args, &["-o", "json"]].concat());
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
    let (code, took) = (output.status.code(), begun.elapsed());
    let stderr = String::from_utf8_lossy(&output.stderr);
    let fault = if hangs {
        Some(format!("hangs: {stderr}"))
    } else if stderr.contains("panicked at") || code == Some(101) {
        Some(format!("panics: {stderr}"))
    } else if code == Some(0) {
        (command.happened)(world, &output.stdout).err().map(|why| format!("false success: {why}"))
    } else if !matches!(code, Some(1..=9)) {
        Some(format!("ends with {code:?}: {stderr}"))
    } else if !stderr.lines().last().is_some_and(|line| line.starts_with(r#"{"error":{"#)) {
        Some(format!("fails without an error: {stderr}"))
    } else {
        None
    };
    Verdict { code, took, met: 0, fault }
}

fn judge(kinds: &[Kind], case: &Case) -> Verdict {
    let rule = Rule { route: case.route.clone(), spoil: kinds[case.kind].spoil.clone(), always: case.always };
    let judged = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let world = (case.command.world)(Some(rule));
        let mut verdict = run(case.command, &world);
        verdict.met = world.spoiled();
        if verdict.met == 0 {
            verdict.fault.get_or_insert_with(|| "the fault was never met".to_owned());
        }
        verdict
    }));
    judged.unwrap_or_else(|_| Verdict {
        code: None,
        took: Duration::ZERO,
        met: 0,
        fault: Some("the test itself failed".into()),
    })
}

/// Judges all cases, some at a time: most of a run is waiting.
fn judge_all(kinds: &[Kind], cases: &[Case]) -> Vec<Verdict> {
    let next = AtomicUsize::new(0);
    let verdicts: Vec<Mutex<Option<Verdict>>> = cases.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(index) else { return };
                    *verdicts[index].lock().expect("a verdict") = Some(judge(kinds, case));
                }
            });
        }
    });
    verdicts.into_iter().map(|verdict| verdict.into_inner().expect("a verdict").expect("judged")).collect()
}

fn complaints(kinds: &[Kind], cases: &[Case], verdicts: &[Verdict]) -> String {
    let mut text = String::new();
    for (case, verdict) in cases.iter().zip(verdicts) {
        if let Some(fault) = &verdict.fault {
            let often = if case.always { "always" } else { "once" };
            let fault: String = fault.chars().take(600).collect();
            writeln!(text, "{} | {} | {} {often} | {fault}", case.command.name, case.route, kinds[case.kind].name)
                .expect("a line");
        }
    }
    text
}

#[test]
fn a_part_of_the_matrix_holds() {
    let kinds = kinds();
    let mut cases = cases(&kinds);
    // A prime step meets every command and every kind over the routes.
    cases = cases.into_iter().enumerate().filter(|(index, _)| index % 59 == 0).map(|(_, case)| case).collect();
    let verdicts = judge_all(&kinds, &cases);
    assert!(cases.len() > 100, "{}", cases.len());
    assert_eq!(complaints(&kinds, &cases, &verdicts), "");
}

#[test]
#[ignore = "takes a quarter of an hour: ci/faults.sh"]
#[expect(clippy::print_stderr, reason = "the figures, for who runs the script")]
fn the_whole_matrix_holds() {
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
    let begun = Instant::now();
    let verdicts = judge_all(&kinds, &cases);
    let took = begun.elapsed();
    if let Ok(file) = std::env::var("FAULTS_TABLE") {
        std::fs::write(file, table(&kinds, &cases, &verdicts)).expect("the table");
    }
    let complaints = complaints(&kinds, &cases, &verdicts);
    eprintln!("{} cases in {} s, {} complaints", cases.len(), took.as_secs(), complaints.lines().count());
    let least = match command {
        Some(_) => 100,
        None if is_blob_side => 1000,
        None => 2000,
    };
    assert!(kinds.len() >= 66 && cases.len() >= least, "{} kinds, {} cases", kinds.len(), cases.len());
    assert_eq!(complaints, "");
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
        let slowest = verdicts.iter().map(|verdict| verdict.took).max().unwrap_or_default();
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
