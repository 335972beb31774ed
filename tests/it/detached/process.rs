//! The process of a detached upload, and its environment.

#[cfg(target_os = "linux")]
use std::path::Path;

use fake_azd_host::{FakeHost, HostState};
use foundry_emulator::{Fault, FaultKind, Route};
#[cfg(target_os = "linux")]
use rustix::process::Pid;

use super::Stage;
#[cfg(target_os = "linux")]
use crate::support::Terminal;
use crate::support::{CREATE, env_with_model, eventually, is_alive};

#[test]
#[cfg(target_os = "linux")]
fn process_leads_its_own_session_without_terminal_streams() {
    let stage = Stage::waiting();
    let mut words = vec!["custom", "create", "--name", "my-model", "--source", "model"];
    words.extend(["--detach", "--no-inhibit"]);
    // The terminal is closed once the command has ended.
    let ended = Terminal::start(&stage.env, 100, &words).finish();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    let listed = stage.listed();
    let pid = i32::try_from(listed["pid"].as_u64().expect("a process")).expect("a process");
    stage.pid.set(listed["pid"].as_u64());
    let process = Pid::from_raw(pid).expect("a process");
    assert_eq!(rustix::process::getsid(Some(process)).expect("a session"), process);
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
    let terminal = stat.rsplit_once(')').expect("fields").1.split_whitespace().nth(4).expect("a terminal").to_owned();
    assert_eq!(terminal, "0");
    let stream = |number: u32| std::fs::read_link(format!("/proc/{pid}/fd/{number}")).expect("a stream");
    assert_eq!(stream(0), Path::new("/dev/null"));
    for number in [1, 2] {
        assert!(stream(number).ends_with("log"), "{}", stream(number).display());
    }
    // SIGHUP is bit 0 of the mask of ignored signals.
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:\t")).expect("a mask").to_owned();
    assert_eq!(u64::from_str_radix(&ignored, 16).expect("a mask") & 1, 1);
    stage.release();
    stage.ended();
    assert_eq!(stage.listed()["state"], "done");
}

/// A script's lock would otherwise be held for hours.
#[test]
#[cfg(target_os = "linux")]
fn files_that_a_script_left_open_are_closed() {
    let stage = Stage::waiting();
    let args = [&CREATE[..], &["--detach", "--no-inhibit", "-o", "json"]].concat();
    let started = stage.started(stage.env.run_after("exec 8>held 9<model/config.json", &args));
    let open: Vec<_> = std::fs::read_dir(format!("/proc/{}/fd", started["pid"]))
        .expect("a process")
        .filter_map(|entry| std::fs::read_link(entry.expect("an entry").path()).ok())
        .collect();
    assert!(open.iter().any(|path| path.ends_with("log")), "{open:?}");
    assert!(!open.iter().any(|path| path.ends_with("held") || path.ends_with("config.json")), "{open:?}");
}

/// azd's server ends with azd, so the process does not use it. The project that azd named is kept.
#[test]
fn upload_outlives_the_azd_that_started_it() {
    let mut stage = Stage::waiting();
    let endpoint = stage.env.emulator().endpoint();
    let values =
        [("AZURE_PROJECT_ENDPOINT", endpoint.as_str()), ("AZURE_TENANT_ID", "11111111-2222-3333-4444-555555555555")];
    let host = FakeHost::start(HostState::default().with_environment("dev", true, &values));
    stage.env.unset("AZURE_PROJECT_ENDPOINT");
    stage.env.set("AZURE_AI_MODELS_ALLOW_HOST", "127.0.0.1");
    stage.env.run_by(&host);
    let args = [&CREATE[..], &["--detach", "--no-inhibit", "-o", "json"]].concat();
    let started = stage.started(stage.env.run(&args));
    stage.at_28_percent();
    let calls = host.calls().len();
    drop(host);
    stage.release();
    stage.ended();
    stage.env.unset("AZD_SERVER").unset("AZD_ACCESS_TOKEN");
    assert!(calls > 0);
    let attached = stage.attach(&started, &[]).success();
    // Suggested commands use the form of the user, who types azd.
    assert!(attached.stdout.contains("  azd ai models custom deployments create"), "{attached}");
}

#[test]
fn version_is_chosen_before_the_upload_is_detached() {
    let stage = Stage::scripted("default\n");
    stage.env.emulator().seed(&serde_json::json!({"name": "my-model", "version": "4"})).expect("seeded");
    let started = stage.detach(&["--version", "auto"]);
    assert_eq!(started["version"], "5");
    let json = stage.attach(&started, &["-o", "json"]).success().json();
    assert_eq!(json["version"], "5");
}

