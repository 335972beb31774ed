//! `custom deployments create`: checks, confirmation, requests, output.

use foundry_emulator::{Arm, Fault, FaultKind, Route};
use serde_json::json;

use super::{SOURCE, create, custom, env, with, writes};
#[cfg(unix)]
use crate::support::Terminal;
use crate::support::TestEnv;

/// Base model whose SKUs the catalogue lists.
const BASE: &str = "FW-Qwen3-14B";
const YES: [&str; 2] = ["--yes", "--no-prompt"];

/// The body of the only PUT.
fn put(env: &TestEnv) -> (String, serde_json::Value) {
    let requests = env.emulator().requests();
    let puts: Vec<_> = requests.iter().filter(|one| one.method == "PUT").collect();
    assert_eq!(puts.len(), 1, "{puts:?}");
    (puts[0].query["api-version"].clone(), puts[0].body.clone())
}

#[test]
fn a_registered_model_becomes_an_endpoint() {
    let env = env();
    insta::assert_snapshot!(create(&env, &YES));
    // The published example, field by field; SKU and capacity are those of the catalogue.
    let body = json!({
        "sku": {"name": "GlobalProvisionedManaged", "capacity": 80},
        "properties": {"model": {"format": "FireworksCustom", "name": "my-model", "version": "1", "source": SOURCE}},
    });
    assert_eq!(put(&env), ("2025-06-01".to_owned(), body));
}

#[test]
fn json_is_the_deployment_as_the_last_get_sent_it() {
    let env = env();
    let output = create(&env, &["--yes", "--no-prompt", "-o", "json", "-q"]).success();
    assert_eq!(output.json(), super::shown(&env)[0]);
    assert_eq!(output.stderr, "");
}

