//! `deployments update`: PATCH for capacity and tags, PUT for other properties, no request without a change.

use foundry_emulator::{Arm, Deploying, RequestRecord};
use serde_json::json;

use super::{deploying, seed, with_two, writes};
use crate::support::{Output, TestEnv};

fn update(env: &TestEnv, more: &[&str]) -> Output {
    env.run(&[&["base", "deployments", "update", "--name", "chat"], more].concat())
}

fn written(env: &TestEnv) -> Vec<RequestRecord> {
    env.emulator().requests().into_iter().filter(|one| one.method != "GET").collect()
}

#[test]
fn capacity_and_tags_are_patched_and_shown_before_and_after() {
    let env = with_two();
    let output = update(&env, &["--sku-capacity", "20", "--set-tag", "stage=prod", "--remove-tag", "team"]);
    insta::assert_snapshot!(output);
    let requests = written(&env);
    assert_eq!(
        (requests[0].method.as_str(), &requests[0].body),
        ("PATCH", &json!({"tags": {"stage": "prod"}, "sku": {"name": "GlobalStandard", "capacity": 20}}))
    );
    assert_eq!((requests.len(), requests[0].query["api-version"].as_str()), (1, "2025-06-01"));
    let json = update(&env, &["--sku-capacity", "30", "-o", "json"]).success().json();
    assert_eq!((json["sku"]["capacity"].as_u64(), json["tags"].clone()), (Some(30), json!({"stage": "prod"})));
}

#[test]
fn added_and_removed_tags_are_reported() {
    let env = with_two();
    let output = update(&env, &["--set-tag", "new=x", "--remove-tag", "team", "--sku-capacity", "1000"]).success();
    for line in ["  capacity: 10 -> 1,000\n", "  tag 'new': added (x)\n", "  tag 'team': removed (was a)\n"] {
        assert!(output.stderr.contains(line), "{line}: {output}");
    }
}

/// The service may merge the tags of a PATCH into the existing tags.
#[test]
fn tag_kept_by_patch_is_removed_by_put() {
    let env = deploying(Deploying { patch_merges_tags: true, patch_status: 202, ..Deploying::default() });
    seed(&env);
    let json = update(&env, &["--remove-tag", "team", "-o", "json"]).success().json();
    assert_eq!(json["tags"], json!({"stage": "dev"}));
    assert_eq!(writes(&env), ["PATCH chat", "PUT chat"]);
}

#[test]
fn other_changes_put_the_complete_deployment() {
    let env = with_two();
    env.emulator().configure(|config| config.arm.content_filters.push("Strict".into()));
    update(&env, &["--rai-policy", "Strict", "--version-upgrade", "NoAutoUpgrade"]).success();
    let requests = written(&env);
    assert_eq!(requests[0].method, "PUT");
    assert_eq!(
        requests[0].body,
        json!({
            "sku": {"name": "GlobalStandard", "capacity": 10},
            "tags": {"team": "a", "stage": "dev"},
            "properties": {
                "model": {"format": "OpenAI", "name": "gpt-4.1", "version": "2025-04-14"},
                "raiPolicyName": "Strict",
                "versionUpgradeOption": "NoAutoUpgrade",
                "xEmulator": {"note": "a field that no client knows"},
            },
        })
    );
}

#[test]
fn unchanged_deployment_is_not_written() {
    let env = with_two();
    let output = update(&env, &["--sku-capacity", "10", "--set-tag", "team=a", "--remove-tag", "none"]).success();
    assert!(output.stderr.contains("already as requested"), "{output}");
    assert_eq!(writes(&env), Vec::<String>::new());
}

