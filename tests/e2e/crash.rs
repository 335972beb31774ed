//! Crash tests: the program is killed at each of many points. The same command again ends registered, and does not send
//! content again that had arrived whole.

mod point;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use foundry_emulator::{Config, Fault, FaultKind};
use uuid::Uuid;

use crate::gate::{Gate, Hold, Kind, Line};
use crate::stage::{Stage, azurite, files, store};
use point::{BYTE_POINTS, Point, STAGES, points};

/// AzCopy takes two seconds for a job, most of which it waits.
const WORKERS: usize = 6;
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// One file of two blocks, an empty one, and some between.
const FILES: [(&str, usize); 8] = [
    ("model-00001.safetensors", 9 << 20),
    ("model-00002.safetensors", 1 << 20),
    ("model-00003.safetensors", 700_000),
    ("model-00004.safetensors", 300_000),
    ("config.json", 1_000),
    ("tokenizer.json", 150_000),
    ("deep/er/vocab.txt", 60_000),
    ("deep/empty.txt", 0),
];
const AZCOPY_BEGINS: Hold = Hold::Request(Kind::Begin, 0);

#[test]
#[ignore = "takes minutes; ci/soak.sh runs it"]
#[expect(clippy::print_stderr, reason = "a figure that ci/soak.sh shows")]
fn a_hundred_kills_at_random_points_lose_nothing() {
    let points = points();
    for run in 0..100 {
        let point = points[Uuid::new_v4().as_u64_pair().0 as usize % points.len()];
        let whole = killed_at(point);
        eprintln!("run {run}: killed at {point:?}, {whole} of {} files had arrived whole", FILES.len());
    }
}

