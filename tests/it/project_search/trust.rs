//! Variables of trust: an azd environment does not set them.

use std::fs;

use fake_azd_host::{FakeHost, HostState};

use super::{azd_project, nowhere, run_by};
use crate::support::env_with_model;

#[test]
fn an_azd_environment_does_not_choose_whom_to_trust() {
    let url = "https://proxy.example/api/projects/p";
    let host_state = HostState::default().with_environment("dev", true, &[("AZURE_PROJECT_ENDPOINT", url)]);
    let host = FakeHost::start(host_state);
    let mut env = run_by(&host);
    env.set("AZURE_AI_MODELS_ALLOW_HOST", "proxy.example");
    let list = ["list", "-o", "json"];
    // The user's own variable: the host is accepted, and only the emulator's token is refused for it.
    assert_eq!(env.run(&list).fails_with(2).json_error()["code"], "bad_credential");
    host.change(|host_state| {
        let values = [("AZURE_PROJECT_ENDPOINT", url), ("AZURE_AI_MODELS_ALLOW_HOST", "proxy.example")];
        *host_state = host_state.clone().with_environment("dev", true, &values);
    });
    let output = env.run(&list).fails_with(2);
    assert_eq!(output.json_error()["code"], "bad_endpoint");
    let warning = "WARNING: AZURE_AI_MODELS_ALLOW_HOST is ignored: it is set by the azd environment 'dev', but only accepted from your own environment\n";
    assert!(output.stderr.starts_with(warning), "{output}");
}

#[test]
fn a_variable_of_trust_is_judged_by_the_files_of_the_project_where_azd_is_not_asked() {
    let mut env = nowhere();
    azd_project(&env);
    env.write(".azure/dev/.env", "export AZURE_AI_MODELS_CREDENTIAL = emulator\n");
    env.write(".azure/prod/.env", "AZURE_AI_MODELS_SCOPE=\"x\"\n");
    env.set("AZURE_AI_MODELS_SCOPE", "s");
    let url = env.emulator().endpoint();
    // Without the emulator's credential azd is asked for a token, and there is none.
    let list = ["list", "--project-endpoint", &url];
    let output = env.run(&list).fails_with(4);
    assert!(output.stderr.starts_with("WARNING: AZURE_AI_MODELS_CREDENTIAL is ignored: "), "{output}");
    assert!(!output.stderr.contains("AZURE_AI_MODELS_SCOPE"), "another environment's: {output}");
    let output = env.run(&[&list[..], &["-e", "prod"]].concat()).fails_with(4);
    assert!(output.stderr.contains("AZURE_AI_MODELS_SCOPE is ignored: it is set by the azd environment 'prod'"));
    // Below the project's directory as well.
    fs::create_dir_all(env.work().join("deep/down")).expect("directories");
    env.run(&[&list[..], &["-C", "deep/down"]].concat()).fails_with(4);
    env.write(".azure/dev/.env", "AZURE_ENV_NAME=\"dev\"\n");
    env.run(&list).success();
}

#[test]
fn an_azd_environment_does_not_choose_where_azcopy_comes_from() {
    let mut env = env_with_model();
    azd_project(&env);
    env.write(".azure/dev/.env", "AZURE_AI_MODELS_AZCOPY_URL=http://127.0.0.1:9/azcopy.tar.gz\n");
    fs::remove_file(env.bin().join("azcopy")).expect("removed");
    // The real address is behind a proxy that does not exist.
    env.set("HTTPS_PROXY", "http://127.0.0.1:9");
    let endpoint = env.emulator().endpoint();
    let output = env.run(&["create", "-n", "my-model", "--source", "model", "-e", &endpoint]).fails_with(9);
    assert!(output.stderr.contains("WARNING: AZURE_AI_MODELS_AZCOPY_URL is ignored"), "{output}");
    assert!(output.stderr.contains("downloading it from https://"), "{output}");
}
