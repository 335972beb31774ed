//! Sources of the project endpoint: each source, their order, and the errors that end the search.
#![cfg(unix)]

mod errors;
mod trust;
mod without_server;

use std::fs;

use fake_azd_host::{FakeHost, HostState};
use foundry_emulator::{Auth, Config};

use crate::support::{Output, TestEnv};

/// Address of a Foundry project that no test reaches: the emulator's token is rejected for this host before that.
fn endpoint(account: &str) -> String {
    format!("https://{account}.services.ai.azure.com/api/projects/p")
}

/// Environment in which no source names a project.
fn env_without_project() -> TestEnv {
    let mut env = TestEnv::new();
    env.unset("AZURE_PROJECT_ENDPOINT");
    env
}

fn run_by(host: &FakeHost) -> TestEnv {
    let mut env = env_without_project();
    env.run_by(host);
    env
}

/// Source of the project in the output of `--debug`.
fn source(output: &Output) -> String {
    let lines: Vec<&str> =
        output.stderr.lines().filter_map(|line| line.strip_prefix("debug: project endpoint: ")).collect();
    assert_eq!(lines.len(), 1, "{output}");
    lines[0].to_owned()
}

fn source_of(env: &TestEnv, args: &[&str]) -> String {
    source(&env.run(&[&["list", "--debug"], args].concat()))
}

/// Installs an `azd` that records its arguments, and responds with this script.
fn azd(env: &TestEnv, script: &str) {
    let calls = env.root().join("azd-calls");
    env.program("azd", &format!("echo \"$*\" >> '{}'\n{script}", calls.display()));
}

