//! End of a detached upload: on success, by `stop`, by a signal, by a kill.

use std::fs;

use rustix::process::Signal;

use super::{Stage, id};
use crate::support::{CANARY, CREATE, TestEnv, is_alive, send};

fn pid(started: &serde_json::Value) -> u32 {
    started["pid"].as_u64().and_then(|pid| pid.try_into().ok()).expect("a process")
}

#[test]
fn stopped_upload_can_be_resumed() {
    let stage =
        Stage::scripted("init\ndelivered config.json\nprogress 294 1050 1 2\nwait-file GO\nnext-run\ndefault\n");
    let started = stage.detach(&["--notify", &stage.notify()]);
    stage.at_28_percent();
    let output = stage.uploads("stop", &[id(&started)]).success();
    assert!(output.stderr.contains(&format!("uploads resume {}", id(&started))), "{output}");
    stage.ended();
    for start in stage.env.azcopy_starts() {
        assert!(!is_alive(start["pid"].as_u64().expect("a process")), "still running: {start}");
    }
    assert_eq!(stage.listed()["state"], "interrupted");
    let attached = stage.attach(&started, &[]).fails_with(130);
    assert!(attached.stderr.contains("ERROR: The upload was stopped."), "{attached}");
    assert!(!stage.notified().exists(), "a stop sends no notification");
    let again = stage.uploads("stop", &[id(&started)]).success();
    assert!(again.stderr.contains("is not running."), "{again}");

    let resumed = stage.uploads("resume", &[id(&started), "--detach", "--no-inhibit", "-o", "json"]);
    let resumed = stage.started(resumed);
    assert_eq!(resumed["id"], started["id"]);
    let attached = stage.attach(&resumed, &[]).success();
    assert!(attached.stderr.contains("Resuming upload: 1 of 2 files (50 B)"), "{attached}");
    assert_eq!(stage.env.azcopy_starts()[1]["list"], "model.safetensors\n");
    assert_eq!((stage.listed()["state"].clone(), stage.registrations()), ("done".into(), 1));
}

/// The files of the plan are compared in the foreground; the process creates the model as planned.
#[test]
fn plan_is_created_without_a_terminal() {
    let stage = Stage::waiting();
    let dry_run = [&CREATE[..], &["--description", "Tuned", "--dry-run", "-o", "json"]].concat();
    let plan = stage.env.command(&dry_run).output().expect("a run").stdout;
    stage.env.write("plan.json", plan);
    let create = ["custom", "create", "--plan", "plan.json", "--detach", "--no-inhibit", "-o", "json"];
    let started = stage.started(stage.env.run(&create));
    stage.release();
    stage.ended();
    let made = stage.attach(&started, &["-o", "json"]).success().json();
    assert_eq!((made["description"].as_str(), stage.registrations()), (Some("Tuned"), 1), "{made}");
}

/// As after a power cut: no process is left, and no file records how it ended.
#[test]
fn killed_upload_is_interrupted_and_can_be_resumed() {
    let stage =
        Stage::scripted("init\ndelivered config.json\nprogress 294 1050 1 2\nwait-file GO\nnext-run\ndefault\n");
    let started = stage.detach(&[]);
    stage.at_28_percent();
    send(pid(&started), Signal::KILL);
    stage.ended();
    let listed = stage.listed();
    assert_eq!((&listed["state"], &listed["pid"]), (&"interrupted".into(), &serde_json::Value::Null));
    let list = stage.uploads("list", &[]).success();
    let words = format!("WARNING: Upload {} ended without a result: 28% (294 B / 1.0 KB)", id(&started));
    assert!(list.stderr.contains(&words), "{list}");
    let attached = stage.attach(&started, &[]).fails_with(7);
    assert!(attached.stderr.contains("ended without a result") && attached.stderr.contains("Last lines"), "{attached}");
    let again = format!("custom uploads resume {} --detach", id(&started));
    assert!(attached.stderr.contains(&again), "{attached}");
    let resumed = stage.started(stage.uploads("resume", &[id(&started), "--detach", "--no-inhibit", "-o", "json"]));
    stage.attach(&resumed, &[]).success();
    assert_eq!(stage.registrations(), 1);
    assert_eq!(stage.env.azcopy_starts()[1]["list"], "model.safetensors\n");
}