#[test]
fn a_create_that_is_killed_anywhere_ends_registered_and_sends_nothing_whole_twice() {
    let points = points();
    assert!(points.len() >= 30);
    let (next, failed, partly) = (AtomicUsize::new(0), Mutex::new(Vec::new()), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(point) = points.get(next.fetch_add(1, Ordering::SeqCst)) {
                    match std::panic::catch_unwind(|| killed_at(*point)) {
                        Ok(whole) if (1..FILES.len()).contains(&whole) => drop(partly.fetch_add(1, Ordering::SeqCst)),
                        Ok(_) => {}
                        Err(why) => {
                            let why = why.downcast_ref::<String>().cloned().unwrap_or_else(|| "a panic".to_owned());
                            failed.lock().expect("the list").push(format!("{point:?}: {why}"));
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("the list");
    assert!(failed.is_empty(), "{} of {} points:\n{}", failed.len(), points.len(), failed.join("\n\n"));
    assert!(partly.into_inner() >= 10, "too few points have a part of the files to go on with");
}

/// Kills a first `create` at the point and lets a second one resume; panics on a wrong result. Returns how many files
/// had arrived whole.
fn killed_at(point: Point) -> usize {
    let gate = Gate::before(&azurite());
    let stage = Stage::with(Config { blobs: store(&gate.url), ..Config::default() });
    for (number, (path, bytes)) in FILES.iter().enumerate() {
        let pattern: Vec<u8> = (0..*bytes).map(|at| (at / 7 + number) as u8).collect();
        stage.write(&format!("m/{path}"), &pattern);
    }
    let args = ["create", "-n", "killed", "--source", "m", "--skip-check", "-o", "json", "--debug"];
    let hold = match point {
        Point::Store(kind, number) => Hold::Request(kind, number),
        Point::Bytes(part) => Hold::Bytes(bytes_at(part)),
        // AzCopy waits for its first answer, so that what comes before can be seen.
        Point::File(_) if !matches!(point, Point::File(".steV")) => AZCOPY_BEGINS,
        Point::File(_) => Hold::Bytes(0),
        _ => Hold::Nowhere,
    };
    gate.hold(hold);
    let fault = |route| Fault::new(route, FaultKind::Stall).times(1);
    match point {
        Point::Asked(route, _) => stage.emulator.add_fault(fault(route)),
        Point::Done(route, _) => stage.emulator.add_fault(fault(route).processed()),
        _ => {}
    }
    let stderr = fs::File::create(stage.work().join("first.txt")).expect("a file");
    let mut first = stage.command(&args).stdout(Stdio::null()).stderr(stderr).spawn().expect("runs");
    wait_for(point, &gate, &stage, &mut first);
    first.kill().expect("killed");
    first.wait().expect("ended");
    let mut whole = whole_files(&gate);
    let journal = journal(&stage);
    match point {
        // The program continues during the check.
        Point::Journal(_) | Point::File("journal.json") => assert!(stage_of(&journal) >= point.stage()),
        _ => assert_eq!(stage_of(&journal), point.stage()),
    }

    let azcopy = azcopy_of(&stage);

    // In every second case AzCopy is gone when the command runs again, else it is still working.
    let alone = matches!(point, Point::Bytes(part) if part % 2 == 0);
    if alone {
        until("AzCopy ends", || !azcopy.is_some_and(alive));
        gate.line(Line::Cut);
        gate.line(Line::Up);
        // AzCopy may have verified more of its files before it ended.
        whole = whole_files(&gate);
    }
    let received = gate.received();
    // An AzCopy that waits for its first answer writes nothing, so it survives and has to be ended. Only the gate holds
    // it.
    if !matches!(point, Point::Store(Kind::Begin, 0)) {
        gate.hold(Hold::Nowhere);
    }
    let output = stage.command(&args).output().expect("runs");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let before = fs::read_to_string(stage.work().join("first.txt")).expect("the first one's words");
    let told = || format!("first:\n{before}\nsecond:\n{stderr}\nwhole: {whole:?}\n{:?}", gate.blobs());
    assert!(output.status.success(), "exit {:?}\n{}", output.status.code(), told());
    let model: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let (there, local) = (stage.blobs(&model), files(&stage.work().join("m")));
    assert_eq!(there.keys().collect::<Vec<_>>(), local.keys().collect::<Vec<_>>());
    assert!(there == local, "the contents differ\n{}", told());
    let sent = gate.blobs();
    for name in &whole {
        let size = FILES.iter().find(|(path, _)| path == name).expect("one of the files").1 as u64;
        let one = sent[name];
        assert_eq!((one.bytes, one.made), (size, 1), "{name} was sent twice\n{}", told());
    }
    assert!(!azcopy.is_some_and(alive), "the first AzCopy lives on\n{}", told());
    // Where AzCopy was gone, only the second one sent.
    if alone || stage_of(&journal) > Some(1) {
        let missing = FILES.iter().filter(|(name, _)| !whole.iter().any(|one| one == name));
        assert_eq!(gate.received() - received, missing.map(|(_, bytes)| *bytes as u64).sum::<u64>(), "{}", told());
    }
    stage.assert_no_upload_left();
    whole.len()
}

/// The model is registered and its page cannot be written, since the reader is busy: the success was not shown yet.
#[test]
fn a_create_that_is_killed_before_it_shows_the_model_shows_it_the_next_time() {
    let stage = Stage::new();
    stage.write("m/model.safetensors", b"weights");
    let args = ["create", "-n", "killed", "--source", "m", "--skip-check", "-o", "json"];
    let (_reader, mut full) = std::io::pipe().expect("a pipe");
    rustix::fs::fcntl_setfl(&full, rustix::fs::OFlags::NONBLOCK).expect("set");
    while full.write(&[b' '; 4096]).is_ok() {}
    rustix::fs::fcntl_setfl(&full, rustix::fs::OFlags::empty()).expect("set");
    let mut first = stage.command(&args).stdout(full).stderr(Stdio::null()).spawn().expect("runs");
    until("the page", || {
        assert!(first.try_wait().expect("looked").is_none(), "it ended before the point");
        // The kernel function in which it waits.
        fs::read_to_string(format!("/proc/{}/wchan", first.id())).is_ok_and(|place| place.contains("pipe_write"))
    });
    first.kill().expect("killed");
    first.wait().expect("ended");
    assert_eq!(stage.json(&args)["name"], "killed");
    stage.assert_no_upload_left();
}

fn whole_files(gate: &Gate) -> Vec<String> {
    gate.blobs().into_iter().filter(|(_, received)| received.proved).map(|(name, _)| name).collect()
}

fn bytes_at(part: u64) -> u64 {
    FILES.iter().map(|(_, bytes)| *bytes as u64).sum::<u64>() * part / BYTE_POINTS
}

fn wait_for(point: Point, gate: &Gate, stage: &Stage, program: &mut Child) {
    let mut running = || assert!(program.try_wait().expect("looked").is_none(), "it ended before the point");
    match point {
        Point::Asked(_, end) | Point::Done(_, end) => until("the request", || {
            running();
            // An operation has its id after that.
            let mut paths = stage.emulator.requests().into_iter().map(|request| request.path);
            paths.any(|path| path.ends_with(end) || end.ends_with('/') && path.contains(end))
        }),
        Point::Store(..) | Point::Bytes(_) => gate.wait_until_held(),
        Point::AllThere => gate.wait_until_proved(FILES.len()),
        Point::File(name) => until("the file", || {
            running();
            walkdir::WalkDir::new(uploads(stage))
                .into_iter()
                .filter_map(Result::ok)
                .any(|entry| entry.path().to_string_lossy().contains(name))
        }),
        Point::Journal(_) => until("the journal", || {
            running();
            stage_of(&journal(stage)) >= point.stage()
        }),
    }
}

/// Looks all the time: some of what is searched for is there for a millisecond.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < LONGEST_WAIT, "{what} does not come");
        std::thread::sleep(Duration::from_micros(200));
    }
}

fn uploads(stage: &Stage) -> PathBuf {
    stage.home().join(".azd/ai-models/uploads")
}

/// The journal of the one upload; empty when there is none.
fn journal(stage: &Stage) -> String {
    let Ok(mut entries) = fs::read_dir(uploads(stage)) else { return String::new() };
    let Some(Ok(entry)) = entries.next() else { return String::new() };
    fs::read_to_string(entry.path().join("journal.json")).unwrap_or_default()
}

/// How far the journal says it is: the place among `STAGES`.
fn stage_of(journal: &str) -> Option<usize> {
    STAGES.iter().position(|stage| journal.contains(&format!("\"stage\":\"{stage}\"")))
}

/// Id of the AzCopy that the killed program started, if it came so far.
fn azcopy_of(stage: &Stage) -> Option<u32> {
    let files = walkdir::WalkDir::new(uploads(stage)).into_iter().filter_map(Result::ok);
    let word = files.map(walkdir::DirEntry::into_path).find(|path| path.ends_with("azcopy.pid"))?;
    fs::read_to_string(word).ok()?.split(' ').next()?.parse().ok()
}

fn alive(process: u32) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}
