//! Ctrl+C and the signals, in every phase of the program.
#![cfg(unix)]

use std::process::Stdio;
use std::time::{Duration, Instant};

use foundry_emulator::{Config, Fault, FaultKind, Route};
use rustix::process::Signal;

use crate::support::{CANARY, Ended, Output, Running, StubAnswer, Terminal, TestEnv, eventually, lives};

const CREATE: [&str; 6] = ["custom", "create", "--name", "my-model", "--source", "model"];
const CTRL_C: &str = "\u{3}";
/// Far below every limit of a run whose clock is not scaled, far above what a loaded machine needs.
const QUICKLY: Duration = Duration::from_secs(3);
/// Includes the last grace of a command that does not return on its own.
const AT_ONCE: Duration = Duration::from_secs(2);

fn env() -> TestEnv {
    env_with(Config::default())
}

fn env_with(config: Config) -> TestEnv {
    let mut env = TestEnv::with(config);
    env.write_model();
    // The real clock: the end has to be quick without scaling.
    env.set("AZURE_AI_MODELS_TEST_TIME", "1");
    env
}

/// Upload that pauses at 28 %, and records how often it got SIGINT.
fn uploading() -> TestEnv {
    let mut env = env();
    let signals = env.work().join("signals").display().to_string();
    env.azcopy_script(&format!("count-signals {signals}\ninit\nprogress 294 1050 0 2\nhang\n"));
    env
}

fn signals(env: &TestEnv) -> usize {
    std::fs::read_to_string(env.work().join("signals")).expect("the signals").lines().count()
}

fn registered(env: &TestEnv) -> bool {
    env.emulator().requests().iter().any(|request| request.path.ends_with("/createAsync"))
}

fn assert_no_azcopy(env: &TestEnv) {
    for start in env.azcopy_starts() {
        assert!(!lives(start["pid"].as_u64().expect("a process")), "still there: {start}");
    }
}

/// Checks that hold after every interrupted `create`.
fn assert_interrupted(env: &TestEnv, ended: &Ended) {
    assert_eq!(ended.code, 130, "{}", ended.screen);
    assert!(!ended.cursor_hidden, "the cursor is hidden:\n{}", ended.screen);
    assert!(!ended.raw.contains(CANARY), "{}", ended.raw);
    assert!(ended.bars <= 1, "{}", ended.screen);
    assert!(!ended.screen.contains("\n\n\n"), "{}", ended.screen);
    assert!(ended.raw.ends_with('\n'), "{:?}", ended.raw);
    assert!(ended.rows.lines().any(|row| row.starts_with("ERROR: ")), "nothing stands before it: {}", ended.rows);
    assert_no_azcopy(env);
}

