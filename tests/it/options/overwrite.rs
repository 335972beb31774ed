//! `--overwrite`: the old version is deleted after all checks, and nothing is sent before it is deleted.

use foundry_emulator::{Config, Fault, FaultKind, OperationEnd, Route};
use serde_json::json;

use super::sent;
#[cfg(unix)]
use crate::support::{CREATE, Terminal};
use crate::support::{create, env_with, env_with_model as env};

#[test]
fn overwrite_deletes_after_all_checks() {
    let env = env();
    env.emulator().seed(&json!({"name": "my-model", "version": "1", "description": "old"})).expect("seeded");
    let output = create(&env, &["--overwrite"]).fails_with(2);
    assert!(output.stderr.contains("Use --yes to replace it without a prompt."), "{output}");
    create(&env, &["--overwrite", "--yes", "--azcopy-path", "nowhere"]).fails_with(3);
    assert_eq!(sent(&env), ["GET my-model/versions/1"]);
    let output = create(&env, &["--overwrite", "--yes", "-o", "json"]).success();
    assert_eq!(output.json().get("description"), None);
    assert!(output.stderr.contains("Replacing it deletes its weights"), "{output}");
    assert_eq!(
        sent(&env)[1..5],
        [
            "GET my-model/versions/1",
            "DELETE my-model/versions/1",
            "GET my-model/versions/1",
            "POST my-model/versions/1/startPendingUpload"
        ]
    );
}

#[cfg(unix)]
#[test]
fn overwrite_prompts_and_can_be_declined() {
    let env = env();
    env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
    for (answer, code) in [("\r", 1), ("no\r", 1), ("y\r", 0)] {
        let mut terminal = Terminal::start(&env, 120, &[CREATE.as_slice(), &["--overwrite"]].concat());
        terminal.wait_for("Replace it? (y/N)");
        terminal.type_text(answer);
        assert_eq!(terminal.finish().code, code, "{answer:?}");
    }
    assert_eq!(sent(&env).iter().filter(|sent| sent.starts_with("DELETE")).count(), 1);
    assert!(!env.home().join(".azd/ai-models/uploads").read_dir().expect("a directory").any(|_| true));
}

/// The service responds with 200 to a deletion of a version that never existed, so the version is requested first.
#[test]
fn overwrite_deletes_only_an_existing_version() {
    let env = env();
    env.emulator().seed(&json!({"name": "my-model", "version": "2"})).expect("seeded");
    let output = create(&env, &["--overwrite", "--yes"]).success();
    assert!(!output.stderr.contains("deleted") && !output.stderr.contains("exists"), "{output}");
    let sent = sent(&env);
    assert_eq!(sent[..2], ["GET my-model/versions/1", "POST my-model/versions/1/startPendingUpload"]);
    assert!(!sent.iter().any(|sent| sent.starts_with("DELETE")), "{sent:?}");
}

/// Nothing is deleted without proof that the version exists, and nothing is sent while the old version exists.
#[test]
fn overwrite_that_cannot_read_or_delete_sends_nothing() {
    for (route, fault, code, deletions) in [
        (Route::Get, FaultKind::status(401), 4, 0),
        (Route::Get, FaultKind::status(403), 4, 0),
        (Route::Get, FaultKind::status(503), 9, 0),
        (Route::Get, FaultKind::Html { status: 200 }, 9, 0),
        (Route::Get, FaultKind::EmptyBody, 9, 0),
        (Route::Delete, FaultKind::status(403), 4, 1),
        (Route::Delete, FaultKind::refusal(409, "ModelInUse", "A deployment uses the model."), 5, 1),
        (Route::Delete, FaultKind::Html { status: 200 }, 9, 1),
        (Route::Delete, FaultKind::Reset, 9, 5),
    ] {
        let env = env();
        env.emulator().seed(&json!({"name": "my-model", "version": "1", "description": "old"})).expect("seeded");
        env.emulator().add_fault(Fault::new(route, fault.clone()));
        create(&env, &["--overwrite", "--yes"]).fails_with(code);
        let sent = sent(&env);
        let found = sent.iter().filter(|sent| sent.starts_with("DELETE")).count();
        assert_eq!(found, deletions, "{route:?} {fault:?}: {sent:?}");
        assert!(!sent.iter().any(|sent| sent.starts_with("POST")), "{route:?} {fault:?}: {sent:?}");
        assert!(env.azcopy_starts().is_empty(), "{route:?} {fault:?}");
    }
}

/// The service accepts a deletion that fails, or does not finish: the upload does not start.
#[test]
fn overwrite_waits_for_the_end_of_its_deletion() {
    let failed = |message: &str| OperationEnd::Failed {
        status: "Failed".into(),
        code: "ModelInUse".into(),
        message: message.into(),
    };
    for (deletion_end, polls_until_done, code, word) in [
        (OperationEnd::Succeeded, 3, 0, ""),
        (failed("A deployment uses the model."), 3, 5, "ModelInUse"),
        (OperationEnd::Succeeded, u32::MAX, 9, "deletion_timeout"),
    ] {
        let mut env = env_with(Config { delete_status: 202, deletion_end, polls_until_done, ..Config::default() });
        // The limit of a deletion is half an hour.
        env.set("AZURE_AI_MODELS_TEST_TIME", if code == 9 { "0.0005" } else { "0.01" });
        env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
        let output = create(&env, &["--overwrite", "--yes", "-o", "json"]).fails_with(code);
        let starts = sent(&env).iter().filter(|sent| sent.ends_with("/startPendingUpload")).count();
        assert_eq!((starts, env.azcopy_starts().len()), (usize::from(code == 0), usize::from(code == 0)), "{output}");
        assert!(code == 0 || output.json_error()["code"] == word, "{output}");
    }
}

/// If another run or a request whose response was lost deleted the version first, the upload continues. If the service
/// reports the version as deleted and still returns it, it does not.
#[test]
fn overwrite_continues_only_after_the_version_is_deleted() {
    let not_found = || FaultKind::refusal(404, "ModelVersionNotFound", "Not found.");
    for (fault, code) in [
        (Fault::new(Route::Delete, not_found()).processed(), 0),
        (Fault::new(Route::Delete, not_found()), 3),
        (Fault::new(Route::Delete, FaultKind::EmptyBody), 9),
    ] {
        let env = env();
        env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
        env.emulator().add_fault(fault.clone());
        create(&env, &["--overwrite", "--yes"]).fails_with(code);
        let starts = sent(&env).iter().filter(|sent| sent.ends_with("/startPendingUpload")).count();
        assert_eq!(starts, usize::from(code == 0), "{fault:?}");
    }
}
