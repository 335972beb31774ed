//! Child processes that do not end on their own are killed.

use std::time::Instant;

use rustix::process::Signal;

use super::{CTRL_C, IMMEDIATELY, assert_interrupted, env};
use crate::support::{CREATE, Terminal, TestEnv, eventually, is_alive};

/// Only this test shortens the grace period: to 50 ms.
#[test]
fn azcopy_that_ignores_signals_is_killed_after_the_grace_period() {
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

/// The grace period is 100 s here, so a run that waits for it fails the test.
#[test]
fn second_ctrl_c_kills_immediately() {
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

/// Upload that pauses at 28 %, and whose `azcopy jobs show` never responds; the file holds its process id.
fn env_with_hanging_jobs_show() -> (TestEnv, std::path::PathBuf) {
    let mut env = env();
    let pid = env.work().join("jobs-show");
    env.azcopy_script(&format!("init\nprogress 294 1050 0 2\nplan hang {}\nhang\n", pid.display()));
    (env, pid)
}

fn assert_ended(pid: &std::path::Path) {
    let pid = std::fs::read_to_string(pid).expect("azcopy jobs show was started").parse().expect("a process id");
    // The process is killed, and reaped by its new parent.
    eventually("the end of azcopy jobs show", || !is_alive(pid));
}

#[test]
fn second_signal_ends_an_upload_while_jobs_show_hangs() {
    for second in [Signal::INT, Signal::TERM] {
        let (env, pid) = env_with_hanging_jobs_show();
        let mut terminal = Terminal::start(&env, 100, &CREATE);
        terminal.wait_for("28.0%");
        terminal.type_text(CTRL_C);
        eventually("azcopy jobs show", || std::fs::read_to_string(&pid).is_ok_and(|pid| !pid.is_empty()));
        let asked_to_end = Instant::now();
        terminal.signal(second);
        let ended = terminal.finish();
        assert!(asked_to_end.elapsed() < IMMEDIATELY, "{:?}: {}", asked_to_end.elapsed(), ended.screen);
        assert_interrupted(&env, &ended);
        assert!(ended.screen.contains("ERROR: Upload interrupted at 28% (294 B of 1.0 KB sent)."), "{}", ended.screen);
        assert_ended(&pid);
    }
}

/// The limit is 6 s at this time scale.
#[test]
fn hanging_jobs_show_is_abandoned() {
    let (mut env, pid) = env_with_hanging_jobs_show();
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

/// The next run queries what the first one delivered: one signal is enough to end it.
#[test]
fn ctrl_c_while_delivered_files_of_an_earlier_upload_are_queried() {
    let (mut env, pid) = env_with_hanging_jobs_show();
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
    assert!(asked_to_end.elapsed() < IMMEDIATELY, "{:?}: {}", asked_to_end.elapsed(), ended.screen);
    assert_interrupted(&env, &ended);
    assert_ended(&pid);
}
