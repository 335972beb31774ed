//! The AzCopy engine against the fake AzCopy: real processes, pipes and signals, with scaled timeouts.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use std::path::Path;
use std::time::{Duration, Instant};

use azure_ai_models_core::azcopy::{AzCopyFailure, RunError, VerifyError};
use azure_ai_models_core::model::TransferEvent;

#[path = "azcopy_engine/fixture.rs"]
mod fixture;

use fixture::{EngineFixture, FAKE, runs, wait_for};

#[tokio::test(flavor = "current_thread")]
async fn success_is_verified_and_reported_in_order() {
    let mut fixture = EngineFixture::new("").with_var("AZD_SERVER", "CANARY").with_var("AZCOPY_BUFFER_GB", "0.5");
    let finished = fixture.run().await.unwrap();
    assert_eq!((finished.files, finished.bytes), (2, 11));
    assert!(matches!(fixture.events[0], TransferEvent::Started(start) if start.total_bytes == Some(11)));
    assert!(matches!(fixture.events[1], TransferEvent::Progress(now) if now.bytes == 10 && now.files == 2));
    assert!(matches!(fixture.events[2], TransferEvent::Done { bytes: 11, files: 2, .. }));
    assert_eq!(fixture.events.len(), 3);

    let record = fixture.record();
    assert_eq!(record["list"], "a b.bin\nsub/c.bin\n");
    assert_eq!(record["stdin"], serde_json::json!({"pipe": true, "open": true}));
    assert_eq!(record["values"]["AZCOPY_BUFFER_GB"], "0.5");
    assert_eq!(record["values"]["HOME"], fixture.at("private").to_str().unwrap());
    assert!(!record["env"].as_array().unwrap().contains(&"AZD_SERVER".into()));

    let debug = fixture.debug();
    assert!(debug.contains("azcopy started: ") && debug.contains("azcopy ended: exit 0, wall "), "{debug}");
    assert!(!debug.contains("CANARY"), "{debug}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_rejected_sas_reports_the_error_code_of_the_service() {
    let transcript = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/azcopy/23-sas-readonly.ndjson");
    let mut fixture = EngineFixture::new(&format!("replay {} 50\nexit 1", transcript.display()));
    let AzCopyFailure::Refused { code, message } = fixture.failure().await else { panic!("not refused") };
    assert_eq!(code.as_deref(), Some("AuthorizationPermissionMismatch"));
    assert!(message.unwrap().starts_with("Authentication failed"));
}

#[tokio::test(flavor = "current_thread")]
async fn the_reason_for_a_failed_file_comes_from_the_log() {
    let mut fixture = EngineFixture::new(
        "init\nfailed /m/a 0 5\nlog ERR: [P#0-T#0] UPLOADFAILED: /m/a : 000 : source modified during transfer\n\
         progress 5 11 1 2\nend CompletedWithErrors 6 11 1 2 1\nexit 1",
    );
    let failure = fixture.failure().await;
    assert_eq!(failure.to_string(), "1 of 2 files failed: /m/a: source modified during transfer");
}

#[tokio::test(flavor = "current_thread")]
async fn exit_0_with_unexpected_counts_is_a_failure() {
    for (end, expected) in [
        ("end Completed 5 5 1 1 0", "azcopy copied 1 of 2 files"),
        ("end Completed 10 10 2 2 0", "azcopy copied 10 bytes instead of 11"),
        ("end Completed 0 0 0 0 0", "azcopy copied nothing"),
        ("end Cancelled 0 11 0 2 0", "azcopy was cancelled by another program"),
        ("plain nothing", "azcopy ended without a result (exit 0)"),
    ] {
        assert_eq!(EngineFixture::new(&format!("init\n{end}")).failure().await.to_string(), expected);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_crash_a_signal_and_a_fatal_message_are_distinguished() {
    for (script, expected) in [
        (
            "stderr panic: open log: no space\\n\\ngoroutine 1\nexit 2",
            "azcopy crashed (exit 2): panic: open log: no space",
        ),
        ("init\nprogress 1 11\ndie-signal 9", "azcopy was stopped by signal 9"),
        (
            "init\nerror Cannot perform copy due to error: no such file",
            "azcopy gave up: Cannot perform copy due to error: no such file",
        ),
        ("plain \\nunknown flag: --x\nexit 1", "azcopy gave up: unknown flag: --x"),
    ] {
        assert_eq!(EngineFixture::new(script).failure().await.to_string(), expected);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn ctrl_c_lets_azcopy_exit_gracefully() {
    let mut fixture = EngineFixture::new("init\nprogress 4 11 1 2\nspawn-record $DIR/up\nhang");
    let result = fixture.run_and_cancel(1).await;
    let Err(RunError::Interrupted { progress, log: Some(_) }) = result else { panic!("{result:?}") };
    assert_eq!((progress.bytes, progress.files), (4, 1));
    let debug = fixture.debug();
    assert!(debug.contains("asked to end") && debug.contains("ended: exit 1") && !debug.contains("killed"), "{debug}");
}

#[tokio::test(flavor = "current_thread")]
async fn ctrl_c_during_a_scan_answers_the_cancel_prompt() {
    let mut fixture = EngineFixture::new("init\nscanning\nspawn-record $DIR/up\nhang");
    assert!(matches!(fixture.run_and_cancel(1).await, Err(RunError::Interrupted { .. })));
    assert!(fixture.debug().contains("ended: exit 1"), "{}", fixture.debug());
}

#[tokio::test(flavor = "current_thread")]
async fn an_azcopy_that_ignores_ctrl_c_is_killed_after_the_grace_period() {
    let mut fixture = EngineFixture::new("ignore-signals\ninit\nspawn-record $DIR/up\nhang");
    fixture.timings.cancel_grace = Duration::from_millis(300);
    let start = Instant::now();
    assert!(matches!(fixture.run_and_cancel(1).await, Err(RunError::Interrupted { .. })));
    assert!(start.elapsed() >= fixture.timings.cancel_grace);
    assert!(fixture.debug().contains("ended: signal 9"), "{}", fixture.debug());
}

#[tokio::test(flavor = "current_thread")]
async fn a_second_ctrl_c_kills_immediately() {
    let mut fixture = EngineFixture::new("ignore-signals\ninit\nspawn-record $DIR/up\nhang");
    fixture.timings.cancel_grace = Duration::from_secs(60);
    assert!(matches!(fixture.run_and_cancel(2).await, Err(RunError::Interrupted { .. })));
    assert!(fixture.debug().contains("ended: signal 9"), "{}", fixture.debug());
}

#[tokio::test(flavor = "current_thread")]
async fn other_prompts_are_answered_with_no() {
    let mut fixture = EngineFixture::new("init\nprompt Overwrite?\nend Completed 11 11 2 2 0");
    fixture.run().await.unwrap();
    assert!(fixture.debug().contains("answered n"), "{}", fixture.debug());
}

#[tokio::test(flavor = "current_thread")]
async fn a_stall_is_reported_repeatedly_until_progress() {
    let mut fixture =
        EngineFixture::new("init\nprogress 4 11 0 2 84\nsleep 2\nprogress 5 11 0 2\nend Completed 11 11 2 2 0");
    fixture.run().await.unwrap();
    let stalls: Vec<_> = fixture
        .events
        .iter()
        .filter_map(|event| match event {
            TransferEvent::Stalled { silent, network_error_percent } => Some((*silent, *network_error_percent)),
            _ => None,
        })
        .collect();
    assert!(stalls.len() >= 2, "{stalls:?}");
    assert!(stalls[0].0 >= fixture.timings.stall_notice && stalls[1].0 >= 2 * fixture.timings.stall_notice);
    assert_eq!(stalls[0].1, Some(84.0));
}

#[tokio::test(flavor = "current_thread")]
async fn a_stall_stops_azcopy_at_the_limit() {
    for (script, percent, exit) in [
        ("init\nprogress 4 11 0 2 95\nhang", Some(95.0), "exit 1"),
        ("info nobody answers\nscanning\nhang", None, "exit 1"),
        ("ignore-signals\nhang", None, "signal 9"),
        ("flood-stdout", None, "signal 9"),
    ] {
        let mut fixture = EngineFixture::new(script);
        if exit == "signal 9" {
            fixture.timings.cancel_grace = Duration::from_millis(300);
        }
        fixture.stall_limit = Duration::from_secs(2);
        let result = fixture.run().await;
        let Err(RunError::Stalled { silent, network_error_percent, .. }) = result else { panic!("{result:?}") };
        assert!(silent >= fixture.stall_limit);
        assert_eq!(network_error_percent, percent);
        assert!(fixture.debug().contains(&format!("ended: {exit}")), "{}", fixture.debug());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn large_output_and_long_lines_are_read() {
    let mut fixture = EngineFixture::new(
        "flood-stderr 2000000\nplain not JSON\nplain {\"half\ninit\ninfo ünï\nprogress 3 11 0 2\n\
         info x\nlong-end 5000000",
    );
    // One file, according to the long last line.
    assert_eq!(fixture.failure().await.to_string(), "azcopy copied 1 of 2 files");
}

#[tokio::test(flavor = "current_thread")]
async fn a_dropped_run_leaves_no_process() {
    let mut fixture = EngineFixture::new("ignore-signals\ninit\nspawn-child $DIR/child\nspawn-record $DIR/up\nhang");
    let up = fixture.at("up");
    tokio::select! {
        result = fixture.run() => panic!("{result:?}"),
        () = wait_for(|| up.exists()) => {}
    }
    let (parent, child) = (fixture.pid("up"), fixture.pid("child"));
    wait_for(|| !runs(parent) && !runs(child)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn remaining_children_of_azcopy_do_not_block_the_run() {
    let mut fixture = EngineFixture::new("init\nspawn-child $DIR/child\nend Completed 11 11 2 2 0");
    fixture.timings.cancel_grace = Duration::from_millis(300);
    fixture.run().await.unwrap();
    let child = fixture.pid("child");
    wait_for(|| !runs(child)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_missing_or_unsupported_program_is_rejected() {
    let fixture = EngineFixture::new("");
    let missing = fixture.verify(Path::new("/nonexistent/azcopy")).await.unwrap_err();
    assert_eq!(missing.to_string(), "/nonexistent/azcopy does not start");

    let other = EngineFixture::new("").with_var("FAKE_AZCOPY_VERSION", "11.0.0");
    assert!(matches!(other.verify(Path::new(FAKE)).await, Err(VerifyError::WrongVersion { .. })));

    let right = fixture.verify(Path::new(FAKE)).await.unwrap();
    assert_eq!((right.version(), right.origin().to_string().as_str()), ("10.32.2", "--azcopy-path"));
}

#[tokio::test(flavor = "current_thread")]
async fn scripts_in_place_of_azcopy_are_detected() {
    use std::os::unix::fs::PermissionsExt;
    for (text, expected) in [
        ("echo 'azcopy: error while loading shared libraries: libsecret-1.so.0' >&2\nexit 127", "libsecret-1.so.0"),
        ("echo hello", "is not AzCopy: its --version prints 'hello'"),
        ("sleep 60", "--version did not respond within"),
    ] {
        let mut fixture = EngineFixture::new("");
        fixture.timings.azcopy_version = Duration::from_secs(3);
        let program = fixture.at("azcopy");
        // Written by another process: a descriptor of ours could be inherited by a child and make it "busy".
        let script = format!("printf '%s\\n' '#!/bin/sh' {} > '{}'", shell_words::quote(text), program.display());
        assert!(std::process::Command::new("sh").arg("-c").arg(script).status().unwrap().success());
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let error = fixture.verify(&program).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