#[test]
fn a_draft_model_is_sent_as_the_specification_shows_it() {
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
    // An older version does not show the draft, so the pages ask a newer one.
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
fn every_option_reaches_the_request() {
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
fn a_dry_run_shows_checks_and_request_and_sends_nothing() {
    let env = env();
    insta::assert_snapshot!(create(&env, &["--dry-run"]));
    let json = create(&env, &["--dry-run", "-o", "json"]).success().json();
    let keys: Vec<&String> = json.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["schemaVersion", "name", "account", "resourceGroup", "subscription", "checks", "requests"]);
    assert_eq!(json["checks"][0], json!({"id": "name", "status": "passed", "message": "'dep' is free"}));
    assert_eq!(json["requests"][0]["method"], "PUT");
    assert!(env.emulator().requests().iter().all(|one| one.method == "GET"));
    // A failed check has its exit code, and is in the document.
    env.emulator().seed_deployment(&custom("dep")).expect("seeded");
    let output = create(&env, &["--dry-run", "-o", "json"]).fails_with(5);
    assert_eq!(output.json()["checks"][0]["status"], "failed");
}

#[test]
fn a_script_that_did_not_agree_sends_nothing_at_all() {
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
fn a_user_is_asked_once_and_may_decline() {
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

#[cfg(unix)]
#[test]
fn missing_values_are_asked_for_on_a_terminal() {
    let env = with(Arm { lists_custom_models: false, ..Arm::default() });
    env.emulator().seed(&json!({"name": "another", "version": "3"})).expect("seeded");
    let mut terminal = Terminal::start(&env, 200, &["custom", "deployments", "create", "-y"]);
    terminal.wait_for("another (version 3)");
    for (question, answer) in [
        ("my-model (version 1)", "my-mod\r"),
        ("Name of the deployment [my-model]:", "-bad\n"),
        ("Invalid answer: must have 2 to 64", "dep\n"),
        ("SKU, for example GlobalProvisionedManaged:", "\n"),
        ("the answer cannot be empty", "GlobalProvisionedManaged\n"),
        ("Capacity:", "many\n"),
        ("must be a whole number of 1 or more", "80\n"),
    ] {
        terminal.wait_for(question);
        terminal.type_text(answer);
    }
    let ended = terminal.finish();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    assert_eq!(put(&env).1["sku"], json!({"name": "GlobalProvisionedManaged", "capacity": 80}));
}

/// All of them together: the author of a script should not find them one by one.
#[test]
fn all_missing_values_are_told_together_before_any_request() {
    let env = env();
    let told: Vec<String> = [
        &["custom", "deployments", "create", "--no-prompt"][..],
        &["custom", "deployments", "create", "--name", "dep", "--sku-name", "S"],
        &["base", "deployments", "create", "--no-prompt"],
        &["base", "deployments", "create", "--sku-name", "GlobalProvisionedManaged", "--no-prompt"],
    ]
    .into_iter()
    .map(|args| env.run(args).fails_with(2).to_string())
    .collect();
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(env.emulator().requests(), []);
}

#[test]
fn missing_values_are_usage_errors_before_any_request() {
    let env = env();
    for (args, named) in [
        (&["custom", "deployments", "create", "--model", "my-model", "-y"][..], "--name NAME"),
        (&["custom", "deployments", "create", "--name", "d2", "-y"], "--model MODEL"),
        (&["custom", "deployments", "create", "--name", "-bad", "--model", "m", "-y"], "unexpected"),
        (&["custom", "deployments", "create", "--name=x", "--model", "m", "-y"], "2 to 64"),
        (
            &["custom", "deployments", "create", "--name", "d2", "--model", "m", "--sku-capacity", "0"],
            "'--sku-capacity <N>': must be a whole number of 1 or more\n",
        ),
    ] {
        let output = env.run(args).fails_with(2);
        assert!(output.stderr.contains(named), "{output}");
    }
    assert_eq!(env.emulator().requests(), []);
    let error = env.run(&["deployments", "create", "--name", "x"]).fails_with(2);
    insta::assert_snapshot!(error, @r"
    ------- stderr -------
    ERROR: 'deployments create' does not exist: a deployment has a custom or a base model

    Suggestion: Use one of these commands:
      azure-ai-models custom deployments create --name x
      azure-ai-models base deployments create --name x
    [exit code: 2]
    ");
    for verb in ["update", "wait"] {
        let error = env.run(&["deployments", verb, "--name", "x", "--timeout", "1h"]).fails_with(2);
        for group in ["custom", "base"] {
            let line = format!("\n  azure-ai-models {group} deployments {verb} --name x --timeout 1h\n");
            assert!(error.stderr.contains(&line), "{error}");
        }
    }
}

/// Each of these is seen before anything is sent.
#[test]
fn every_failed_check_has_its_exit_code_and_sends_nothing() {
    let fails = |arm: Arm, more: &[&str], code: i32, words: &str| {
        let env = with(arm);
        let output = create(&env, &[more, &YES].concat()).fails_with(code);
        assert!(output.stderr.contains(words), "{words}: {output}");
        assert_eq!(writes(&env), Vec::<String>::new(), "{output}");
    };
    let with_deployment = |deployment| Arm { deployments: vec![deployment], ..Arm::default() };
    fails(with_deployment(super::base("dep")), &[], 5, "deployment 'dep' already exists");
    fails(with_deployment(custom("twin")), &[], 5, "already deployed as 'twin'");
    fails(Arm::default(), &["--model", "none"], 3, "model 'none' not found");
    fails(Arm::default(), &["--model-version", "9"], 3, "has no version 9");
    fails(Arm { feature: "NotRegistered".into(), ..Arm::default() }, &[], 1, "az feature register");
    fails(Arm::default(), &["--sku-name", "Standard"], 2, "Use one of: GlobalProvisionedManaged.");
    let off_step = "capacity 90 is not accepted by SKU 'GlobalProvisionedManaged': the step is 40, and the nearest accepted capacities are 80 and 120\n\nSuggestion: Use a --sku-capacity of 80 or 120.\n";
    fails(Arm::default(), &["--sku-capacity", "90"], 2, off_step);
    fails(
        Arm { lists_custom_models: false, ..Arm::default() },
        &[],
        2,
        "--sku-name GlobalProvisionedManaged --sku-capacity 80",
    );
    fails(Arm::default(), &["--sku-capacity", "80000"], 1, "not enough quota");
}

#[test]
fn a_model_that_is_not_registered_yet_is_not_deployed() {
    let env = env();
    let begun = json!({"name": "early", "version": "1", "provisioningState": "Creating"});
    env.emulator().seed(&begun).expect("seeded");
    let output = create(&env, &["--model", "early", "-y"]).fails_with(8);
    assert!(output.stderr.contains("is not registered (state Creating)"), "{output}");
}

/// The SKU of the base model is used for a model that no list has.
#[test]
fn the_base_model_gives_the_sku_of_an_unlisted_model() {
    let env = with(Arm { lists_custom_models: false, ..Arm::default() });
    let base = "azureml://registries/azureml-fireworks/models/FW-Qwen3-14B/versions/1";
    env.emulator().seed(&json!({"name": "tuned", "version": "1", "baseModel": base})).expect("seeded");
    create(&env, &["--model", "tuned", "-y"]).success();
    assert_eq!(put(&env).1["sku"], json!({"name": "GlobalProvisionedManaged", "capacity": 80}));
}

#[test]
fn forbidden_reads_skip_their_checks() {
    let env = env();
    for route in [Route::ArmDeployments, Route::ArmFeature, Route::ArmUsages, Route::ArmModels] {
        env.emulator().add_fault(Fault::new(route, FaultKind::status(403)));
    }
    let sku = ["--sku-name", "GlobalProvisionedManaged", "--sku-capacity", "80"];
    let output = create(&env, &[&sku[..], &YES].concat()).success();
    for id in ["twin", "feature", "sku", "quota"] {
        assert!(output.stderr.contains(&format!("  {id}: not checked: no permission\n")), "{output}");
    }
    // A failed check of the name is an error: without it PUT may change an existing deployment.
    let env = super::env();
    env.emulator().add_fault(Fault::new(Route::ArmGet, FaultKind::status(403)));
    create(&env, &YES).fails_with(4);
    assert_eq!(writes(&env), Vec::<String>::new());
}

#[test]
fn without_the_projects_models_the_version_has_to_be_named() {
    let env = env();
    for route in [Route::Get, Route::Versions] {
        env.emulator().add_fault(Fault::new(route, FaultKind::refusal(403, "PermissionDenied", "no")));
    }
    let output = create(&env, &YES).fails_with(2);
    assert!(output.stderr.contains("--model-version is required"), "{output}");
    let output = create(&env, &["--model-version", "1", "-y"]).success();
    assert!(output.stderr.contains("  model: not checked: no permission\n"), "{output}");
}

#[test]
fn an_existing_deployment_of_the_same_model_is_kept() {
    let env = with(Arm { deployments: vec![custom("dep")], ..Arm::default() });
    let keep = |more: &[&str]| create(&env, &[&["--if-not-exists"], more].concat());
    // Nothing is billed by this, so no consent is needed.
    let output = keep(&["--no-prompt"]).success();
    assert!(output.stderr.contains("already exists: nothing was created"), "{output}");
    assert_eq!(keep(&["-o", "json"]).success().json(), super::shown(&env)[0]);
    let output = keep(&["--sku-capacity", "160"]).success();
    assert!(output.stderr.contains("WARNING: Deployment 'dep' has options other than"), "{output}");
    // cmd.exe needs no quotes here.
    let tag = if cfg!(windows) { "a=b" } else { "'a=b'" };
    let update = format!("azure-ai-models custom deployments update --name dep --sku-capacity 160 --set-tag {tag}\n");
    let output = keep(&["--sku-capacity", "160", "--tag", "a=b"]).success();
    assert!(output.stderr.contains(&update), "{output}");
    // Refused with the same command, or with the one that lists what exists.
    let refused = create(&env, &["--sku-capacity", "160", "--tag", "a=b", "-y"]).fails_with(5);
    assert!(refused.stderr.contains(&update), "{refused}");
    for more in [&["-y"][..], &["-y", "--sku-capacity", "160", "--model-version", "2"]] {
        let refused = create(&env, more).fails_with(5);
        assert!(refused.stderr.contains("azure-ai-models deployments show --name dep\n"), "{refused}");
    }
    for other in [["--sku-name", "Standard"], ["--model-version", "2"], ["--model", "other"]] {
        keep(&other).fails_with(5);
    }
    assert_eq!(writes(&env), Vec::<String>::new());
    // Missing: created after the consent.
    let env = super::env();
    create(&env, &["--if-not-exists", "--no-prompt"]).fails_with(2);
    create(&env, &["--if-not-exists", "--yes"]).success();
    assert_eq!(writes(&env), ["PUT dep"]);
    let failed = json!({"name": "bad", "sku": {"name": "S", "capacity": 1}, "properties": {"provisioningState": "Failed", "model": {"format": "FireworksCustom", "name": "my-model", "version": "1", "source": SOURCE}}});
    env.emulator().seed_deployment(&failed).expect("seeded");
    let args = ["custom", "deployments", "create", "-n", "bad", "--model", "my-model", "--if-not-exists"];
    let output = env.run(&args).fails_with(1);
    assert!(output.stderr.contains("custom deployments delete --name bad"), "{output}");
}

#[test]
fn without_waiting_the_accepted_deployment_is_shown() {
    let env = env();
    insta::assert_snapshot!(create(&env, &["--yes", "--no-wait"]));
    let env = super::deploying(foundry_emulator::Deploying { put_status: 202, hidden_gets: 9, ..Default::default() });
    let json = create(&env, &["--yes", "--no-wait", "-o", "json"]).success().json();
    assert_eq!(json, json!({"name": "dep", "properties": {"provisioningState": "Accepted"}}));
}

/// Upload, registration and deployment in one command.
#[test]
fn create_with_deploy_goes_from_weights_to_an_endpoint() {
    let env = env();
    env.write_model();
    let args = ["custom", "create", "-n", "tuned", "--source", "model", "--base-model", BASE, "--deploy", "--yes"];
    let output = env.run(&args).success();
    assert!(output.stdout.contains("\nDeployment: tuned\n"), "{output}");
    assert!(!output.stdout.contains("To deploy this model:"), "{output}");
    // The checks come before anything is uploaded.
    let at = |words: &str| output.stderr.find(words).unwrap_or_else(|| panic!("{words}: {output}"));
    assert!(at("quota: ") < at("Step 1/3") && at("billed while it exists") < at("Step 1/3"), "{output}");
    let args = [
        "custom",
        "create",
        "-n",
        "other",
        "--source",
        "model",
        "--base-model",
        BASE,
        "--deploy",
        "named",
        "-y",
        "-o",
        "json",
    ];
    let json = env.run(&args).success().json();
    assert_eq!((json["name"].as_str(), json["deployment"]["name"].as_str()), (Some("other"), Some("named")));
    assert_eq!(json["deployment"], super::shown(&env)[1]);
}

/// A deployment is billed, so that it takes the user's word each time.
#[test]
fn a_resumed_upload_names_the_deployment_that_it_does_not_make() {
    let mut env = env();
    env.write_model();
    env.azcopy_script("init\nerror broken\nnext-run\ninit\nerror broken\nnext-run\ndefault");
    let create = ["custom", "create", "-n", "tuned", "--source", "model", "--base-model", BASE, "--yes"];
    let deploy = ["--deploy", "named", "--sku-name", "GlobalProvisionedManaged", "--sku-capacity", "80"];
    env.run(&[&create[..], &deploy].concat()).fails_with(7);
    let id = env.run(&["uploads", "list", "-o", "json"]).success().json()[0]["id"].as_str().expect("an id").to_owned();
    let resume = ["uploads", "resume", &id];
    env.run(&resume).fails_with(7);
    let output = env.run(&resume).success();
    assert!(output.stderr.contains("WARNING: The model is not deployed: 'uploads resume' does not repeat"), "{output}");
    let command = "azure-ai-models custom deployments create --name named --sku-name GlobalProvisionedManaged \
                   --sku-capacity 80 --model tuned --model-version 1";
    assert!(output.stdout.contains(command), "{output}");
    assert!(env.emulator().requests().iter().all(|one| one.method != "PUT"), "{output}");
}

#[test]
fn a_deployment_that_fails_leaves_the_model_registered() {
    let env = env();
    env.write_model();
    env.emulator().add_fault(Fault::new(Route::ArmPut, FaultKind::refusal(403, "AuthorizationFailed", "no")));
    let args =
        ["custom", "create", "-n", "tuned", "--source", "model", "--base-model", BASE, "--deploy", "named", "--yes"];
    let output = env.run(&args).fails_with(4);
    assert!(output.stderr.contains("Model 'tuned' (version 1) is registered but not deployed."), "{output}");
    let again = "azure-ai-models custom deployments create --name named --model tuned --model-version 1";
    assert!(output.stderr.contains(again), "{output}");
    env.run(&["custom", "show", "--name", "tuned"]).success();
}

#[test]
fn a_deployment_that_cannot_be_stops_the_upload_before_it_begins() {
    let uploads = |env: &TestEnv| env.emulator().requests().iter().filter(|one| one.method == "POST").count();
    let env = with(Arm { deployments: vec![super::base("tuned")], ..Arm::default() });
    env.write_model();
    let args = ["custom", "create", "-n", "tuned", "--source", "model", "--deploy"];
    env.run(&args).fails_with(2);
    env.run(&[&args[..], &["--yes"]].concat()).fails_with(5);
    env.run(&[&args[..], &["--yes", "--weight-type", "DraftModel"]].concat()).fails_with(2);
    env.run(&["custom", "create", "-n", "tuned", "--source", "model", "--sku-capacity", "80"]).fails_with(2);
    assert_eq!(uploads(&env), 0);
}

#[test]
fn a_model_that_is_deployed_is_not_deleted() {
    let env = with(Arm { deployments: vec![custom("one")], ..Arm::default() });
    env.emulator().seed(&json!({"name": "my-model", "version": "2"})).expect("seeded");
    let output = env.run(&["custom", "delete", "--name", "my-model", "--version", "1", "--force"]).fails_with(5);
    insta::assert_snapshot!(output, @r"
    ------- stderr -------
    ERROR: model 'my-model' (version 1) is deployed as 'one'

    Suggestion: Delete the deployments first:
      azure-ai-models deployments delete --name one
    [exit code: 5]
    ");
    env.run(&["custom", "delete", "--name", "my-model", "--version", "2", "--force"]).success();
    // Without a role at the account the service decides.
    env.emulator().configure(|config| config.arm.hides_account = true);
    let output = env.run(&["custom", "delete", "--name", "my-model", "--version", "1", "--force"]).fails_with(5);
    assert!(output.stderr.contains("(ModelInUse)"), "{output}");
}