#[test]
fn empty_update_and_another_model_or_sku_are_rejected() {
    let env = with_two();
    update(&env, &[]).fails_with(2);
    update(&env, &["--set-tag", "a=1", "--remove-tag", "a"]).fails_with(2);
    insta::assert_snapshot!(update(&env, &["--sku-name", "Standard"]), @r"
    ------- stderr -------
    ERROR: the SKU of a deployment cannot be changed

    Suggestion: Delete the deployment and create it again:
      azure-ai-models base deployments delete --name chat
      azure-ai-models base deployments create --name chat --model gpt-4.1 --sku-name Standard
    [exit code: 2]
    ");
    update(&env, &["--model", "other"]).fails_with(2);
    env.run(&["base", "deployments", "update", "--name", "none", "--sku-capacity", "1"]).fails_with(3);
    assert_eq!(writes(&env), Vec::<String>::new());
}

#[test]
fn increased_billed_capacity_is_reported_without_a_prompt() {
    let env = with_two();
    let args = ["custom", "deployments", "update", "--name", "mine", "--no-prompt", "--sku-capacity"];
    let output = env.run(&[&args[..], &["120"]].concat()).success();
    assert!(output.stderr.contains("  capacity: 80 -> 120\n"), "{output}");
    assert!(output.stderr.contains("billed while it exists"), "{output}");
    let output = env.run(&[&args[..], &["80"]].concat()).success();
    assert!(!output.stderr.contains("billed while it exists"), "{output}");
    let output = update(&env, &["--sku-capacity", "20"]).success();
    assert!(!output.stderr.contains("billed while it exists"), "{output}");
}

/// An older API version does not show a draft model, so a PUT would remove it.
#[test]
fn draft_model_survives_an_update() {
    let env = super::with(Arm::default());
    let args = ["custom", "deployments", "create", "-n", "fast", "--model", "FW-Qwen3-14B", "-y"];
    env.run(&[&args[..], &["--draft-model", "my-model", "--draft-tokens", "4"]].concat()).success();
    env.run(&["base", "deployments", "update", "-n", "fast", "--version-upgrade", "NoAutoUpgrade"]).success();
    let put = written(&env).pop().expect("a write");
    assert_eq!((put.method.as_str(), put.query["api-version"].as_str()), ("PUT", "2026-09-01"));
    assert_eq!(put.body["properties"]["speculativeDecoding"]["draftTokenCount"], 4);
}

#[test]
fn no_wait_names_the_command_that_waits() {
    let env = deploying(Deploying { patch_status: 202, ..Deploying::default() });
    seed(&env);
    let output = update(&env, &["--sku-capacity", "20", "--no-wait"]).success();
    assert!(output.stdout.contains("\n  azure-ai-models base deployments wait --name chat\n"), "{output}");
}

#[test]
fn rejected_change_names_the_accounts_options() {
    let env = with_two();
    let output = update(&env, &["--rai-policy", "None"]).fails_with(1);
    assert!(
        output.stderr.contains("Content filters of the account: Microsoft.Default, Microsoft.DefaultV2"),
        "{output}"
    );
    let args = ["custom", "deployments", "update", "--name", "mine", "--sku-capacity", "90000"];
    let output = env.run(&args).fails_with(1);
    assert!(output.stderr.contains("not enough quota: "), "{output}");
    assert!(output.stderr.contains("https://aka.ms/fireworks-quota"), "{output}");
}

/// Secrets in tags are never printed.
#[test]
fn secret_in_a_tag_is_masked_and_sent_back_unchanged() {
    let env = super::env();
    let mut chat = super::base("chat");
    chat["tags"] = json!({"where": "https://h.example/p?sig=CANARY5A5", "team": "a"});
    env.emulator().seed_deployment(&chat).expect("seeded");
    let output = update(&env, &["--set-tag", "where=gone", "--set-tag", "x=y"]).success();
    assert!(!output.to_string().contains("CANARY5A5"), "{output}");
    let env = super::env();
    env.emulator().seed_deployment(&chat).expect("seeded");
    update(&env, &["--version-upgrade", "NoAutoUpgrade"]).success();
    assert_eq!(written(&env)[0].body["tags"], chat["tags"]);
}