/// The screen from the second step on.
fn screen(env: &TestEnv, ended: &Ended) -> String {
    let screen = env.clean(&ended.rows);
    let lines = screen.lines().skip_while(|line| !line.starts_with("Step 2"));
    let lines = lines.map(|line| line.split(" | Elapsed").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn ctrl_c_ends_an_upload_cleanly() {
    let env = uploading();
    let mut terminal = Terminal::start(&env, 100, &CREATE);
    terminal.wait_for("28.0%");
    terminal.type_text(CTRL_C);
    let ended = terminal.finish();
    assert_interrupted(&env, &ended);
    insta::assert_snapshot!(screen(&env, &ended), @"
    Step 2/3: Uploading model files...
      Source: model (2 files, 1.0 KB)
      ━━━━━━━━──────────────────────  28.0% (294 B / 1.0 KB)
      Stopping; press Ctrl+C again to stop immediately.
    ERROR: Upload interrupted at 28% (294 B of 1.0 KB sent).
    No file is complete yet: the upload starts over.

    Suggestion: To resume, run the same command again:
      azure-ai-models custom create --name my-model --source model
    ");
    assert_eq!(signals(&env), 1);
    assert!(!registered(&env));
}

#[test]
fn ctrl_c_fits_a_narrow_terminal() {
    let env = uploading();
    let mut terminal = Terminal::start(&env, 40, &CREATE);
    terminal.wait_for("28.0%");
    terminal.type_text(CTRL_C);
    let ended = terminal.finish();
    assert_interrupted(&env, &ended);
    insta::assert_snapshot!(screen(&env, &ended), @"
    Step 2/3: Uploading model files...
      Source: model (2 files, 1.0 KB)
      ━━━──────────  28.0% (294 B / 1.0 KB)
      Stopping; press Ctrl+C again to stop i
    mmediately.
    ERROR: Upload interrupted at 28% (294 B
    of 1.0 KB sent).
    No file is complete yet: the upload star
    ts over.

    Suggestion: To resume, run the same comm
    and again:
      azure-ai-models custom create --name m
    y-model --source model
    ");
}

#[test]
fn the_next_run_works() {
    let mut env = uploading();
    let mut terminal = Terminal::start(&env, 100, &CREATE);
    terminal.wait_for("28.0%");
    terminal.type_text(CTRL_C);
    assert_interrupted(&env, &terminal.finish());
    env.unset("FAKE_AZCOPY_SCRIPT");
    env.run(&CREATE).success();
}

/// The grace is shortened here, and only here: 50 ms.
#[test]
fn an_azcopy_that_does_not_listen_is_killed_after_the_grace() {
    let mut env = env();
    env.azcopy_script("ignore-signals\ninit\nprogress 294 1050 0 2\nhang\n").set("AZURE_AI_MODELS_TEST_TIME", "0.05");
    let mut terminal = Terminal::start(&env, 100, &[&CREATE[..], &["--debug"]].concat());
    terminal.wait_for("28.0%");
    terminal.type_text(CTRL_C);
    let ended = terminal.finish();
    assert_interrupted(&env, &ended);
    let debug = ended.screen;
    assert!(debug.contains("azcopy is asked to end") && debug.contains("azcopy is killed"), "{debug}");
    assert!(debug.contains("azcopy ended: signal 9"), "{debug}");
}

/// The grace is 100 s here: waiting for it fails the test.
#[test]
fn a_second_ctrl_c_kills_immediately() {
    let mut env = env();
    env.azcopy_script("ignore-signals\ninit\nprogress 294 1050 0 2\nhang\n").set("AZURE_AI_MODELS_TEST_TIME", "20");
    let mut terminal = Terminal::start(&env, 100, &[&CREATE[..], &["--debug"]].concat());
    terminal.wait_for("28.0%");
    terminal.type_text(CTRL_C);
    terminal.wait_for("azcopy is asked to end");
    terminal.type_text(CTRL_C);
    let ended = terminal.finish();
    assert_interrupted(&env, &ended);
    assert!(ended.screen.contains("azcopy ended: signal 9"), "{}", ended.screen);
    assert!(ended.screen.contains("Upload interrupted at 28%"), "{}", ended.screen);
}

/// Upload that pauses at 28 %, and whose `azcopy jobs show` never answers; its process id is in the file.
fn never_shown() -> (TestEnv, std::path::PathBuf) {
    let mut env = env();
    let pid = env.work().join("jobs-show");
    env.azcopy_script(&format!("init\nprogress 294 1050 0 2\nplan hang {}\nhang\n", pid.display()));
    (env, pid)
}

fn assert_ended(pid: &std::path::Path) {
    let pid = std::fs::read_to_string(pid).expect("azcopy jobs show was started").parse().expect("a process id");
    // Killed, and reaped by its new parent.
    eventually("the end of azcopy jobs show", || !lives(pid));
}

#[test]
fn a_second_request_ends_an_upload_whose_account_hangs() {
    for second in [Signal::INT, Signal::TERM] {
        let (env, pid) = never_shown();
        let mut terminal = Terminal::start(&env, 100, &CREATE);
        terminal.wait_for("28.0%");
        terminal.type_text(CTRL_C);
        eventually("azcopy jobs show", || std::fs::read_to_string(&pid).is_ok_and(|pid| !pid.is_empty()));
        let asked_to_end = Instant::now();
        terminal.signal(second);
        let ended = terminal.finish();
        assert!(asked_to_end.elapsed() < AT_ONCE, "{:?}: {}", asked_to_end.elapsed(), ended.screen);
        assert_interrupted(&env, &ended);
        assert!(ended.screen.contains("ERROR: Upload interrupted at 28% (294 B of 1.0 KB sent)."), "{}", ended.screen);
        assert_ended(&pid);
    }
}

/// The limit is 6 s on this clock.
#[test]
fn an_account_that_hangs_is_given_up() {
    let (mut env, pid) = never_shown();
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.1");
    let mut terminal = Terminal::start(&env, 100, &[&CREATE[..], &["--debug"]].concat());
    terminal.wait_for("28.0%");
    terminal.type_text(CTRL_C);
    let ended = terminal.finish();
    assert_interrupted(&env, &ended);
    assert!(
        ended.screen.contains("Waiting for AzCopy to report the uploaded files (1s of up to 6s)..."),
        "{}",
        ended.screen
    );
    assert!(ended.screen.contains("`azcopy jobs show` does not respond"), "{}", ended.screen);
    assert!(ended.screen.contains("ERROR: Upload interrupted at 28% (294 B of 1.0 KB sent)."), "{}", ended.screen);
    assert_ended(&pid);
}

/// The next run asks what the first one delivered: one request is enough there.
#[test]
fn ctrl_c_while_an_earlier_upload_is_accounted_for() {
    let (mut env, pid) = never_shown();
    let mut terminal = Terminal::start(&env, 100, &CREATE);
    terminal.wait_for("28.0%");
    terminal.type_text(CTRL_C);
    eventually("azcopy jobs show", || pid.exists());
    terminal.signal(Signal::TERM);
    assert_interrupted(&env, &terminal.finish());
    std::fs::remove_file(&pid).expect("removed");
    env.unset("FAKE_AZCOPY_SCRIPT");
    let mut terminal = Terminal::start(&env, 100, &CREATE);
    eventually("azcopy jobs show", || std::fs::read_to_string(&pid).is_ok_and(|pid| !pid.is_empty()));
    let asked_to_end = Instant::now();
    terminal.type_text(CTRL_C);
    let ended = terminal.finish();
    assert!(asked_to_end.elapsed() < AT_ONCE, "{:?}: {}", asked_to_end.elapsed(), ended.screen);
    assert_interrupted(&env, &ended);
    assert_ended(&pid);
}

/// Nothing is held anywhere else: one request ends the command, a second one changes nothing.
#[test]
fn every_phase_ends_immediately() {
    let registering = || env_with(Config { polls_until_done: 100_000, ..Config::default() });
    let asking = || {
        let env = env();
        env.emulator().seed(&serde_json::json!({"name": "my-model", "version": "1"})).expect("seeded");
        env
    };
    let overwrite = [&CREATE[..], &["--overwrite"]].concat();
    let from_stdin = ["custom", "create", "--name", "my-model", "--source", "-"];
    let delete = ["delete", "-n", "my-model"];
    for signals in [&[Signal::INT][..], &[Signal::TERM], &[Signal::INT, Signal::TERM]] {
        for (env, args, sign) in [
            (registering(), &CREATE[..], "Step 3/3"),
            (stalled(Route::CreateAsync), &CREATE[..], "Step 3/3"),
            (asking(), &overwrite[..], "Replace it? (y/N) "),
            (asking(), &delete[..], "Type the model name to confirm: "),
            (env(), &from_stdin[..], ""),
        ] {
            let terminal = Terminal::start(&env, 120, args);
            terminal.wait_for(sign);
            if sign.is_empty() {
                let threads = format!("/proc/{}/task", terminal.pid());
                // Besides the main thread and those that encrypt.
                let others = 1 + std::thread::available_parallelism().map_or(1, usize::from).min(8);
                eventually("a thread that reads", || std::fs::read_dir(&threads).is_ok_and(|all| all.count() > others));
            }
            let asked_to_end = Instant::now();
            for signal in signals {
                terminal.signal(*signal);
            }
            let ended = terminal.finish();
            assert!(asked_to_end.elapsed() < AT_ONCE, "{args:?} {signals:?}: {:?}", asked_to_end.elapsed());
            assert_eq!(ended.code, 130, "{args:?} {signals:?}: {}", ended.screen);
            assert!(ended.screen.contains("ERROR: Interrupted"), "{args:?} {signals:?}: {}", ended.screen);
            assert_no_azcopy(&env);
        }
    }
}

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

fn interrupt_in_the_background(env: &TestEnv, signal: Signal, more: &[&str], sign: &str) -> Output {
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
fn a_pipeline_is_ended_by_sigterm() {
    let env = uploading();
    let output = interrupt_in_the_background(&env, Signal::TERM, &[], "28% (");
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
    let output = interrupt_in_the_background(&env, Signal::INT, &["-o", "json"], "28% (");
    let error = output.json_error();
    assert_eq!((&error["kind"], &error["code"]), (&"interrupted".into(), &"upload_interrupted".into()), "{output}");
    assert!(error["status"].is_null() && error["requestId"].is_null(), "{output}");
}

#[test]
fn json_lines_have_the_error_as_an_event() {
    let env = uploading();
    let output = interrupt_in_the_background(
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

/// Ctrl+C as soon as the screen shows this and the service was asked that.
fn interrupt(env: &TestEnv, sign: &str, asked: &str, args: &[&str]) -> Ended {
    let mut terminal = Terminal::start(env, 120, args);
    terminal.wait_for(sign);
    eventually(asked, || {
        asked.is_empty() || env.emulator().requests().iter().any(|request| request.path.contains(asked))
    });
    let asked_to_end = Instant::now();
    terminal.type_text(CTRL_C);
    let ended = terminal.finish();
    assert!(asked_to_end.elapsed() < QUICKLY, "{:?}: {}", asked_to_end.elapsed(), ended.screen);
    assert_interrupted(env, &ended);
    ended
}

fn stalled(route: Route) -> TestEnv {
    env_with(Config { faults: vec![Fault::new(route, FaultKind::Stall)], ..Config::default() })
}

#[test]
fn ctrl_c_while_the_service_is_asked_for_a_location() {
    let env = stalled(Route::StartPendingUpload);
    let ended = interrupt(&env, "Step 1/3", "startPendingUpload", &CREATE);
    assert!(ended.screen.contains("ERROR: Interrupted."), "{}", ended.screen);
    assert!(ended.screen.contains("custom create --name my-model --source model"), "{}", ended.screen);
    assert!(env.azcopy_starts().is_empty());
}

#[test]
fn ctrl_c_while_the_location_is_probed() {
    let env = env();
    env.blobs().says(StubAnswer::Nothing);
    let ended = interrupt(&env, "Step 1/3", "startPendingUpload", &CREATE);
    assert!(ended.screen.contains("custom create --name my-model --source model"), "{}", ended.screen);
    assert!(env.azcopy_starts().is_empty());
}

#[test]
fn ctrl_c_while_the_model_is_registered() {
    for env in [
        env_with(Config { polls_until_done: 100_000, ..Config::default() }),
        stalled(Route::Poll),
        stalled(Route::CreateAsync),
    ] {
        let ended = interrupt(&env, "Step 3/3", "createAsync", &CREATE);
        insta::allow_duplicates! {
            // Whether the bar is drawn and stays is a race.
            let screen = screen(&env, &ended);
            let lines = screen.lines().skip_while(|line| !line.starts_with("Step 3")).filter(|line| !line.contains("(0s)"));
            insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"
            Step 3/3: Registering model...
            ERROR: Interrupted after the upload. Foundry may still register the model.

            Suggestion: To check whether it exists:
              azure-ai-models custom show --name my-model --version 1
            The upload is complete and kept. To register it, run the same command again (no file is sent again):
              azure-ai-models custom create --name my-model --source model
            ");
        }
    }
}

#[test]
fn ctrl_c_in_the_other_commands() {
    for args in [&["list"][..], &["versions", "-n", "my-model"], &["show", "-n", "my-model"]] {
        let env = stalled(Route::Any);
        let mut terminal = Terminal::start(&env, 100, args);
        eventually("a request", || !env.emulator().requests().is_empty());
        let asked_to_end = Instant::now();
        terminal.type_text(CTRL_C);
        let ended = terminal.finish();
        assert_eq!((ended.code, ended.cursor_hidden), (130, false), "{}", ended.screen);
        assert!(asked_to_end.elapsed() < QUICKLY, "{:?}", asked_to_end.elapsed());
        assert_eq!(ended.rows, "ERROR: Interrupted.", "no ^C before it");
    }
}

#[test]
fn ctrl_c_at_a_question_leaves_the_question() {
    let env = env();
    env.emulator().seed(&serde_json::json!({"name": "my-model", "version": "1"})).expect("seeded");
    let mut terminal = Terminal::start(&env, 100, &["delete", "-n", "my-model"]);
    terminal.wait_for("confirm: ");
    terminal.type_text(CTRL_C);
    let ended = terminal.finish();
    assert_eq!(ended.code, 130, "{}", ended.rows);
    assert!(ended.rows.ends_with("Type the model name to confirm: ^C\nERROR: Interrupted."), "{}", ended.rows);
}

/// Without a bar the cursor is at the beginning of a line, where the terminal writes `^C`.
#[test]
fn ctrl_c_with_plain_lines() {
    let env = uploading();
    let ended = interrupt(&env, "28% (", "", &[&CREATE[..], &["--progress", "plain"]].concat());
    assert!(!ended.rows.contains("^C"), "{}", ended.rows);
    assert!(ended.rows.contains("\n  Stopping...\nERROR: Upload interrupted at 28%"), "{}", ended.rows);
}

/// AzCopy asks before it ends when it still reads the source.
#[test]
fn azcopys_own_question_is_answered() {
    for script in
        ["scanning\ninit\nprogress 294 1050 0 2\nhang\n", "init\nprogress 294 1050 0 2\nwait-signal\nprompt-cancel\n"]
    {
        let mut env = env();
        env.azcopy_script(script);
        let ended = interrupt(&env, "28.0%", "", &CREATE);
        assert!(ended.screen.contains("Upload interrupted at 28%"), "{}", ended.screen);
    }
}

#[test]
fn a_source_url_is_shown_without_its_sas() {
    let mut env = env();
    env.azcopy_script("init\nprogress 294 1050 0 2\nhang\n");
    let url = format!("http://127.0.0.1:9/acct/c?sv=1&sig={CANARY}");
    let ended = interrupt(&env, "28.0%", "", &["create", "-n", "my-model", "--source", &url]);
    insta::assert_snapshot!(screen(&env, &ended), @"
    Step 2/3: Uploading model files...
      Source: http://127.0.0.1:9/acct/c?***
      ━━━━━━━━──────────────────────  28.0% (294 B / 1.0 KB)
      Stopping; press Ctrl+C again to stop immediately.
    ERROR: Upload interrupted at 28% (294 B of 1.0 KB sent).
    The copy starts over.

    Suggestion: To resume, run the same command again:
      azure-ai-models custom create --name my-model --source http://127.0.0.1:9/acct/c
    The source URL is shown without its SAS; add it.
    ");
}

#[test]
fn a_closed_stdin_does_not_matter() {
    let env = env();
    let program = env!("CARGO_BIN_EXE_azure-ai-models");
    let command = env.command(&[]);
    let line = format!("exec {program} {} <&-", CREATE.join(" "));
    let shell = std::process::Command::new("/bin/sh");
    let mut shell = with_the_environment_of(shell, &command);
    shell.args(["-c", &line]);
    env.finish(shell).success();
}

fn with_the_environment_of(mut shell: std::process::Command, command: &std::process::Command) -> std::process::Command {
    shell.env_clear().current_dir(command.get_current_dir().expect("a directory")).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    shell
}

/// The model is registered; only the page about it has no reader.
#[test]
fn a_closed_reader_is_no_failure() {
    for format in ["table", "json"] {
        let env = env();
        let mut command = env.command(&[&CREATE[..], &["-o", format]].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        drop(child.stdout.take());
        let output = env.output(&child.wait_with_output().expect("the program ends")).success();
        assert!(output.stderr.ends_with("✓ Model registered successfully!\n"), "{output}");
        assert!(registered(&env));
    }
}

/// azd is gone, and its pipe with it: the signal and the lost standard error come together.
#[test]
fn a_lost_standard_error_does_not_keep_azcopy_alive() {
    let env = uploading();
    let mut command = env.command(&CREATE);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    eventually("azcopy", || env.work().join("signals").exists() && !env.azcopy_starts().is_empty());
    drop(child.stderr.take());
    drop(child.stdout.take());
    crate::support::send(child.id(), Signal::HUP);
    assert_eq!(child.wait().expect("the program ends").code(), Some(130));
    assert_no_azcopy(&env);
}

#[test]
fn concurrent_creates_of_one_version_conflict() {
    let mut env = env();
    let go = env.work().join("go").display().to_string();
    env.azcopy_script(&format!("init\nprogress 294 1050 0 2\nwait-file {go}\nend Completed 1050 1050 2 2 0\n"));
    let first = Running::start(&env, &CREATE);
    first.wait_for("28% (");
    let second = env.run(&CREATE);
    let second = second.to_string().replace(&first.pid().to_string(), "[PID]");
    insta::assert_snapshot!(second, @"
    ------- stderr -------
    WARNING: tokenizer not found; the tokenizer of the base model may not match (missing-tokenizer). Add the model's tokenizer.json or tokenizer.model.
    WARNING: No --base-model is given: the service may refuse to register or deploy these weights.
    ERROR: the same model version is being uploaded by another process (id [PID])

    Suggestion: Wait for the other process, or use another --version.
    [exit code: 5]
    ");
    env.write("go", "");
    let first = first.finish(&env).success();
    assert!(first.stderr.ends_with("✓ Model registered successfully!\n"), "{first}");
    assert_eq!(env.azcopy_starts().len(), 1);
}
