//! Without azd around it, the program asks the `azd` program for the environment.
#![cfg(unix)]

use crate::support::{Output, TestEnv};

/// An azd project, and an `azd` that answers so.
fn project(script: &str) -> TestEnv {
    let mut env = TestEnv::new();
    env.write("azure.yaml", "name: p\n");
    let endpoint = env.emulator().endpoint();
    env.program("azd", &script.replace("@URL@", &endpoint));
    env.unset("AZURE_PROJECT_ENDPOINT");
    env
}

fn list(env: &TestEnv, more: &[&str]) -> Output {
    env.run(&[&["custom", "list"], more].concat())
}

const VALUES: &str = r#"echo "$@" >>"$HOME/args"; echo '{"AZURE_PROJECT_ENDPOINT":"@URL@","AZURE_TENANT_ID":"t"}'"#;

#[test]
fn the_values_of_the_environment_are_asked_for() {
    let env = project(VALUES);
    env.write(".azure/config.json", r#"{"defaultEnvironment":"dev"}"#);
    let output = list(&env, &["--debug"]).success();
    assert!(output.stderr.contains("(from azd environment 'dev': AZURE_PROJECT_ENDPOINT)"), "{output}");
    let output = list(&env, &["--debug", "-e", "test"]).success();
    assert!(output.stderr.contains("(from azd environment 'test': AZURE_PROJECT_ENDPOINT)"), "{output}");
    let args = std::fs::read_to_string(env.home().join("args")).expect("read");
    assert_eq!(args, "env get-values -o json --no-prompt\nenv get-values -o json --no-prompt -e test\n");
}

#[test]
fn an_environment_that_is_not_there_is_not_replaced() {
    let mut env = project("echo \"ERROR: environment 'prod' does not exist\" >&2; exit 1");
    let output = list(&env, &["-e", "prod", "-o", "json"]).fails_with(3);
    assert_eq!(output.json_error()["message"], "the azd environment 'prod' does not exist");
    // Nobody named one: the next place.
    let endpoint = env.emulator().endpoint();
    env.set("FOUNDRY_PROJECT_ENDPOINT", &endpoint);
    drop(list(&env, &[]).success());
}

#[test]
fn without_azd_a_named_environment_is_an_error_and_any_other_a_warning() {
    let mut env = project("exit 1");
    std::fs::remove_file(env.bin().join("azd")).expect("removed");
    let output = list(&env, &["-e", "dev", "-o", "json"]).fails_with(1);
    assert_eq!(output.json_error()["suggestion"], "Install azd: https://aka.ms/azd-install");
    let endpoint = env.emulator().endpoint();
    env.set("FOUNDRY_PROJECT_ENDPOINT", &endpoint);
    let output = list(&env, &[]).success();
    assert!(output.stderr.contains("WARNING: The azd project here is not read"), "{output}");
}

#[test]
fn without_an_azd_project_azd_is_not_started() {
    let mut env = project(VALUES);
    std::fs::remove_file(env.work().join("azure.yaml")).expect("removed");
    let endpoint = env.emulator().endpoint();
    env.set("FOUNDRY_PROJECT_ENDPOINT", &endpoint);
    drop(list(&env, &[]).success());
    assert!(!env.home().join("args").exists());
}

/// From the environment that names the project into the request for a token.
#[test]
fn the_tenant_of_the_environment_goes_into_the_sign_in() {
    let mut env = project(
        r#"echo "$@" >>"$HOME/args"; case "$*" in env*) echo '{"AZURE_PROJECT_ENDPOINT":"@URL@","AZURE_TENANT_ID":"11111111-2222-3333-4444-555555555555"}';; *) echo '{"token":"t","expiresOn":"2099-01-01T00:00:00Z"}';; esac"#,
    );
    env.unset("AZURE_AI_MODELS_CREDENTIAL");
    drop(list(&env, &[]).success());
    let args = std::fs::read_to_string(env.home().join("args")).expect("read");
    assert!(args.contains("--tenant-id 11111111-2222-3333-4444-555555555555"), "{args}");
}
