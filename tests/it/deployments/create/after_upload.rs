//! `custom create --deploy`: upload, registration and deployment in one command.

use foundry_emulator::{Arm, Fault, FaultKind, Route};

use crate::deployments::{base, env, shown, with};
use crate::support::TestEnv;

/// Base model whose SKUs the catalogue lists.
const BASE: &str = "FW-Qwen3-14B";

/// Upload, registration and deployment in one command.
#[test]
fn create_with_deploy_uploads_registers_and_deploys() {
    let env = env();
    env.write_model();
    let args = ["custom", "create", "-n", "tuned", "--source", "model", "--base-model", BASE, "--deploy", "--yes"];
    let output = env.run(&args).success();
    assert!(output.stdout.contains("\nDeployment: tuned\n"), "{output}");
    assert!(!output.stdout.contains("To deploy this model:"), "{output}");
    // The checks run before anything is uploaded.
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
    assert_eq!(json["deployment"], shown(&env)[1]);
}

/// A deployment is billed, so it needs the user's consent each time.
#[test]
fn resumed_upload_names_the_deployment_that_it_does_not_create() {
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
fn failed_deployment_leaves_the_model_registered() {
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
fn impossible_deployment_stops_the_upload_before_it_starts() {
    let uploads = |env: &TestEnv| env.emulator().requests().iter().filter(|one| one.method == "POST").count();
    let env = with(Arm { deployments: vec![base("tuned")], ..Arm::default() });
    env.write_model();
    let args = ["custom", "create", "-n", "tuned", "--source", "model", "--deploy"];
    env.run(&args).fails_with(2);
    env.run(&[&args[..], &["--yes"]].concat()).fails_with(5);
    env.run(&[&args[..], &["--yes", "--weight-type", "DraftModel"]].concat()).fails_with(2);
    env.run(&["custom", "create", "-n", "tuned", "--source", "model", "--sku-capacity", "80"]).fails_with(2);
    assert_eq!(uploads(&env), 0);
}
