//! Errors that end the search: no other project is used in place of one that cannot be read.

use std::fs;

use fake_azd_host::{FakeHost, Fault, HostState, refusal};

use super::{endpoint, run_by, source_of};
use crate::support::TestEnv;

#[test]
fn invalid_stored_endpoint_names_its_source_and_ends_the_search() {
    let host_state = HostState::default().with_environment(
        "dev",
        true,
        &[("AZURE_PROJECT_ENDPOINT", "https://x.example/api/projects/p")],
    );
    let host = FakeHost::start(host_state);
    let mut env = run_by(&host);
    env.set("FOUNDRY_PROJECT_ENDPOINT", &endpoint("other"));
    let error = env.run(&["list", "-o", "json"]).fails_with(2).json_error();
    assert_eq!(error["code"], "bad_endpoint");
    assert_eq!(
        error["message"],
        "the project endpoint in azd environment 'dev': AZURE_PROJECT_ENDPOINT cannot be used: x.example is not a Foundry host"
    );
}

#[test]
fn missing_environment_ends_the_search() {
    let host = FakeHost::start(HostState::default().with_environment("dev", true, &[]));
    let mut env = run_by(&host);
    env.set("FOUNDRY_PROJECT_ENDPOINT", &endpoint("other"));
    insta::assert_snapshot!(env.run(&["list", "-e", "nowhere", "-o", "json"]), @r#"
    ------- stderr -------
    {"error":{"kind":"not_found","code":"environment_not_found","message":"azd environment 'nowhere' not found","status":null,"requestId":null,"suggestion":"To list the environments: azd env list"}}
    [exit code: 3]
    "#);
    env.set("AZD_ENVIRONMENT", "elsewhere");
    let error = env.run(&["list", "-o", "json"]).fails_with(3).json_error();
    assert_eq!(error["message"], "azd environment 'elsewhere' not found");
    host.change(|host_state| host_state.project = None);
    let error = env.run(&["list", "-e", "dev", "-o", "json"]).fails_with(3).json_error();
    assert_eq!(error["message"], "azd environment 'dev' not found: no azd project in this directory");
    // The variable may be unrelated to the program, so without a project it is ignored.
    assert_eq!(source_of(&env, &[]), endpoint("other") + " (from environment variable FOUNDRY_PROJECT_ENDPOINT)");
    assert!(env.emulator().requests().is_empty());
}

#[test]
fn unresponsive_azd_does_not_select_another_project() {
    let host = FakeHost::start(HostState::default().with_environment("dev", true, &[]));
    let mut env = run_by(&host);
    env.set("AZURE_PROJECT_ENDPOINT", &env.emulator().endpoint()).set("AZURE_AI_MODELS_TEST_TIME", "0.01/0.3");
    let error_of = |env: &TestEnv| {
        let error = env.run(&["list", "-o", "json"]).fails_with(9).json_error();
        assert_eq!(error["kind"], "service");
        assert!(error["suggestion"].as_str().is_some_and(|text| text.contains("--project-endpoint")), "{error}");
        (
            error["code"].as_str().unwrap_or_default().to_owned(),
            error["message"].as_str().unwrap_or_default().to_owned(),
        )
    };
    for (method, fault, code, words) in [
        ("Project.Get", Fault::Silence, "azd_unreachable", "azd did not respond within 3s"),
        ("Environment.List", Fault::Silence, "azd_unreachable", "azd did not respond within 3s"),
        ("Environment.GetValues", Fault::Status(refusal(14, "closing")), "azd_unreachable", "closing"),
        ("Environment.List", Fault::Status(refusal(16, "invalid token")), "azd_token_ended", "token"),
    ] {
        host.change(|host_state| host_state.faults = [(method.to_owned(), fault)].into());
        let (found, message) = error_of(&env);
        assert_eq!(found, code, "{method}");
        assert!(message.starts_with("the azd environment cannot be read: ") && message.contains(words), "{message}");
    }
    host.change(|host_state| host_state.faults.clear());
    env.set("AZD_ACCESS_TOKEN", "of-another-azd");
    assert_eq!(error_of(&env).0, "azd_token_ended");
    env.set("AZD_SERVER", "127.0.0.1:9");
    assert_eq!(error_of(&env).0, "azd_unreachable");
    assert!(env.emulator().requests().is_empty());
    // If the command line names the project, azd is not needed.
    env.run(&["list", "-e", &env.emulator().endpoint()]).success();
}

#[test]
fn unreadable_configuration_of_azd_is_reported() {
    let env = TestEnv::new();
    let config = env.home().join(".azd/config.json");
    fs::create_dir_all(config.parent().expect("a parent")).expect("a directory");
    fs::write(&config, "{").expect("a file");
    let output = env.run(&["list"]).success();
    assert!(output.stderr.starts_with("WARNING: the azd configuration [ROOT]/home/.azd/config.json"), "{output}");
}
