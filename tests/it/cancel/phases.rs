//! Ctrl+C in all other phases, and in the other commands.

use std::time::Instant;

use foundry_emulator::{Config, Fault, FaultKind, Route};
use rustix::process::Signal;

use super::{CTRL_C, IMMEDIATELY, QUICKLY, assert_no_azcopy, env, env_with, interrupt, screen};
use crate::support::{CREATE, Running, StubResponse, Terminal, TestEnv, eventually};

/// These phases hold no resources elsewhere: one signal ends the command, and a second one has no further effect.
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
                // Threads other than the one that reads: the main thread and those that encrypt.
                let others = 1 + std::thread::available_parallelism().map_or(1, usize::from).min(8);
                eventually("a thread that reads", || std::fs::read_dir(&threads).is_ok_and(|all| all.count() > others));
            }
            let asked_to_end = Instant::now();
            for signal in signals {
                terminal.signal(*signal);
            }
            let ended = terminal.finish();
            assert!(asked_to_end.elapsed() < IMMEDIATELY, "{args:?} {signals:?}: {:?}", asked_to_end.elapsed());
            assert_eq!(ended.code, 130, "{args:?} {signals:?}: {}", ended.screen);
            assert!(ended.screen.contains("ERROR: Interrupted"), "{args:?} {signals:?}: {}", ended.screen);
            assert_no_azcopy(&env);
        }
    }
}

fn stalled(route: Route) -> TestEnv {
    env_with(Config { faults: vec![Fault::new(route, FaultKind::Stall)], ..Config::default() })
}

#[test]
fn ctrl_c_while_the_upload_location_is_requested() {
    let env = stalled(Route::StartPendingUpload);
    let ended = interrupt(&env, "Step 1/3", "startPendingUpload", &CREATE);
    assert!(ended.screen.contains("ERROR: Interrupted."), "{}", ended.screen);
    assert!(ended.screen.contains("custom create --name my-model --source model"), "{}", ended.screen);
    assert!(env.azcopy_starts().is_empty());
}

#[test]
fn ctrl_c_while_the_location_is_probed() {
    let env = env();
    env.blobs().respond_with(StubResponse::Nothing);
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
            // The bar may or may not be drawn before the interruption.
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
fn ctrl_c_at_a_prompt_keeps_the_prompt_on_screen() {
    let env = env();
    env.emulator().seed(&serde_json::json!({"name": "my-model", "version": "1"})).expect("seeded");
    let mut terminal = Terminal::start(&env, 100, &["delete", "-n", "my-model"]);
    terminal.wait_for("confirm: ");
    terminal.type_text(CTRL_C);
    let ended = terminal.finish();
    assert_eq!(ended.code, 130, "{}", ended.rows);
    assert!(ended.rows.ends_with("Type the model name to confirm: ^C\nERROR: Interrupted."), "{}", ended.rows);
}

/// AzCopy prompts before it ends if it is still scanning the source.
#[test]
fn azcopys_cancel_prompt_is_answered() {
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
