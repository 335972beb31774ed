//! Without a terminal: signals, JSON, and streams that are closed.

use std::process::Stdio;

use rustix::process::Signal;

use super::{assert_interrupted, assert_no_azcopy, env, interrupt, signals, uploading};
use crate::support::{self, CANARY, CREATE, Output, Running, Terminal, TestEnv, eventually};

#[test]
fn every_signal_is_like_ctrl_c() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let env = uploading();
        let terminal = Terminal::start(&env, 100, &CREATE);
        terminal.wait_for("28.0%");
        terminal.signal(signal);
        let ended = terminal.finish();
        assert_interrupted(&env, &ended);
        assert!(ended.screen.contains("Upload interrupted at 28% (294 B of 1.0 KB sent)."), "{}", ended.screen);
        assert_eq!(signals(&env), 1, "{signal:?}");
    }
}

fn interrupt_without_terminal(env: &TestEnv, signal: Signal, more: &[&str], sign: &str) -> Output {
    let running = Running::start(env, &[&CREATE[..], more].concat());
    running.wait_for(sign);
    running.signal(signal);
    let output = running.finish(env).fails_with(130);
    assert_eq!(output.stdout, "", "{output}");
    assert!(!output.stderr.contains(CANARY), "{output}");
    assert_no_azcopy(env);
    output
}

#[test]
fn sigterm_ends_a_pipeline() {
    let env = uploading();
    let output = interrupt_without_terminal(&env, Signal::TERM, &[], "28% (");
    let lines = output.stderr.lines().skip_while(|line| !line.starts_with("Step 2"));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"
    Step 2/3: Uploading model files...
      Source: model (2 files, 1.0 KB)
      Uploading 2 files, 1.0 KB...
      28% (294 B / 1.0 KB)
      Stopping...
    ERROR: Upload interrupted at 28% (294 B of 1.0 KB sent).
    No file is complete yet: the upload starts over.

    Suggestion: To resume, run the same command again:
      azure-ai-models custom create --name my-model --source model
    ");
}

#[test]
fn json_has_the_error_as_its_last_line() {
    let env = uploading();
    let output = interrupt_without_terminal(&env, Signal::INT, &["-o", "json"], "28% (");
    let error = output.json_error();
    assert_eq!((&error["kind"], &error["code"]), (&"interrupted".into(), &"upload_interrupted".into()), "{output}");
    assert!(error["status"].is_null() && error["requestId"].is_null(), "{output}");
}

#[test]
fn json_lines_have_the_error_as_an_event() {
    let env = uploading();
    let output = interrupt_without_terminal(
        &env,
        Signal::HUP,
        &["--progress", "json", "-o", "json"],
        r#""event":"upload.progress""#,
    );
    let lines: Vec<serde_json::Value> =
        output.stderr.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let [.., event, error] = lines.as_slice() else { panic!("{output}") };
    assert_eq!((&event["event"], &event["kind"]), (&"error".into(), &"interrupted".into()), "{output}");
    assert_eq!(error["error"]["message"], event["message"], "{output}");
}

/// Without a bar the cursor is at the start of a line, where the terminal writes `^C`.
#[test]
fn ctrl_c_with_plain_lines() {
    let env = uploading();
    let ended = interrupt(&env, "28% (", "", &[&CREATE[..], &["--progress", "plain"]].concat());
    assert!(!ended.rows.contains("^C"), "{}", ended.rows);
    assert!(ended.rows.contains("\n  Stopping...\nERROR: Upload interrupted at 28%"), "{}", ended.rows);
}

#[test]
fn closed_stdin_is_accepted() {
    let env = env();
    let program = env!("CARGO_BIN_EXE_azure-ai-models");
    let command = env.command(&[]);
    let line = format!("exec {program} {} <&-", CREATE.join(" "));
    let shell = std::process::Command::new("/bin/sh");
    let mut shell = with_environment_of(shell, &command);
    shell.args(["-c", &line]);
    env.finish(shell).success();
}

fn with_environment_of(mut shell: std::process::Command, command: &std::process::Command) -> std::process::Command {
    shell.env_clear().current_dir(command.get_current_dir().expect("a directory")).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    shell
}

/// The model is registered; only the output page has no reader.
#[test]
fn closed_stdout_is_not_a_failure() {
    for format in ["table", "json"] {
        let env = env();
        let mut command = env.command(&[&CREATE[..], &["-o", format]].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        drop(child.stdout.take());
        let output = env.output(&child.wait_with_output().expect("the program ends")).success();
        assert!(output.stderr.ends_with("✓ Model registered successfully!\n"), "{output}");
        assert!(env.registrations() > 0);
    }
}

/// azd has exited and closed its pipe: the signal and the closed standard error arrive together.
#[test]
fn azcopy_ends_although_stderr_is_closed() {
    let env = uploading();
    let mut command = env.command(&CREATE);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    eventually("azcopy", || env.work().join("signals").exists() && !env.azcopy_starts().is_empty());
    drop(child.stderr.take());
    drop(child.stdout.take());
    support::send(child.id(), Signal::HUP);
    assert_eq!(child.wait().expect("the program ends").code(), Some(130));
    assert_no_azcopy(&env);
}
