//! Ctrl+C and the signals, in every phase of the program.
#![cfg(unix)]

mod phases;
mod streams;
mod stuck;

use std::time::{Duration, Instant};

use foundry_emulator::Config;

use crate::support::{self, CANARY, CREATE, Ended, Terminal, TestEnv, eventually, is_alive};

const CTRL_C: &str = "\u{3}";

/// Far below every limit of a run with unscaled time, far above what a loaded machine needs.
const QUICKLY: Duration = Duration::from_secs(3);

/// Includes the grace period of a command that does not return on its own.
const IMMEDIATELY: Duration = Duration::from_secs(2);

fn env() -> TestEnv {
    env_with(Config::default())
}

fn env_with(config: Config) -> TestEnv {
    let mut env = support::env_with(config);
    // Time is not scaled: the program must end quickly without it.
    env.set("AZURE_AI_MODELS_TEST_TIME", "1");
    env
}

/// Upload that pauses at 28 %, and counts the SIGINT signals that it receives.
fn uploading() -> TestEnv {
    let mut env = env();
    let signals = env.work().join("signals").display().to_string();
    env.azcopy_script(&format!("count-signals {signals}\ninit\nprogress 294 1050 0 2\nhang\n"));
    env
}

fn signals(env: &TestEnv) -> usize {
    std::fs::read_to_string(env.work().join("signals")).expect("the signals").lines().count()
}

fn assert_no_azcopy(env: &TestEnv) {
    for start in env.azcopy_starts() {
        assert!(!is_alive(start["pid"].as_u64().expect("a process")), "still running: {start}");
    }
}

/// Checks that apply after every interrupted `create`.
fn assert_interrupted(env: &TestEnv, ended: &Ended) {
    assert_eq!(ended.code, 130, "{}", ended.screen);
    assert!(!ended.cursor_hidden, "the cursor is hidden:\n{}", ended.screen);
    assert!(!ended.raw.contains(CANARY), "{}", ended.raw);
    assert!(ended.bars <= 1, "{}", ended.screen);
    assert!(!ended.screen.contains("\n\n\n"), "{}", ended.screen);
    assert!(ended.raw.ends_with('\n'), "{:?}", ended.raw);
    assert!(ended.rows.lines().any(|row| row.starts_with("ERROR: ")), "text before the error: {}", ended.rows);
    assert_no_azcopy(env);
}

/// The screen from step 2 on.
fn screen(env: &TestEnv, ended: &Ended) -> String {
    let screen = env.clean(&ended.rows);
    let lines = screen.lines().skip_while(|line| !line.starts_with("Step 2"));
    let lines = lines.map(|line| line.split(" | Elapsed").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// Presses Ctrl+C once the screen shows `sign` and the service received a request for `asked`.
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

/// Presses Ctrl+C at 28 % of an upload, in a terminal of this width.
fn interrupt_upload(env: &TestEnv, columns: u16) -> Ended {
    let mut terminal = Terminal::start(env, columns, &CREATE);
    terminal.wait_for("28.0%");
    terminal.type_text(CTRL_C);
    let ended = terminal.finish();
    assert_interrupted(env, &ended);
    ended
}

#[test]
fn ctrl_c_ends_an_upload_cleanly() {
    let env = uploading();
    let ended = interrupt_upload(&env, 100);
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
    assert!(env.registrations() == 0);
}

#[test]
fn ctrl_c_fits_a_narrow_terminal() {
    let env = uploading();
    let ended = interrupt_upload(&env, 40);
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
fn next_run_resumes_after_ctrl_c() {
    let mut env = uploading();
    interrupt_upload(&env, 100);
    env.unset("FAKE_AZCOPY_SCRIPT");
    env.run(&CREATE).success();
}

#[test]
fn source_url_is_shown_without_its_sas() {
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
