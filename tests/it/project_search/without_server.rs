//! The program without azd's server: it starts `azd` to read the values of an environment.

use super::{azd, azd_project, calls, env_without_project, source};
use crate::support::TestEnv;

#[test]
fn environment_is_read_from_azd() {
    let mut env = env_without_project();
    azd_project(&env);
    let answer = format!(r#"echo '{{"AZURE_PROJECT_ENDPOINT":"{}","N":1}}'"#, env.emulator().endpoint());
    azd(&env, &answer);
    env.set("AZURE_ENV_NAME", "another");
    let output = env.run(&["list", "--debug"]).success();
    assert!(source(&output).ends_with("(from azd environment 'dev': AZURE_PROJECT_ENDPOINT)"), "{output}");
    env.set("AZD_ENVIRONMENT", "test");
    env.run(&["list"]).success();
    env.run(&["list", "-e", "prod"]).success();
    let asked = ["dev", "test", "prod"].map(|name| format!("env get-values -o json --no-prompt -e {name}"));
    assert_eq!(calls(&env), asked);
}

#[test]
fn azd_is_not_started_without_azd_project_or_default_environment() {
    let env = TestEnv::new();
    azd(&env, "exit 1");
    env.run(&["list"]).success();
    env.write("azure.yml", "name: demo\n");
    env.run(&["list"]).success();
    env.run(&["list", "-e", &env.emulator().endpoint()]).success();
    assert!(calls(&env).is_empty());
}

#[test]
fn missing_azd_is_reported() {
    let mut env = TestEnv::new();
    azd_project(&env);
    insta::assert_snapshot!(env.run(&["list"]), @"
    0 custom model(s) found
    ------- stderr -------
    WARNING: azd was not found, so the azd environment 'dev' was not read. Install azd: https://aka.ms/azd-install
    ");
    insta::assert_snapshot!(env.run(&["list", "-e", "dev"]), @"
    ------- stderr -------
    ERROR: azd is required to read the azd environment 'dev', but was not found

    Suggestion: Install azd: https://aka.ms/azd-install
    Or use --project-endpoint URL.
    [exit code: 1]
    ");
    // An azd in the working directory is not started.
    env.write("azd", "#!/bin/sh\necho '{}'\n");
    env.set("PATH", &format!(":.:{}", env.bin().display()));
    let output = env.run(&["list"]).success();
    assert!(output.stderr.contains("azd was not found"), "{output}");
}

#[test]
fn messages_of_azd_are_shown() {
    let mut env = TestEnv::new();
    azd_project(&env);
    let azd_error = |words: &str| format!(r#"printf '%s\n' '{{"data":{{"message":"ERROR: {words}"}}}}' >&2; exit 1"#);
    azd(&env, &azd_error("prod: environment does not exist"));
    let error = env.run(&["list", "-e", "prod", "-o", "json"]).fails_with(3).json_error();
    assert_eq!(error["message"], "azd environment 'prod' not found");
    azd(&env, &azd_error("loading: Bearer CANARY"));
    let error = env.run(&["list", "-o", "json"]).fails_with(1).json_error();
    assert_eq!(error["code"], "azd_failed");
    assert_eq!(error["message"], "the azd environment cannot be read: azd failed: loading: Bearer ***");
    azd(&env, "echo CANARY");
    let error = env.run(&["list", "-o", "json"]).fails_with(1).json_error();
    assert!(!error.to_string().contains("CANARY"), "{error}");
    azd(&env, "exec /bin/sleep 60");
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.01/0.1");
    let error = env.run(&["list", "-o", "json"]).fails_with(9).json_error();
    assert_eq!(error["message"], "the azd environment cannot be read: azd did not respond within 3s");
    assert!(env.emulator().requests().is_empty());
}