#[test]
fn every_option_reaches_the_process() {
    let stage = Stage::scripted("default\n");
    let more = [
        "--description",
        "-two words",
        "--tag",
        "a=b",
        "--tag",
        "c=d e",
        "--base-model",
        "FW-X",
        "--weight-type",
        "DraftModel",
        "--publisher",
        "p",
        "--exclude",
        "*.bin",
        "--skip-check",
        "--limit-rate",
        "3M",
        "--no-wait",
    ];
    let started = stage.detach(&more);
    let accepted = stage.attach(&started, &["-o", "json"]).success().json();
    assert_eq!(accepted["name"], "my-model");
    let sent = stage.env.emulator().requests();
    let body = &sent.iter().find(|sent| sent.path.ends_with("/createAsync")).expect("a registration").body;
    assert_eq!((&body["description"], &body["weightType"]), (&"-two words".into(), &"DraftModel".into()));
    assert_eq!(body["tags"], serde_json::json!({"a": "b", "c": "d e", "baseArchitecture": "FW-X"}));
    assert_eq!(body["catalogInfo"]["publisherId"], "p");
    assert!(stage.env.azcopy_starts()[0].to_string().contains("--cap-mbps"), "{}", stage.env.azcopy_starts()[0]);
}

/// The source comes from a pipe, and `-C` names another directory than the current one.
#[test]
fn piped_source_and_working_directory_are_kept() {
    let stage = Stage::scripted("default\n");
    stage.env.write("deep/file", "");
    let mut command = stage.env.command(&[
        "custom",
        "create",
        "--name",
        "my-model",
        "--source-file",
        "/dev/stdin",
        "-C",
        "deep",
        "--detach",
        "--no-inhibit",
        "-o",
        "json",
    ]);
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    std::io::Write::write_all(&mut writer, b"../model\n").expect("written");
    drop(writer);
    command.stdin(reader);
    let started = stage.started(stage.env.finish(command));
    stage.attach(&started, &[]).success();
    let listed = stage.listed();
    assert_eq!(stage.env.clean(listed["source"].as_str().expect("a path")), "[ROOT]/here/model");
}

/// A rejection after the upload is reported to the user who attaches; the upload itself is kept.
#[test]
fn rejected_registration_is_resumed_without_sending_files_again() {
    let stage = Stage::scripted("default\n");
    let refusal = FaultKind::refusal(400, "InvalidThing", "no such thing");
    stage.env.emulator().add_fault(Fault::new(Route::CreateAsync, refusal).times(1));
    let started = stage.detach(&[]);
    stage.ended();
    let attached = stage.attach(&started, &["-o", "json"]).fails_with(8);
    assert_eq!(attached.json_error()["code"], "InvalidThing");
    assert_eq!(stage.listed()["state"], "failed");
    stage.uploads("resume", &[super::id(&started)]).success();
    assert_eq!(stage.env.azcopy_starts().len(), 1);
    assert_eq!(stage.uploads("list", &["-o", "json"]).success().stdout, "[]\n");
}

/// The deployment is checked and confirmed before the upload, and created after it.
#[test]
fn model_is_deployed_after_the_upload() {
    let mut env = crate::deployments::env();
    env.write_model();
    env.azcopy_script("default\n");
    let stage = Stage::of(env);
    let deploy = ["--version", "2", "--base-model", "FW-Qwen3-14B", "--deploy", "tuned"];
    let refused = stage.env.run(&[&CREATE[..], &["--detach"], &deploy].concat()).fails_with(2);
    assert!(refused.stderr.contains("--yes"), "{refused}");
    let started = stage.detach(&[&deploy[..], &["--yes"]].concat());
    let attached = stage.attach(&started, &[]).success();
    assert!(attached.stdout.contains("\nDeployment: tuned\n"), "{attached}");
    let json = stage.attach(&started, &["-o", "json"]).success().json();
    assert_eq!(json["deployment"]["name"], "tuned");
}

#[test]
fn process_that_cannot_start_reports_the_reason_and_leaves_nothing() {
    let env = env_with_model();
    // The process sends no request before it owns the directory, so a disk error makes it fail: a directory takes the
    // place of its file.
    let stage = Stage::of(env);
    let started = stage.detach(&[]);
    stage.ended();
    let run = stage.directory(&started).join("detached.json.next");
    std::fs::create_dir(&run).expect("a directory");
    stage.env.run(&["custom", "delete", "-n", "my-model", "--version", "1", "-f"]).success();
    let output = stage.env.run(&[&CREATE[..], &["--detach", "--no-inhibit"]].concat()).fails_with(1);
    assert!(output.stderr.contains("cannot prepare"), "{output}");
    assert!(!stage.text(&started, "log").is_empty());
    let pid = started["pid"].as_u64().expect("a process");
    eventually("no process", || !is_alive(pid));
}
