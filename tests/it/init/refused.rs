//! Options, projects and responses that `init` rejects: an exit code, a suggestion, and nothing is created.

use std::fs;

use foundry_emulator::{Config, Fault, FaultKind, Route};

use super::{ID, SUBSCRIPTION, assert_nothing_created, azd_calls, env, init, with};

#[test]
fn missing_project_creates_nothing() {
    let env = env();
    let endpoint = env.emulator().endpoint();
    let wrong = endpoint.replace("/demo", "/other");
    for args in [
        &["-p", &ID.replace("/demo", "/other"), "-n", "dev"][..],
        &["-p", &ID.replace("/emulator/", "/other/"), "-n", "dev"],
        &["-p", &ID.replace("0001", "0002"), "-n", "dev"],
        &["-e", &wrong, "-s", SUBSCRIPTION, "-n", "dev"],
        &["-e", &endpoint, "-s", "00000000-0000-0000-0000-000000000009", "-n", "dev"],
    ] {
        let output = init(&env, args).fails_with(3);
        assert!(output.stderr.contains("Suggestion: "), "{output}");
        assert_nothing_created(&env);
    }
}

#[test]
fn options_are_checked_before_any_prompt() {
    let env = env();
    let mut outputs = String::new();
    for args in [
        &["-p", "demo"][..],
        &["-p", ID, "-s", "00000000-0000-0000-0000-000000000009"],
        &["-p", ID, "-e", "https://a.services.ai.azure.com/api/projects/other"],
        &["-e", "http://a.services.ai.azure.com/api/projects/demo"],
        &["-n", "a/b"],
        &["-n", "dev", "--environment", "prod"],
    ] {
        let output = init(&env, args).fails_with(2);
        outputs = format!("{outputs}{}\n", output.stderr);
    }
    insta::assert_snapshot!(outputs);
    assert!(env.emulator().requests().is_empty() && azd_calls(&env).is_empty());
}

#[test]
fn missing_azd_is_a_clear_error() {
    let env = env();
    fs::remove_file(env.bin().join("azd")).expect("removed");
    insta::assert_snapshot!(init(&env, &["-p", ID, "-n", "dev"]), @"
    ------- stderr -------
    ERROR: azd was not found

    Suggestion: Install azd: https://aka.ms/azd-install
    [exit code: 1]
    ");
    assert!(env.emulator().requests().is_empty());
}

#[test]
fn rejections_by_the_control_plane_have_their_messages() {
    let mut outputs = String::new();
    for (status, code) in [(401, 4), (403, 4), (400, 1), (503, 9)] {
        let fault = Fault::new(Route::Arm, FaultKind::refusal(status, "TheCode", "the words of ARM"));
        let env = with(Config { faults: vec![fault], ..Config::default() });
        let output = init(&env, &["-p", ID, "-n", "dev"]).fails_with(code);
        let lines = output.stderr.lines().filter(|line| !line.starts_with("Request id"));
        outputs = format!("{outputs}{}\n", lines.collect::<Vec<_>>().join("\n"));
        assert_nothing_created(&env);
    }
    insta::assert_snapshot!(outputs);
}
