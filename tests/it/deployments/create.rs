//! `custom deployments create`: confirmation, requests, output.

mod after_upload;
mod checks;
mod existing;
mod missing_values;

use foundry_emulator::{Arm, Deploying};
use serde_json::json;

use super::{SOURCE, create, custom, env, with, writes};
#[cfg(unix)]
use crate::support::Terminal;
use crate::support::TestEnv;

const YES: [&str; 2] = ["--yes", "--no-prompt"];

/// Body of the only PUT.
fn put(env: &TestEnv) -> (String, serde_json::Value) {
    let requests = env.emulator().requests();
    let puts: Vec<_> = requests.iter().filter(|one| one.method == "PUT").collect();
    assert_eq!(puts.len(), 1, "{puts:?}");
    (puts[0].query["api-version"].clone(), puts[0].body.clone())
}

#[test]
fn registered_model_is_deployed() {
    let env = env();
    insta::assert_snapshot!(create(&env, &YES));
    // The published example, field by field; SKU and capacity come from the catalogue.
    let body = json!({
        "sku": {"name": "GlobalProvisionedManaged", "capacity": 80},
        "properties": {"model": {"format": "FireworksCustom", "name": "my-model", "version": "1", "source": SOURCE}},
    });
    assert_eq!(put(&env), ("2025-06-01".to_owned(), body));
}

#[test]
fn json_is_the_response_of_the_last_get() {
    let env = env();
    let output = create(&env, &["--yes", "--no-prompt", "-o", "json", "-q"]).success();
    assert_eq!(output.json(), super::shown(&env)[0]);
    assert_eq!(output.stderr, "");
}

#[test]
fn draft_model_is_sent_as_specified() {
    let env = env();
    let args = ["custom", "deployments", "create", "-n", "fast", "--model", "fw-qwen3-14b"];
    let draft = ["--draft-model", "my-model", "--draft-tokens", "4", "-y"];
    env.run(&[&args[..], &draft].concat()).success();
    let body = json!({
        "sku": {"name": "GlobalProvisionedManaged", "capacity": 80},
        "properties": {
            "model": {"format": "Fireworks", "name": "FW-Qwen3-14B", "version": "1"},
            "speculativeDecoding": {
                "draftModel": {"format": "FireworksCustom", "name": "my-model", "version": "1", "source": SOURCE},
                "draftTokenCount": 4,
            },
        },
    });
    assert_eq!(put(&env), ("2026-09-01".to_owned(), body));
    let polled = env.emulator().requests().into_iter().rfind(|one| one.path.ends_with("/deployments/fast"));
    assert_eq!(polled.expect("a look").query["api-version"], "2026-09-01", "a write is polled with its own version");
    // An older version does not show the draft model, so `show` and `list` use a newer one.
    for args in [
        &["custom", "deployments", "show", "-n", "fast"][..],
        &["base", "deployments", "wait", "-n", "fast"],
        &["base", "deployments", "update", "-n", "fast", "--sku-capacity", "120"],
    ] {
        let output = env.run(args).success();
        assert!(output.stdout.contains("Draft model:      my-model (version 1, FireworksCustom)"), "{output}");
    }
    env.run(&[&args[..], &["--draft-model", "my-model", "-y"]].concat()).fails_with(2);
    let other = ["custom", "deployments", "create", "-n", "other", "--model", "none", "-y"];
    env.run(&[&other[..], &["--draft-model", "my-model", "--draft-tokens", "4"]].concat()).fails_with(3);
}

#[test]
fn every_option_is_sent() {
    let env = with(Arm { deployments: vec![super::base("spare")], ..Arm::default() });
    let more = [
        "--sku-name",
        "globalprovisionedmanaged",
        "--sku-capacity",
        "160",
        "--rai-policy",
        "Microsoft.Default",
        "--spillover",
        "spare",
        "--version-upgrade",
        "NoAutoUpgrade",
        "--tag",
        "team=a",
        "--tag",
        "empty=",
        "-y",
    ];
    let output = create(&env, &[&more[..], &["--dry-run", "-o", "json"]].concat()).success();
    let request = &output.json()["requests"][0];
    assert_eq!(
        request["body"],
        super::masked(
            &env,
            &json!({
                "sku": {"name": "GlobalProvisionedManaged", "capacity": 160},
                "tags": {"empty": "", "team": "a"},
                "properties": {
                    "model": {"format": "FireworksCustom", "name": "my-model", "version": "1", "source": SOURCE},
                    "raiPolicyName": "Microsoft.Default",
                    "versionUpgradeOption": "NoAutoUpgrade",
                    "spilloverDeploymentName": "spare",
                },
            })
        )
    );
    create(&env, &["--spillover", "none", "-y"]).fails_with(3);
    assert_eq!(writes(&env), Vec::<String>::new());
}

#[test]
fn dry_run_shows_checks_and_request_and_sends_nothing() {
    let env = env();
    insta::assert_snapshot!(create(&env, &["--dry-run"]));
    let json = create(&env, &["--dry-run", "-o", "json"]).success().json();
    let keys: Vec<&String> = json.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["schemaVersion", "name", "account", "resourceGroup", "subscription", "checks", "requests"]);
    assert_eq!(json["checks"][0], json!({"id": "name", "status": "passed", "message": "'dep' is free"}));
    assert_eq!(json["requests"][0]["method"], "PUT");
    assert!(env.emulator().requests().iter().all(|one| one.method == "GET"));
    // A failed check sets the exit code, and is included in the document.
    env.emulator().seed_deployment(&custom("dep")).expect("seeded");
    let output = create(&env, &["--dry-run", "-o", "json"]).fails_with(5);
    assert_eq!(output.json()["checks"][0]["status"], "failed");
}

#[test]
fn script_without_consent_sends_nothing() {
    let env = env();
    insta::assert_snapshot!(create(&env, &["--no-prompt"]), @r"
    ------- stderr -------
    ERROR: cannot confirm the billed deployment with --no-prompt

    Suggestion: Use --yes (-y) to agree to the billing.
    [exit code: 2]
    ");
    let output = create(&env, &[]).fails_with(2);
    assert!(output.stderr.contains("confirm the billed deployment without a terminal"), "{output}");
    assert_eq!(env.emulator().requests(), []);
}

#[cfg(unix)]
#[test]
fn user_is_prompted_once_and_may_decline() {
    for (answer, code) in [("y\n", 0), ("n\n", 1)] {
        let env = env();
        let args = ["custom", "deployments", "create", "--name", "dep", "--model", "my-model"];
        let mut terminal = Terminal::start(&env, 200, &args);
        terminal.wait_for("billed while it exists");
        terminal.wait_for("Create the deployment? (y/N)");
        terminal.type_text(answer);
        let ended = terminal.finish();
        assert_eq!(ended.code, code, "{}", ended.screen);
        assert_eq!(ended.raw.matches("billed while it exists").count(), 1, "{}", ended.raw);
        assert_eq!(writes(&env).len(), usize::from(code == 0));
    }
}

#[test]
fn no_wait_shows_the_accepted_deployment() {
    let env = env();
    insta::assert_snapshot!(create(&env, &["--yes", "--no-wait"]));
    let env = super::deploying(Deploying { put_status: 202, hidden_gets: 9, ..Default::default() });
    let json = create(&env, &["--yes", "--no-wait", "-o", "json"]).success().json();
    assert_eq!(json, json!({"name": "dep", "properties": {"provisioningState": "Accepted"}}));
}
