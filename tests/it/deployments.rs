//! Deployments: output for the user, and requests to Azure Resource Manager.

#[cfg(unix)]
mod account;
mod create;
mod errors;
mod list;
mod update;
mod waiting;

use foundry_emulator::{Arm, Config, Deploying};
use serde_json::{Value, json};

use crate::support::{Output, TestEnv};

/// ARM id of the project.
pub(super) const SOURCE: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-emulator/providers/Microsoft.CognitiveServices/accounts/emulator/projects/demo";

/// Environment with the emulator as Azure Resource Manager, and with the registered model `my-model`.
pub(super) fn env() -> TestEnv {
    with(Arm::default())
}

pub(super) fn with(arm: Arm) -> TestEnv {
    let mut env = TestEnv::with(Config { arm, ..Config::default() });
    let origin = env.emulator().origin();
    env.set("AZURE_AI_MODELS_ARM_ENDPOINT", &origin);
    env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
    env
}

pub(super) fn deploying(deploying: Deploying) -> TestEnv {
    with(Arm { deploying, ..Arm::default() })
}

/// Environment with a custom and a base deployment.
pub(super) fn with_two() -> TestEnv {
    let env = env();
    seed(&env);
    env
}

pub(super) fn seed(env: &TestEnv) {
    for deployment in [custom("mine"), base("chat")] {
        env.emulator().seed_deployment(&deployment).expect("seeded");
    }
}

pub(super) fn custom(name: &str) -> Value {
    json!({
        "name": name,
        "sku": {"name": "GlobalProvisionedManaged", "capacity": 80},
        "properties": {"model": {"format": "FireworksCustom", "name": "my-model", "version": "1", "source": SOURCE}},
    })
}

pub(super) fn base(name: &str) -> Value {
    json!({
        "name": name,
        "sku": {"name": "GlobalStandard", "capacity": 10},
        "tags": {"team": "a", "stage": "dev"},
        "properties": {"model": {"format": "OpenAI", "name": "gpt-4.1", "version": "2025-04-14"}},
    })
}

/// Creates the deployment `dep` of the registered model.
#[must_use = "either snapshot the output or assert the exit code"]
pub(super) fn create(env: &TestEnv, more: &[&str]) -> Output {
    let create = ["custom", "deployments", "create", "--name", "dep", "--model", "my-model"];
    env.run(&[&create[..], more].concat())
}

/// Deployments of the emulator as shown in the output: values that differ between runs are masked.
pub(super) fn shown(env: &TestEnv) -> Vec<Value> {
    let all = masked(env, &Value::from(env.emulator().deployments()));
    all.as_array().expect("a list").clone()
}

/// Value as shown in the output of a run.
pub(super) fn masked(env: &TestEnv, value: &Value) -> Value {
    serde_json::from_str(&env.clean(&value.to_string())).expect("json")
}

/// `METHOD name` of all write requests to Azure Resource Manager.
pub(super) fn writes(env: &TestEnv) -> Vec<String> {
    let requests = env.emulator().requests();
    let writes = requests.iter().filter(|one| one.path.contains("/accounts/") && one.method != "GET");
    writes.map(|one| format!("{} {}", one.method, one.path.rsplit('/').next().unwrap_or_default())).collect()
}
