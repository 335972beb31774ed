//! Crash tests: the program is killed at many points. Running the same command again registers the model without
//! sending complete files again.

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

/// AzCopy needs two seconds for a job and waits most of that time.
const WORKERS: usize = 6;
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// A file of two blocks, an empty file, and sizes in between.
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
const AZCOPY_START: Hold = Hold::Request(Kind::Begin, 0);

#[test]
#[ignore = "takes minutes; ci/soak.sh runs it"]
#[expect(clippy::print_stderr, reason = "a figure that ci/soak.sh shows")]
fn a_hundred_kills_at_random_points_lose_nothing() {
    let points = points();
    for run in 0..100 {
        let point = points[Uuid::new_v4().as_u64_pair().0 as usize % points.len()];
        let complete = kill_and_resume(point);
        eprintln!("run {run}: killed at {point:?}, {complete} of {} files were complete", FILES.len());
    }
}

#[test]
fn a_killed_create_resumes_and_sends_no_complete_file_twice() {
    let points = points();
    assert!(points.len() >= 30);
    let (next, failed, partly) = (AtomicUsize::new(0), Mutex::new(Vec::new()), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(point) = points.get(next.fetch_add(1, Ordering::SeqCst)) {
                    match std::panic::catch_unwind(|| kill_and_resume(*point)) {
                        Ok(files) if (1..FILES.len()).contains(&files) => drop(partly.fetch_add(1, Ordering::SeqCst)),
                        Ok(_) => {}
                        Err(cause) => {
                            let cause = cause.downcast_ref::<String>().cloned().unwrap_or_else(|| "a panic".to_owned());
                            failed.lock().expect("the list").push(format!("{point:?}: {cause}"));
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("the list");
    assert!(failed.is_empty(), "{} of {} points:\n{}", failed.len(), points.len(), failed.join("\n\n"));
    assert!(partly.into_inner() >= 10, "too few points leave some of the files to resume");
}

/// Kills a first `create` at the point and resumes with a second one; panics on a wrong result. Returns the number of
/// files that were complete before the second run.
fn kill_and_resume(point: Point) -> usize {
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
        // AzCopy waits for its first response, so that the points before it can be observed.
        Point::File(_) if !matches!(point, Point::File(".steV")) => AZCOPY_START,
        Point::File(_) => Hold::Bytes(0),
        _ => Hold::Nowhere,
    };
    gate.hold(hold);
    let fault = |route| Fault::new(route, FaultKind::Stall).times(1);
    match point {
        Point::Received(route, _) => stage.emulator.add_fault(fault(route)),
        Point::Processed(route, _) => stage.emulator.add_fault(fault(route).processed()),
        _ => {}
    }
    let stderr = fs::File::create(stage.work().join("first.txt")).expect("a file");
    let mut first = stage.command(&args).stdout(Stdio::null()).stderr(stderr).spawn().expect("runs");
    wait_for(point, &gate, &stage, &mut first);
    first.kill().expect("killed");
    first.wait().expect("ended");
    let mut complete = complete_files(&gate);
    let journal = journal(&stage);
    match point {
        // The program continues during the check.
        Point::Journal(_) | Point::File("journal.json") => assert!(stage_of(&journal) >= point.stage()),
        _ => assert_eq!(stage_of(&journal), point.stage()),
    }

    let azcopy = azcopy_of(&stage);

    // In every second case AzCopy has ended when the command runs again; otherwise it is still running.
    let azcopy_ended = matches!(point, Point::Bytes(part) if part % 2 == 0);
    if azcopy_ended {
        until("AzCopy ends", || !azcopy.is_some_and(is_running));
        gate.line(Line::Cut);
        gate.line(Line::Up);
        // AzCopy may have verified more of its files before it ended.
        complete = complete_files(&gate);
    }
    let received = gate.received();
    // An AzCopy that waits for its first response writes nothing, so it survives and has to be stopped. Only the gate
    // holds it.
    if !matches!(point, Point::Store(Kind::Begin, 0)) {
        gate.hold(Hold::Nowhere);
    }
    let output = stage.command(&args).output().expect("runs");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let before = fs::read_to_string(stage.work().join("first.txt")).expect("the output of the first run");
    let details = || format!("first:\n{before}\nsecond:\n{stderr}\ncomplete: {complete:?}\n{:?}", gate.blobs());
    assert!(output.status.success(), "exit {:?}\n{}", output.status.code(), details());
    let model: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let (uploaded, local) = (stage.blobs(&model), files(&stage.work().join("m")));
    assert_eq!(uploaded.keys().collect::<Vec<_>>(), local.keys().collect::<Vec<_>>());
    assert!(uploaded == local, "the contents differ\n{}", details());
    let sent = gate.blobs();
    for name in &complete {
        let size = FILES.iter().find(|(path, _)| path == name).expect("one of the files").1 as u64;
        let one = sent[name];
        assert_eq!((one.bytes, one.commits), (size, 1), "{name} was sent twice\n{}", details());
    }
    assert!(!azcopy.is_some_and(is_running), "the first AzCopy is still running\n{}", details());
    // If AzCopy had ended, only the second one sent.
    if azcopy_ended || stage_of(&journal) > Some(1) {
        let missing = FILES.iter().filter(|(name, _)| !complete.iter().any(|one| one == name));
        assert_eq!(gate.received() - received, missing.map(|(_, bytes)| *bytes as u64).sum::<u64>(), "{}", details());
    }
    stage.assert_no_upload_left();
    complete.len()
}

/// The model is registered, but its page cannot be written because the pipe is full: the success was not shown yet.
#[test]
fn a_create_killed_before_its_output_shows_the_model_on_the_next_run() {
    let stage = Stage::new();
    stage.write("m/model.safetensors", b"weights");
    let args = ["create", "-n", "killed", "--source", "m", "--skip-check", "-o", "json"];
    let (_reader, mut full) = std::io::pipe().expect("a pipe");
    rustix::fs::fcntl_setfl(&full, rustix::fs::OFlags::NONBLOCK).expect("set");
    while full.write(&[b' '; 4096]).is_ok() {}
    rustix::fs::fcntl_setfl(&full, rustix::fs::OFlags::empty()).expect("set");
    let mut first = stage.command(&args).stdout(full).stderr(Stdio::null()).spawn().expect("runs");
    until("the page", || {
        assert!(first.try_wait().expect("a status").is_none(), "the program ended before the point");
        // Kernel function in which the program waits.
        fs::read_to_string(format!("/proc/{}/wchan", first.id())).is_ok_and(|function| function.contains("pipe_write"))
    });
    first.kill().expect("killed");
    first.wait().expect("ended");
    assert_eq!(stage.json(&args)["name"], "killed");
    stage.assert_no_upload_left();
}

fn complete_files(gate: &Gate) -> Vec<String> {
    gate.blobs().into_iter().filter(|(_, received)| received.verified).map(|(name, _)| name).collect()
}

fn bytes_at(part: u64) -> u64 {
    FILES.iter().map(|(_, bytes)| *bytes as u64).sum::<u64>() * part / BYTE_POINTS
}

fn wait_for(point: Point, gate: &Gate, stage: &Stage, program: &mut Child) {
    let mut running = || assert!(program.try_wait().expect("a status").is_none(), "the program ended before the point");
    match point {
        Point::Received(_, end) | Point::Processed(_, end) => until("the request", || {
            running();
            // The path of an operation ends with its ID.
            let mut paths = stage.emulator.requests().into_iter().map(|request| request.path);
            paths.any(|path| path.ends_with(end) || end.ends_with('/') && path.contains(end))
        }),
        Point::Store(..) | Point::Bytes(_) => gate.wait_until_held(),
        Point::AllUploaded => gate.wait_until_verified(FILES.len()),
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

/// Polls with minimal pauses: some files exist only for a millisecond.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < LONGEST_WAIT, "timed out waiting for {what}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

fn uploads(stage: &Stage) -> PathBuf {
    stage.home().join(".azd/ai-models/uploads")
}

/// Journal of the only upload; empty if there is none.
fn journal(stage: &Stage) -> String {
    let Ok(mut entries) = fs::read_dir(uploads(stage)) else { return String::new() };
    let Some(Ok(entry)) = entries.next() else { return String::new() };
    fs::read_to_string(entry.path().join("journal.json")).unwrap_or_default()
}

/// Stage recorded in the journal, as an index into `STAGES`.
fn stage_of(journal: &str) -> Option<usize> {
    STAGES.iter().position(|stage| journal.contains(&format!("\"stage\":\"{stage}\"")))
}

/// Process ID of the AzCopy that the killed program started, if it did.
fn azcopy_of(stage: &Stage) -> Option<u32> {
    let files = walkdir::WalkDir::new(uploads(stage)).into_iter().filter_map(Result::ok);
    let file = files.map(walkdir::DirEntry::into_path).find(|path| path.ends_with("azcopy.pid"))?;
    fs::read_to_string(file).ok()?.split(' ').next()?.parse().ok()
}

fn is_running(process: u32) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}