/// The id of an ended process may since have been given to another process.
#[test]
fn another_process_with_the_same_id_is_not_the_upload() {
    let stage = Stage::waiting();
    let started = stage.detach(&[]);
    stage.at_28_percent();
    send(pid(&started), Signal::KILL);
    stage.ended();
    let run = stage.directory(&started).join("detached.json");
    let other = std::process::id();
    let text = fs::read_to_string(&run).expect("a file");
    let text = text.replace(&format!("\"pid\":{}", pid(&started)), &format!("\"pid\":{other}"));
    let text = text.replace(&format!("\"process\":\"{} ", pid(&started)), &format!("\"process\":\"{other} "));
    assert!(text.contains(&format!("\"{other} ")), "{text}");
    fs::write(&run, text).expect("written");
    assert_eq!(stage.listed()["state"], "interrupted");
}

#[test]
fn hangup_changes_nothing_and_sigterm_ends_it_gracefully() {
    let stage = Stage::waiting();
    let started = stage.detach(&[]);
    stage.at_28_percent();
    let azcopy = stage.env.azcopy_starts()[0]["pid"].as_u64().and_then(|pid| pid.try_into().ok()).expect("a process");
    for process in [pid(&started), azcopy] {
        send(process, Signal::HUP);
    }
    stage.release();
    stage.ended();
    assert_eq!(stage.listed()["state"], "done");

    let stage = Stage::waiting();
    let started = stage.detach(&[]);
    stage.at_28_percent();
    send(pid(&started), Signal::TERM);
    stage.ended();
    assert_eq!(stage.listed()["state"], "interrupted");
    let attached = stage.attach(&started, &[]).fails_with(130);
    assert!(attached.stderr.contains("ERROR: Upload interrupted at 28"), "{attached}");
}

/// The files are kept for later readers: for a week, or until they are discarded.
#[test]
fn files_of_an_ended_upload_are_removed_after_a_week_or_on_discard() {
    let stage = Stage::scripted("default\n");
    let started = stage.detach(&[]);
    stage.ended();
    let directory = stage.directory(&started);
    let left: std::collections::BTreeSet<String> = fs::read_dir(&directory)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    let kept = ["detached.json", "detached.lock", "events.ndjson", "journal.json", "lock", "log", "pid", "result.json"];
    assert_eq!(left.into_iter().collect::<Vec<_>>(), kept);
    stage.uploads("discard", &[id(&started), "--yes"]).success();
    assert!(!directory.exists());

    let failing = Stage::scripted("init\ndelivered config.json\nend Failed 50 1050 1 2 1\nexit 1\n");
    for (stage, left) in [(&stage, 0), (&failing, 1)] {
        let started = stage.detach(&["--version", "2"]);
        stage.ended();
        let result = stage.directory(&started).join("result.json");
        let text = fs::read_to_string(&result).expect("a result");
        let at = text.find("\"endedAt\":\"").expect("a time") + 11;
        let age = |days: i64| time::OffsetDateTime::now_utc() - time::Duration::days(days);
        for (days, listed) in [(6, 1), (8, left)] {
            let (year, rest) = (age(days).date().to_string(), &text[at + 10..]);
            fs::write(&result, format!("{}{year}{rest}", &text[..at])).expect("written");
            let list = stage.uploads("list", &["-o", "json"]).success().json();
            assert_eq!(list.as_array().map(Vec::len), Some(listed), "{days} days: {list}");
        }
        assert!(!result.exists());
    }
    // A resumable upload is kept.
    assert_eq!(failing.listed()["state"], "interrupted");
}

#[test]
fn registered_version_is_reported_as_existing() {
    let stage = Stage::scripted("default\n");
    let started = stage.detach(&[]);
    stage.ended();
    let output = stage.env.run(&CREATE).fails_with(5);
    assert!(output.stderr.contains("already exists"), "{output}");
    let output = stage.uploads("resume", &[id(&started)]).fails_with(2);
    assert!(output.stderr.contains("is done: its model is registered"), "{output}");
    stage.env.run(&["custom", "wait", "-n", "my-model", "--version", "1"]).success();
    assert_eq!(stage.listed()["state"], "done");
    // The next upload of the version starts over, and replaces the remaining files.
    stage.env.run(&["custom", "delete", "-n", "my-model", "--version", "1", "-f"]).success();
    stage.env.run(&CREATE).success();
    assert_eq!(stage.uploads("list", &["-o", "json"]).success().stdout, "[]\n");
}

#[test]
fn no_secret_is_left_in_the_files() {
    let mut env = TestEnv::new();
    env.azcopy_script("init\nend Failed 0 11 0 1 1\nexit 1\n");
    let stage = Stage::of(env);
    let source = format!("https://a.blob.core.windows.net/c?sv=1&sig={CANARY}");
    let args =
        ["custom", "create", "--name", "my-model", "--source", &source, "--detach", "--no-inhibit", "-o", "json"];
    let started = stage.started(stage.env.run(&args));
    stage.ended();
    let starts = stage.env.azcopy_starts();
    assert!(starts[0].to_string().contains(CANARY), "the source reached AzCopy: {}", starts[0]);
    let directory = stage.directory(&started);
    for entry in walkdir::WalkDir::new(directory).into_iter().map(|entry| entry.expect("an entry")) {
        if entry.file_type().is_file() {
            let text = String::from_utf8_lossy(&fs::read(entry.path()).expect("a file")).into_owned();
            assert!(!text.contains(CANARY), "{}: {text}", entry.path().display());
        }
    }
    let resumed = stage.uploads("resume", &[id(&started), "--detach"]).fails_with(2);
    assert!(resumed.stderr.contains("--source-file FILE"), "{resumed}");
}

