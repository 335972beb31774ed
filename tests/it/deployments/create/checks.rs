//! Checks before a deployment is created: a failed check has its own exit code, and nothing is sent.

use foundry_emulator::{Arm, Fault, FaultKind, Route};
use serde_json::json;

use super::{YES, put};
use crate::deployments::{base, create, custom, env, with, writes};

/// Each of these failures is detected before anything is sent.
#[test]
fn every_failed_check_has_its_exit_code_and_sends_nothing() {
    let fails = |arm: Arm, more: &[&str], code: i32, words: &str| {
        let env = with(arm);
        let output = create(&env, &[more, &YES].concat()).fails_with(code);
        assert!(output.stderr.contains(words), "{words}: {output}");
        assert_eq!(writes(&env), Vec::<String>::new(), "{output}");
    };
    let with_deployment = |deployment| Arm { deployments: vec![deployment], ..Arm::default() };
    fails(with_deployment(base("dep")), &[], 5, "deployment 'dep' already exists");
    fails(with_deployment(custom("twin")), &[], 5, "already deployed as 'twin'");
    fails(Arm::default(), &["--model", "none"], 3, "model 'none' not found");
    fails(Arm::default(), &["--model-version", "9"], 3, "has no version 9");
    fails(Arm { feature: "NotRegistered".into(), ..Arm::default() }, &[], 1, "az feature register");
    fails(Arm::default(), &["--sku-name", "Standard"], 2, "Use one of: GlobalProvisionedManaged.");
    let capacity_message = "capacity 90 is not accepted by SKU 'GlobalProvisionedManaged': the step is 40, and the nearest accepted capacities are 80 and 120\n\nSuggestion: Use a --sku-capacity of 80 or 120.\n";
    fails(Arm::default(), &["--sku-capacity", "90"], 2, capacity_message);
    fails(
        Arm { lists_custom_models: false, ..Arm::default() },
        &[],
        2,
        "--sku-name GlobalProvisionedManaged --sku-capacity 80",
    );
    fails(Arm::default(), &["--sku-capacity", "80000"], 1, "not enough quota");
}

#[test]
fn model_that_is_not_registered_yet_is_not_deployed() {
    let env = env();
    let begun = json!({"name": "early", "version": "1", "provisioningState": "Creating"});
    env.emulator().seed(&begun).expect("seeded");
    let output = create(&env, &["--model", "early", "-y"]).fails_with(8);
    assert!(output.stderr.contains("is not registered (state Creating)"), "{output}");
}

/// The SKU of the base model is used for a model that no list contains.
#[test]
fn unlisted_model_uses_the_sku_of_its_base_model() {
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
    // A failed check of the name is an error: without it, PUT may change an existing deployment.
    let env = self::env();
    env.emulator().add_fault(Fault::new(Route::ArmGet, FaultKind::status(403)));
    create(&env, &YES).fails_with(4);
    assert_eq!(writes(&env), Vec::<String>::new());
}

#[test]
fn version_is_required_without_access_to_the_projects_models() {
    let env = env();
    for route in [Route::Get, Route::Versions] {
        env.emulator().add_fault(Fault::new(route, FaultKind::refusal(403, "PermissionDenied", "no")));
    }
    let output = create(&env, &YES).fails_with(2);
    assert!(output.stderr.contains("--model-version is required"), "{output}");
    let output = create(&env, &["--model-version", "1", "-y"]).success();
    assert!(output.stderr.contains("  model: not checked: no permission\n"), "{output}");
}
