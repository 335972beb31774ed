//! Rejections by the Hub and faulty responses: exit codes and messages.

use fake_hub::{Config, Fault, FaultKind, Gate, Route};

use super::{Fixture, TOKEN, valid_model};
use crate::support::Output;

fn fixture(change: impl FnOnce(&mut Config)) -> Fixture {
    Fixture::with(&valid_model(), |config| {
        config.token = Some(TOKEN.to_owned());
        change(config);
    })
}

fn check(fixture: &Fixture, source: &str) -> Output {
    fixture.run(&["custom", "check", source])
}

fn status(status: u16, code: Option<&str>, message: Option<&str>) -> FaultKind {
    let (code, message) = (code.map(str::to_owned), message.map(str::to_owned));
    FaultKind::Status { status, code, message, retry_after: None }
}

/// Checks the exit code and a part of the message.
fn fails(fixture: &Fixture, source: &str, code: i32, words: &[&str]) {
    let output = check(fixture, source).fails_with(code);
    for word in words {
        assert!(output.stderr.contains(word), "{word}: {output}");
    }
}

#[test]
fn private_repository_is_not_found_without_a_token() {
    let mut fixture = fixture(|config| config.repos[0].is_private = true);
    insta::assert_snapshot!(check(&fixture, "hf://org/model").fails_with(4), @"
    ------- stderr -------
    ERROR: repository 'org/model' not found on 127.0.0.1, or it is private

    Suggestion: Check the name 'org/model'. For a private repository sign in with 'hf auth login', or set HF_TOKEN.

    Request id: Root=1-fake-hub, [TIME]
    [exit code: 4]
    ");
    fixture.env.set("HF_TOKEN", TOKEN);
    check(&fixture, "hf://org/model").success();
    fails(&fixture, "hf://org/other", 3, &["'org/other' not found on", "the token from HF_TOKEN can read it"]);
    fixture.env.set("HF_TOKEN", "hf_WRONGWRONGWRONG");
    fails(&fixture, "hf://org/model", 4, &["rejected the token from HF_TOKEN", "Set HF_TOKEN to a valid token"]);
}

#[test]
fn stored_token_gives_access_to_a_private_repository_unless_disabled() {
    let mut fixture = fixture(|config| config.repos[0].is_private = true);
    let token = fixture.env.home().join(".cache/huggingface/token");
    std::fs::create_dir_all(token.parent().expect("a parent")).expect("directories");
    std::fs::write(&token, format!("{TOKEN}\n")).expect("written");
    check(&fixture, "hf://org/model").success();
    fixture.env.set("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1");
    fails(&fixture, "hf://org/model", 4, &["or it is private"]);
}

#[test]
fn gated_and_disabled_repositories_have_suggestions() {
    let mut gated = fixture(|config| {
        config.repos[0].gate = Gate::Manual;
        config.has_gated_access = false;
    });
    fails(&gated, "hf://org/model", 4, &["must be granted first", "Open http://[HUB]/org/model", "hf auth login"]);
    gated.env.set("HF_TOKEN", TOKEN);
    fails(&gated, "hf://org/model", 4, &["accept its terms", "The token from HF_TOKEN must belong"]);
    let disabled = fixture(|config| config.repos[0].is_disabled = true);
    fails(&disabled, "hf://org/model", 4, &["has disabled access to the repository 'org/model'"]);
}

#[test]
fn missing_path_suggests_similar_names() {
    let fixture = fixture(|_| {});
    fails(&fixture, "hf://org/model@v9", 3, &["has no revision 'v9'", "/org/model/tree/main"]);
    fails(&fixture, "hf://org/model/onxx", 3, &["no file or folder 'onxx'", "Similar names: onnx"]);
    insta::assert_snapshot!(check(&fixture, "hf://org/model/tokenizer.jsn").fails_with(3), @"
------- stderr -------
ERROR: the repository 'org/model' has no file or folder 'tokenizer.jsn'

Suggestion: Similar names: tokenizer.json
[exit code: 3]
");
}

#[test]
fn each_fault_of_the_hub_has_its_exit_code_and_message() {
    let shard = "model-00001-of-00002.safetensors";
    for (route, kind, code, words) in [
        (Route::Revision, FaultKind::Html, 9, "is not from a Hugging Face Hub"),
        (Route::Resolve, FaultKind::Leave, 9, "http://elsewhere.example/file, which is not allowed"),
        (Route::Tree, FaultKind::Leave, 9, "continues on another host"),
        (Route::Tree, FaultKind::Loop, 9, "repeats a page"),
        (Route::Revision, status(503, None, None), 9, "the Hugging Face Hub returned an error"),
        (Route::Revision, status(403, None, None), 4, "denied access to the repository"),
        (Route::Resolve, FaultKind::OtherCommit, 9, "responses for model-00001-of-00002.safetensors are inconsistent"),
        (Route::Resolve, FaultKind::OtherSize, 9, "are inconsistent"),
        (Route::Resolve, FaultKind::OtherSum, 9, "are inconsistent"),
        (Route::Cdn, FaultKind::IgnoreRange, 9, "does not send the requested part"),
        (Route::Cdn, FaultKind::Expired, 7, "also with a new signed URL"),
        (Route::Cdn, FaultKind::Empty, 9, "could not reach"),
        (Route::Revision, FaultKind::RateLimit { reset: 301 }, 9, "throttled the requests"),
    ] {
        let fixture = fixture(|_| {});
        let fault = Fault::new(route, kind.clone());
        fixture.hub.add_fault(if matches!(route, Route::Resolve | Route::Cdn) { fault.of(shard) } else { fault });
        fails(&fixture, "hf://org/model", code, &[words]);
    }
}

#[test]
fn transient_faults_are_retried() {
    let shard = "model-00001-of-00002.safetensors";
    for (route, kind) in [
        (Route::Any, status(503, None, None)),
        (Route::Any, status(429, None, None)),
        (Route::Revision, FaultKind::RateLimit { reset: 3 }),
        (Route::Cdn, FaultKind::Expired),
        (Route::Cdn, FaultKind::InvalidRange),
        (Route::Cdn, FaultKind::Empty),
        (Route::Cdn, FaultKind::Short),
        (Route::Cdn, FaultKind::Cut),
    ] {
        let fixture = fixture(|_| {});
        let fault = Fault::new(route, kind.clone()).times(1);
        fixture.hub.add_fault(if route == Route::Cdn { fault.of(shard) } else { fault });
        let output = check(&fixture, "hf://org/model").success();
        assert!(output.stdout.starts_with("No problems found"), "{kind:?}: {output}");
    }
}

#[test]
fn server_without_commits_is_rejected() {
    let fixture = fixture(|config| config.has_commit_header = false);
    fails(
        &fixture,
        "hf://org/model",
        9,
        &["is not from a Hugging Face Hub: the response for a file contains no commit"],
    );
}

#[test]
fn wrong_checksum_of_a_small_file_ends_the_check() {
    let fixture = fixture(|config| config.repos[0].wrong_sums = vec!["tokenizer.json".to_owned()]);
    fails(&fixture, "hf://org/model", 7, &["tokenizer.json differs from the Hub's checksum: expected ", ", found "]);
}