impl Stage {
    /// Creates a program that records its environment when it runs.
    fn notify(&self) -> String {
        let notification = self.notified();
        let script = format!(
            "/usr/bin/env | /bin/grep -E '^AZURE_AI_MODELS_(RESULT|EXIT_CODE|KIND|ID|NAME|VERSION|LOG)=' | /usr/bin/sort >> {}",
            notification.display()
        );
        let program = self.env.root().join("a program");
        fs::rename(self.env.program("notify", &script), &program).expect("renamed");
        program.display().to_string()
    }

    fn notified(&self) -> std::path::PathBuf {
        self.env.root().join("told")
    }
}

#[test]
fn notify_program_runs_once_with_the_result() {
    for (script, result, code, kind) in
        [("default\n", "succeeded", 0, ""), ("init\nend Failed 0 1050 0 2 2\nexit 1\n", "failed", 7, "upload_failed")]
    {
        let stage = Stage::scripted(script);
        let started = stage.detach(&["--notify", &stage.notify()]);
        stage.ended();
        let notification = fs::read_to_string(stage.notified()).expect("a notification");
        let log = stage.directory(&started).join("log").display().to_string();
        let expected = [
            ("EXIT_CODE", code.to_string()),
            ("ID", id(&started).to_owned()),
            ("KIND", kind.to_owned()),
            ("LOG", log),
            ("NAME", "my-model".to_owned()),
            ("RESULT", result.to_owned()),
            ("VERSION", "1".to_owned()),
        ];
        let expected: String =
            expected.iter().map(|(name, value)| format!("AZURE_AI_MODELS_{name}={value}\n")).collect();
        assert_eq!(notification, expected);
    }
    let stage = Stage::scripted("default\n");
    let program = stage.env.program("fails", "echo no mail >&2; exit 3").display().to_string();
    let started = stage.detach(&["--notify", &program]);
    stage.ended();
    assert_eq!(stage.listed()["state"], "done");
    let log = stage.text(&started, "log");
    assert!(log.contains("failed: exit status: 3: no mail"), "{log}");
}

/// logind's inhibitor is held exactly as long as the upload runs.
#[test]
#[cfg(target_os = "linux")]
fn machine_is_kept_awake_or_a_warning_is_printed() {
    let stage = Stage::waiting();
    let (args, pids) = (stage.env.root().join("args"), stage.env.root().join("pids"));
    let script = format!(
        "echo \"$@\" > {}\necho $$ > {}\nwhile [ \"${{1#--}}\" != \"$1\" ]; do shift; done\n\"$@\"",
        args.display(),
        pids.display()
    );
    stage.env.program("systemd-inhibit", &script);
    let started = stage.env.run(&[&CREATE[..], &["--detach", "-o", "json"]].concat());
    assert!(!started.stderr.contains("may sleep during the upload"), "{started}");
    stage.started(started);
    let text = fs::read_to_string(args).expect("started");
    assert!(
        text.starts_with("--what=sleep:idle --mode=block --who=azure.ai.models --why=Uploading the model my-model")
    );
    let inhibitor: u64 = fs::read_to_string(pids).expect("started").trim().parse().expect("a process");
    assert!(is_alive(inhibitor));
    stage.release();
    stage.ended();
    crate::support::eventually("the end of the inhibitor", || !is_alive(inhibitor));

    stage.env.program("systemd-inhibit", "echo Access denied >&2; exit 1");
    let refused = stage.env.run(&[&CREATE[..], &["--detach", "--version", "2", "-o", "json"]].concat());
    let words = "WARNING: This machine may sleep during the upload, which pauses it: Access denied\n";
    assert!(refused.stderr.contains(words), "{refused}");
    let started = stage.started(refused);
    stage.attach(&started, &[]).success();
    let quiet = stage.env.run(&[&CREATE[..], &["--detach", "--version", "3", "--no-inhibit", "-o", "json"]].concat());
    assert!(!quiet.stderr.contains("may sleep during the upload"), "{quiet}");
    let started = stage.started(quiet);
    stage.attach(&started, &[]).success();
}
