//! Variables of trust: an azd environment cannot set them.

use std::fs;

use fake_azd_host::{FakeHost, HostState};

use super::{azd_project, env_without_project, run_by};
use crate::support::env_with_model;

#[test]
fn azd_environment_cannot_set_trusted_hosts() {
    let url = "https://proxy.example/api/projects/p";
    let host_state = HostState::default().with_environment("dev", true, &[("AZURE_PROJECT_ENDPOINT", url)]);
    let host = FakeHost::start(host_state);
    let mut env = run_by(&host);
    env.set("AZURE_AI_MODELS_ALLOW_HOST", "proxy.example");
    let list = ["list", "-o", "json"];
    // With the user's own variable the host is accepted, and only the emulator's token is rejected for it.
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
fn trust_variables_are_checked_against_project_files_if_azd_is_not_asked() {
    let mut env = env_without_project();
    azd_project(&env);
    env.write(".azure/dev/.env", "export AZURE_AI_MODELS_CREDENTIAL = emulator\n");
    env.write(".azure/prod/.env", "AZURE_AI_MODELS_SCOPE=\"x\"\n");
    env.set("AZURE_AI_MODELS_SCOPE", "s");
    let url = env.emulator().endpoint();
    // Without the emulator's credential, azd is asked for a token, and returns none.
    let list = ["list", "--project-endpoint", &url];
    let output = env.run(&list).fails_with(4);
    assert!(output.stderr.starts_with("WARNING: AZURE_AI_MODELS_CREDENTIAL is ignored: "), "{output}");
    assert!(!output.stderr.contains("AZURE_AI_MODELS_SCOPE"), "another environment's: {output}");
    let output = env.run(&[&list[..], &["-e", "prod"]].concat()).fails_with(4);
    assert!(output.stderr.contains("AZURE_AI_MODELS_SCOPE is ignored: it is set by the azd environment 'prod'"));
    // The same applies below the project's directory.
    fs::create_dir_all(env.work().join("deep/down")).expect("directories");
    env.run(&[&list[..], &["-C", "deep/down"]].concat()).fails_with(4);
    env.write(".azure/dev/.env", "AZURE_ENV_NAME=\"dev\"\n");
    env.run(&list).success();
}

#[test]
fn azd_environment_cannot_set_the_azcopy_url() {
    let mut env = env_with_model();
    azd_project(&env);
    env.write(".azure/dev/.env", "AZURE_AI_MODELS_AZCOPY_URL=http://127.0.0.1:9/azcopy.tar.gz\n");
    fs::remove_file(env.bin().join("azcopy")).expect("removed");
    // The default address can be reached only through a proxy, which does not exist.
    env.set("HTTPS_PROXY", "http://127.0.0.1:9");
    let endpoint = env.emulator().endpoint();
    let output = env.run(&["create", "-n", "my-model", "--source", "model", "-e", &endpoint]).fails_with(9);
    assert!(output.stderr.contains("WARNING: AZURE_AI_MODELS_AZCOPY_URL is ignored"), "{output}");
    assert!(output.stderr.contains("downloading it from https://"), "{output}");
}