fn calls(env: &TestEnv) -> Vec<String> {
    let text = fs::read_to_string(env.root().join("azd-calls")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Creates an azd project on disk, with the default environment `dev`.
fn azd_project(env: &TestEnv) {
    env.write("azure.yaml", "name: demo\n");
    env.write(".azure/config.json", r#"{"version":1,"defaultEnvironment":"dev"}"#);
    env.write(".azure/dev/.env", "AZURE_ENV_NAME=\"dev\"\n");
}

#[test]
fn first_source_that_names_a_project_wins() {
    let host_state =
        HostState::default().with_environment("dev", true, &[("AZURE_PROJECT_ENDPOINT", &endpoint("environment"))]);
    let host = FakeHost::start(host_state);
    let mut env = run_by(&host);
    let config = env.home().join(".azd/config.json");
    fs::create_dir_all(config.parent().expect("a parent")).expect("a directory");
    let stored = endpoint("stored");
    let text = format!(r#"{{"extensions":{{"ai-projects":{{"context":{{"endpoint":"{stored}/"}}}}}}}}"#);
    fs::write(&config, text).expect("a file");
    env.set("AZURE_PROJECT_ENDPOINT", &endpoint("variable")).set("FOUNDRY_PROJECT_ENDPOINT", &endpoint("sibling"));

    assert_eq!(source_of(&env, &["-e", &endpoint("option")]), endpoint("option") + " (from --project-endpoint)");
    let asked = host.methods().iter().filter(|method| *method == "Project.Get").count();
    assert_eq!(asked, 1, "azd was asked for its injected variables, not for a project");
    let source_label = " (from azd environment 'dev': AZURE_PROJECT_ENDPOINT)";
    assert_eq!(source_of(&env, &[]), endpoint("environment") + source_label);
    host.change(|host_state| host_state.environments.clear());
    let source_label = " (from azd configuration: extensions.ai-projects.context.endpoint)";
    assert_eq!(source_of(&env, &[]), endpoint("stored") + source_label);
    fs::remove_file(&config).expect("removed");
    host.change(|host_state| host_state.project = None);
    assert_eq!(source_of(&env, &[]), endpoint("variable") + " (from environment variable AZURE_PROJECT_ENDPOINT)");
    env.set("AZURE_PROJECT_ENDPOINT", "");
    assert_eq!(source_of(&env, &[]), endpoint("sibling") + " (from environment variable FOUNDRY_PROJECT_ENDPOINT)");
    env.unset("FOUNDRY_PROJECT_ENDPOINT");
    env.run(&["list"]).fails_with(2);
    let report = host.reports().pop().expect("a report");
    assert_eq!(report.message, "no Foundry project endpoint is configured");
    assert!(report.suggestion.contains("--project-endpoint"), "{}", report.suggestion);
}

#[test]
fn named_environment_variable_and_default_are_distinguished() {
    let mut host_state = HostState::default();
    for name in ["dev", "test", "prod"] {
        host_state = host_state.with_environment(name, name == "dev", &[("AZURE_PROJECT_ENDPOINT", &endpoint(name))]);
    }
    let host = FakeHost::start(host_state);
    let mut env = run_by(&host);
    let of = |env: &TestEnv, args: &[&str]| {
        let line = source_of(env, args);
        line.split('\'').nth(1).expect("an environment").to_owned()
    };
    assert_eq!(of(&env, &[]), "dev");
    assert_eq!(of(&env, &["-e", "prod"]), "prod");
    assert_eq!(of(&env, &["--environment", "prod"]), "prod");
    env.set("AZD_ENVIRONMENT", "test");
    assert_eq!(of(&env, &[]), "test");
    assert_eq!(of(&env, &["-e", "prod"]), "prod");
    assert!(
        !host.methods().contains(&"Environment.GetCurrent".to_owned()),
        "this call returns only the default environment"
    );
}

#[test]
fn account_and_project_make_an_endpoint() {
    let values = [("AZURE_ACCOUNT_NAME", "acc"), ("AZURE_PROJECT_NAME", "proj")];
    let host = FakeHost::start(HostState::default().with_environment("dev", true, &values));
    let env = run_by(&host);
    assert_eq!(
        source_of(&env, &[]),
        "https://acc.services.ai.azure.com/api/projects/proj (from azd environment 'dev': AZURE_ACCOUNT_NAME and AZURE_PROJECT_NAME)"
    );
    // The values are not accepted if they lead to another host.
    host.change(|host_state| {
        let values = [("AZURE_ACCOUNT_NAME", "evil.example/x"), ("AZURE_PROJECT_NAME", "proj")];
        *host_state = host_state.clone().with_environment("dev", true, &values);
    });
    env.run(&["list"]).fails_with(2);
    let message = host.reports().pop().expect("a report").message;
    assert!(message.contains("evil.example is not a Foundry host"), "{message}");
}

#[test]
fn tenant_of_the_source_is_used_in_the_token_request() {
    let mut env = TestEnv::with(Config { auth: Auth::Token("the-token".into()), ..Config::default() });
    let url = env.emulator().endpoint();
    let values = [("AZURE_PROJECT_ENDPOINT", url.as_str()), ("AZURE_TENANT_ID", "tenant-of-dev")];
    let host = FakeHost::start(HostState::default().with_environment("dev", true, &values));
    env.unset("AZURE_PROJECT_ENDPOINT").unset("AZURE_AI_MODELS_CREDENTIAL").run_by(&host);
    // The user trusts the endpoint on this machine.
    env.set("AZURE_AI_MODELS_ALLOW_HOST", "127.0.0.1");
    // azd passes the default environment's values to the program, so the user's variable does not take precedence here.
    env.set("AZURE_TENANT_ID", "tenant-of-the-process");
    azd(&env, r#"echo '{"token":"the-token","expiresOn":"2038-01-18T00:00:00Z"}'"#);
    let path = format!("{}:/bin:/usr/bin", env.bin().display());
    env.set("PATH", &path);
    env.run(&["list"]).success();
    env.run(&["list", "-e", &url]).success();
    host.change(|host_state| *host_state = host_state.clone().with_environment("dev", true, &values[..1]));
    env.run(&["list"]).success();
    let tenants: Vec<String> =
        calls(&env).iter().map(|call| call.split("--tenant-id ").nth(1).unwrap_or_default().to_owned()).collect();
    assert_eq!(tenants, ["tenant-of-dev", "tenant-of-the-process", "tenant-of-the-process"]);
}

#[test]
fn deploy_command_includes_the_named_project() {
    let env = env_without_project();
    let url = env.emulator().endpoint();
    env.emulator().seed(&serde_json::json!({"name": "my-model", "version": "1"})).expect("seeded");
    let page = env.run(&["show", "-n", "my-model", "-e", &url]).success().stdout;
    let command = "custom deployments create --name my-model --model my-model --model-version 1 --project-endpoint ";
    assert!(page.contains(command), "{page}");
}

#[test]
fn key_vault_reference_is_resolved_by_azd() {
    let values = [("AZURE_PROJECT_ENDPOINT", "akvs://sub/vault/secret"), ("FOUNDRY_PROJECT_ENDPOINT", &endpoint("b"))];
    let host = FakeHost::start(HostState::default().with_environment("dev", true, &values));
    let mut env = run_by(&host);
    let error = env.run(&["list", "-o", "json"]).fails_with(2).json_error();
    assert_eq!(error["code"], "unresolved_reference");
    env.set("AZURE_PROJECT_ENDPOINT", &endpoint("resolved"));
    assert_eq!(source_of(&env, &[]), endpoint("resolved") + " (from azd environment 'dev': AZURE_PROJECT_ENDPOINT)");
}
