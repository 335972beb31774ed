//! Failures in the foreground before an upload is detached, and conflicts with a running one.

use std::fs;

use foundry_emulator::{Auth, Config, Fault, FaultKind, Route};

use super::{Stage, id};
use crate::support::{CREATE, TestEnv, env_with};

fn refused(env: &TestEnv, more: &[&str], code: i32) -> String {
    let output = env.run(&[&CREATE[..], &["--detach", "--no-inhibit"], more].concat()).fails_with(code);
    assert_eq!(output.stdout, "");
    let left = fs::read_dir(env.home().join(".azd/ai-models/uploads")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "files are left: {output}");
    assert!(env.azcopy_starts().is_empty(), "files were sent: {output}");
    output.stderr
}

#[test]
fn early_failures_happen_in_the_foreground() {
    let env = TestEnv::new();
    assert!(refused(&env, &[], 3).contains("model"), "no source");
    env.write_model();
    assert!(refused(&env, &["--dry-run"], 2).contains("--dry-run cannot be combined with --detach"));
    assert!(refused(&env, &["--notify", "missing"], 3).contains("--notify: [ROOT]/here/missing does not exist"));
    assert!(refused(&env, &["--notify", "model/config.json"], 2).contains("is not an executable program"));
    assert!(refused(&env, &["--weight-type", "LoRA"], 6).contains("adapter"));
    assert!(refused(&env, &["--azcopy-path", "missing"], 3).contains("missing"));
    env.emulator().seed(&serde_json::json!({"name": "my-model", "version": "1"})).expect("seeded");
    let exists = refused(&env, &[], 5);
    assert!(exists.contains("already exists") && exists.contains("--version 2"), "{exists}");
    let asks = refused(&env, &["--overwrite"], 2);
    assert!(asks.contains("Use --yes to replace it without a prompt."), "{asks}");
    env.emulator().add_fault(Fault::new(Route::StartPendingUpload, FaultKind::status(403)).times(1));
    refused(&env, &["--version", "2"], 4);
    for option in ["--notify=x", "--no-inhibit"] {
        let output = env.run(&[&CREATE[..], &[option]].concat()).fails_with(2);
        assert!(output.stderr.contains("--detach"), "{output}");
    }
}

/// A sign-in through azd's own server would end with azd.
#[test]
fn azd_program_signs_in_before_the_upload_is_detached() {
    let mut env = env_with(Config { auth: Auth::Token("the-token-of-azd".into()), ..Config::default() });
    env.unset("AZURE_AI_MODELS_CREDENTIAL");
    let not_signed_in = r#"echo '{"type":"consoleMessage","data":{"message":"\nERROR: not logged in, run `azd auth login` to login\n"}}' >&2; exit 1"#;
    env.program("azd", not_signed_in);
    assert!(refused(&env, &[], 4).contains("azd auth login"));
    let calls = env.root().join("calls");
    let signed_in = format!(
        "echo \"$* ${{AZD_SERVER-}}${{AZD_ACCESS_TOKEN-}}\" >> {}\necho '{{\"token\":\"the-token-of-azd\",\"expiresOn\":\"2038-01-18T00:00:00Z\"}}'",
        calls.display()
    );
    env.program("azd", &signed_in);
    let stage = Stage::of(env);
    let started = stage.detach(&[]);
    stage.attach(&started, &[]).success();
    let calls = fs::read_to_string(calls).expect("calls");
    let token = "auth token -o json --no-prompt --scope https://ai.azure.com/.default \n";
    assert_eq!(calls, token.repeat(2), "one before detaching, one after, none with azd's server");
}

#[test]
fn commands_that_need_a_running_upload_report_it() {
    let stage = Stage::waiting();
    let started = stage.detach(&[]);
    stage.at_28_percent();
    let id = id(&started);
    let process = format!("by another process (id {})", started["pid"]);
    let attach = format!("azure-ai-models custom uploads attach {id}\n");
    let create = [&CREATE[..], &["--detach"]].concat();
    for args in [
        &CREATE[..],
        &create,
        &["uploads", "resume", id],
        &["uploads", "resume", id, "--detach"],
        &["uploads", "discard", id, "--yes"],
    ] {
        let output = stage.env.run(args).fails_with(5);
        let expected = [process.as_str(), &attach, &format!("Upload {id} is detached.")];
        assert!(expected.iter().all(|words| output.stderr.contains(words)), "{args:?}: {output}");
    }
    assert_eq!(stage.env.azcopy_starts().len(), 1);
    stage.release();
    stage.attach(&started, &[]).success();
}
