//! `list`, `show`: tables, pages, JSON, and the project as the source if Azure Resource Manager is not available.

use foundry_emulator::{Arm, Config, Fault, FaultKind, NextLinkForm, Route};
use serde_json::json;

use super::{base, custom, env, seed, with, with_two};
use crate::support::TestEnv;

#[test]
fn each_group_lists_its_own_kind() {
    let env = with_two();
    insta::assert_snapshot!(env.run(&["custom", "deployments", "list"]), @r"
    NAME  MODEL     VERSION  SKU                       CAPACITY  STATE
    mine  my-model  1        GlobalProvisionedManaged  80        Succeeded

    1 deployment(s) found
    ");
    insta::assert_snapshot!(env.run(&["base", "deployments", "list"]), @r"
    NAME  MODEL    VERSION     SKU             CAPACITY  STATE
    chat  gpt-4.1  2025-04-14  GlobalStandard  10        Succeeded

    1 deployment(s) found
    ");
    insta::assert_snapshot!(env.run(&["deployments", "list"]), @r"
    NAME  KIND    MODEL     VERSION     SKU                       CAPACITY  STATE
    mine  custom  my-model  1           GlobalProvisionedManaged  80        Succeeded
    chat  base    gpt-4.1   2025-04-14  GlobalStandard            10        Succeeded

    2 deployment(s) found
    ");
}

#[test]
fn json_is_the_azure_response_and_quiet_lists_names() {
    let env = with_two();
    let json = env.run(&["deployments", "list", "-o", "json"]).success().json();
    assert_eq!(json, json!(super::shown(&env)));
    assert_eq!(env.run(&["deployments", "list", "-q"]).success().stdout, "mine\nchat\n");
    let none = super::env();
    assert_eq!(none.run(&["custom", "deployments", "list", "-o", "json"]).success().stdout, "[]\n");
    assert_eq!(none.run(&["deployments", "list"]).success().stdout, "0 deployment(s) found\n");
    assert_eq!(none.run(&["deployments", "list", "-q"]).success().stdout, "");
}

#[test]
fn list_of_several_pages_is_complete_or_an_error() {
    let pages = |next_link| {
        let env =
            TestEnv::with(Config { arm: Arm { in_pages: true, ..Arm::default() }, next_link, ..Config::default() });
        seed_model(&env);
        env
    };
    let mut env = pages(NextLinkForm::Absolute);
    let origin = env.emulator().origin();
    env.set("AZURE_AI_MODELS_ARM_ENDPOINT", &origin);
    assert_eq!(env.run(&["deployments", "list", "-q"]).success().stdout, "mine\nchat\n");
    // A failed page does not lead to the project's list, which has fewer fields.
    env.emulator().add_fault(Fault::new(Route::ArmDeployments, FaultKind::Html { status: 400 }));
    let output = env.run(&["deployments", "list", "-o", "json"]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output}");
}

fn seed_model(env: &TestEnv) {
    env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
    seed(env);
}

#[test]
fn page_shows_state_capacity_and_usage() {
    let env = with_two();
    insta::assert_snapshot!(env.run(&["custom", "deployments", "show", "--name", "mine"]));
    insta::assert_snapshot!(env.run(&["base", "deployments", "show", "--name", "chat"]));
    let json = env.run(&["deployments", "show", "--name", "chat", "-o", "json"]).success().json();
    assert_eq!(json, super::shown(&env)[1]);
}

/// The user has access to the project, but no role on the account.
#[test]
fn project_lists_deployments_without_azure_resource_manager() {
    let env = with_two();
    env.emulator().configure(|config| config.arm.hides_account = true);
    insta::assert_snapshot!(env.run(&["deployments", "list"]));
    insta::assert_snapshot!(env.run(&["custom", "deployments", "show", "--name", "mine"]));
    let json = env.run(&["custom", "deployments", "list", "-o", "json"]).success().json();
    assert_eq!((json[0]["name"].as_str(), json[0]["modelName"].as_str()), (Some("mine"), Some("my-model")));
    // Commands that need the account report the missing access, and write nothing.
    for args in [
        &["custom", "deployments", "update", "--name", "mine", "--sku-capacity", "160"][..],
        &["custom", "deployments", "delete", "--name", "mine", "--force"],
        &["custom", "deployments", "wait", "--name", "mine"],
    ] {
        let error = env.run(&[args, &["-o", "json"]].concat()).fails_with(3).json_error();
        assert_eq!(error["code"], "account_not_found", "{args:?}");
    }
    assert_eq!(super::writes(&env), Vec::<String>::new());
}

/// Options name the account, so only the list of its deployments is rejected.
#[test]
fn rejected_list_falls_back_to_the_project() {
    let env = with_two();
    env.emulator().add_fault(Fault::new(Route::ArmDeployments, FaultKind::status(403)));
    let output = env.run(&["deployments", "list"]).success();
    assert!(output.stdout.contains("unknown"), "{output}");
    assert!(output.stderr.starts_with("WARNING: No access to the account in Azure Resource Manager"), "{output}");
}

#[test]
fn deployment_of_another_group_is_reported_with_its_command() {
    let env = with_two();
    let output = env.run(&["base", "deployments", "show", "--name", "mine"]).fails_with(3);
    insta::assert_snapshot!(output, @r"
    ------- stderr -------
    ERROR: deployment 'mine' is one of a custom model

    Suggestion: Use the command of that group:
      azure-ai-models custom deployments show --name mine
    [exit code: 3]
    ");
    env.run(&["custom", "deployments", "delete", "--name", "chat", "--force"]).fails_with(3);
    env.run(&["custom", "deployments", "update", "--name", "chat", "--sku-capacity", "1"]).fails_with(3);
    env.run(&["custom", "deployments", "wait", "--name", "chat"]).fails_with(3);
    assert_eq!(super::writes(&env), Vec::<String>::new());
}

#[test]
fn missing_deployment_suggests_similar_names() {
    let env = with_two();
    insta::assert_snapshot!(env.run(&["deployments", "show", "--name", "Chat_"]), @r"
    ------- stderr -------
    ERROR: deployment 'Chat_' not found

    Suggestion: Similar names: 'chat'. To list all: azure-ai-models deployments list
    [exit code: 3]
    ");
}

#[test]
fn similar_names_include_swapped_letters() {
    let env = with_two();
    let output = env.run(&["base", "deployments", "show", "--name", "caht"]).fails_with(3);
    assert!(output.stderr.contains("Similar names: 'chat'."), "{output}");
    let output = env.run(&["base", "show", "--name", "hpi-4"]).fails_with(3);
    assert!(output.stderr.contains("Similar names: 'Phi-4'."), "{output}");
    // A name without its option gets a suggestion.
    let output = env.run(&["deployments", "show", "chat"]).fails_with(2);
    assert!(output.stderr.contains("Suggestion: Use --name chat. See "), "{output}");
}

/// Both groups manage deployments of the account; its draft model may be a custom model.
#[test]
fn fireworks_deployment_is_accepted_by_both_groups() {
    let env = env();
    let mut fireworks = custom("fast");
    fireworks["properties"]["model"] = json!({"format": "Fireworks", "name": "FW-Qwen3-14B", "version": "1"});
    env.emulator().seed_deployment(&fireworks).expect("seeded");
    for group in ["custom", "base"] {
        env.run(&[group, "deployments", "show", "--name", "fast"]).success();
    }
    assert_eq!(env.run(&["custom", "deployments", "list", "-q"]).success().stdout, "");
}

#[test]
fn account_is_found_by_options_without_a_search() {
    let env = with_two();
    let named = ["-s", "00000000-0000-0000-0000-000000000001", "-g", "RG-emulator", "--account", "emulator"];
    env.run(&[&["deployments", "list"], &named[..]].concat()).success();
    let searched = env.emulator().requests().iter().any(|one| one.path == "/subscriptions" || one.path == "/tenants");
    assert!(!searched, "{:?}", env.emulator().requests());
    // No account has that name, but the project still responds to `list`.
    let output = env.run(&["deployments", "list", "--account", "other"]).success();
    assert!(output.stdout.contains("unknown"), "{output}");
    env.run(&["deployments", "delete", "-n", "chat", "-f", "--account", "other"]).fails_with(3);
}

#[test]
fn api_version_option_applies_to_every_provider_request() {
    let env = with(Arm { api_versions: vec!["2030-01-01".into()], ..Arm::default() });
    env.emulator().seed_deployment(&base("chat")).expect("seeded");
    let output = env.run(&["deployments", "list", "--api-version", "2030-01-01", "-q"]).success();
    assert_eq!(output.stdout, "chat\n");
    env.run(&["deployments", "list"]).fails_with(1);
}
