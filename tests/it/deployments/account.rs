//! The account of a project: values of the azd environment, the search, and the stored values.

use std::fs;

use fake_azd_host::{FakeHost, HostState};
use foundry_emulator::{Arm, ArmTenant, Config};
use serde_json::json;

use crate::support::TestEnv;

const FIRST: &str = "00000000-0000-0000-0000-000000000001";

/// Environment of a program that azd runs, whose azd environment `dev` holds the endpoint and these values.
fn run_by_azd(config: Config, values: &[(&str, &str)]) -> (TestEnv, FakeHost) {
    let mut env = TestEnv::with(config);
    let (origin, endpoint) = (env.emulator().origin(), env.emulator().endpoint());
    let values = [&[("AZURE_PROJECT_ENDPOINT", endpoint.as_str())], values].concat();
    let mut host_state = HostState::default().with_environment("dev", true, &values);
    host_state.project = Some(("demo".into(), "/demo".into()));
    let host = FakeHost::start(host_state);
    env.unset("AZURE_PROJECT_ENDPOINT").set("AZURE_AI_MODELS_ARM_ENDPOINT", &origin).run_by(&host);
    (env, host)
}

fn searched(env: &TestEnv) -> usize {
    env.emulator().requests().iter().filter(|one| one.path == "/subscriptions").count()
}

#[test]
fn found_account_is_stored_in_the_environment_of_the_endpoint() {
    let (env, host) = run_by_azd(Config::default(), &[("AZURE_LOCATION", "kept")]);
    env.run(&["deployments", "list"]).success();
    let stored = host.host_state().environments["dev"].values.clone();
    let of = |key: &str| stored.get(key).map(String::as_str);
    assert_eq!(
        [
            of("AZURE_SUBSCRIPTION_ID"),
            of("AZURE_RESOURCE_GROUP_NAME"),
            of("AZURE_ACCOUNT_NAME"),
            of("AZURE_PROJECT_NAME")
        ],
        [Some(FIRST), Some("rg-emulator"), Some("emulator"), Some("demo")]
    );
    assert_eq!(of("AZURE_LOCATION"), Some("kept"), "existing values are not replaced");
    assert_eq!(searched(&env), 1);
    env.run(&["deployments", "list"]).success();
    assert_eq!(searched(&env), 1, "the second run searches no more");
}

#[test]
fn endpoint_given_by_option_stores_nothing() {
    let (env, host) = run_by_azd(Config::default(), &[]);
    let endpoint = env.emulator().endpoint();
    env.run(&["deployments", "list", "-e", &endpoint]).success();
    assert_eq!(host.host_state().environments["dev"].values.len(), 1);
}

#[test]
fn project_id_of_azds_templates_needs_no_search() {
    let id = format!(
        "/subscriptions/{FIRST}/resourceGroups/rg-emulator/providers/Microsoft.CognitiveServices/accounts/emulator/projects/demo"
    );
    let (env, _host) = run_by_azd(Config::default(), &[("AZURE_AI_PROJECT_ID", &id)]);
    env.run(&["deployments", "list"]).success();
    assert_eq!(searched(&env), 0);
    // An option with another value selects another account.
    let output = env.run(&["deployments", "list", "--account", "other"]).success();
    assert!(output.stdout.contains("0 deployment(s) found") && output.stderr.contains("WARNING"), "{output}");
    assert_eq!(searched(&env), 1);
}

#[test]
fn subscription_of_the_environment_is_searched_first() {
    let tenant = |id: &str, subscription: &str| ArmTenant {
        id: id.into(),
        token: None,
        subscriptions: vec![(subscription.into(), subscription.into())],
    };
    let arm = Arm { tenants: vec![tenant("t1", FIRST), tenant("t2", "other")], ..Arm::default() };
    let (env, _host) = run_by_azd(Config { arm, ..Config::default() }, &[("AZURE_SUBSCRIPTION_ID", FIRST)]);
    env.run(&["deployments", "list"]).success();
    let asked = env.emulator().requests().into_iter().filter(|one| one.path.ends_with("/accounts")).count();
    assert_eq!(asked, 1, "{:?}", env.emulator().requests());
    // With -s no other subscription is searched.
    env.run(&["deployments", "delete", "-n", "x", "-f", "-s", "other"]).fails_with(3);
}

#[test]
fn ambiguous_accounts_are_all_listed_and_none_is_chosen() {
    let id =
        format!("/subscriptions/{FIRST}/resourceGroups/rg-other/providers/Microsoft.CognitiveServices/accounts/twin");
    let twin = json!({"id": id, "name": "twin"});
    let env = super::with(Arm { more_accounts: vec![twin], ..Arm::default() });
    insta::assert_snapshot!(env.run(&["deployments", "list"]));
    env.run(&["deployments", "list", "--account", "emulator"]).success();
    env.run(&["deployments", "list", "-g", "rg-emulator"]).success();
}

#[test]
fn tokens_of_control_and_data_plane_are_not_mixed() {
    let mut env = super::with_two();
    env.program("azd", r#"case "$*" in *management*) t=arm ;; *) t=project ;; esac; echo "{\"token\":\"$t\",\"expiresOn\":\"2038-01-18T00:00:00Z\"}""#);
    env.set("AZURE_AI_MODELS_CREDENTIAL", "azd");
    let path = format!("{}:/bin:/usr/bin", env.bin().display());
    let endpoint = env.emulator().endpoint();
    env.set("PATH", &path);
    env.run(&["custom", "deployments", "create", "-n", "dep", "--model", "my-model", "-e", &endpoint, "--dry-run"])
        .fails_with(5);
    for request in env.emulator().requests() {
        let length = if request.path.starts_with("/api/") { "project".len() } else { "arm".len() };
        assert_eq!(request.headers["authorization"], format!("Bearer ({length})"), "{}", request.path);
    }
    assert!(!fs::exists(env.work().join(".azure")).expect("a look"));
}
