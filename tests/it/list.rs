//! `list`: selection, order and completeness.

#[cfg(target_os = "linux")]
use std::{io::Read, process::Stdio};

use foundry_emulator::{Config, Fault, FaultKind, NextLinkForm, Route};
use serde_json::json;

use crate::support::{TestEnv, env_with_models, for_each_api_version};

for_each_api_version!(
    empty_project_is_not_a_failure,
    list_shows_the_latest_version_of_each_model,
    every_page_is_read,
    next_page_on_another_host_gets_no_token_and_no_partial_list_is_shown,
    pages_that_link_to_themselves_end,
    endless_pages_end,
    next_page_with_a_password_is_not_requested,
    models_are_in_the_order_of_the_service,
    all_filters_must_match,
    omitted_models_are_reported_with_a_limit,
    training_job_is_filtered_by_the_service_and_by_the_program,
    interrupted_list_shows_nothing,
);

fn empty_project_is_not_a_failure(api: &str) {
    let env = TestEnv::with_api(api, Config::default());
    insta::assert_snapshot!(env.run(&["custom", "list"]), @"0 custom model(s) found");
    assert_eq!(env.run(&["list", "-o", "json"]).success().stdout, "[]\n");
    assert_eq!(env.run(&["list", "-q"]).success().stdout, "");
}

fn list_shows_the_latest_version_of_each_model(api: &str) {
    let env = env_with_models(api);
    insta::assert_snapshot!(env.run(&["custom", "list"]), @"
    NAME        VERSION  WEIGHT TYPE  CREATED               CREATED BY
    my-model    10       FullWeight   2026-02-14T10:30:00Z  emulator
    test-model  1        FullWeight   2026-02-14T10:30:00Z  emulator

    2 custom model(s) found
    ");
}

fn every_page_is_read(api: &str) {
    let env = TestEnv::with_api(api, Config::default());
    for number in 0..150 {
        env.emulator().seed(&json!({"name": format!("model-{number:03}"), "version": "1"})).expect("seeded");
    }
    assert_eq!(env.run(&["list", "-o", "json"]).success().json().as_array().map(Vec::len), Some(150));
    let pages = env.emulator().requests().iter().filter(|request| request.path.ends_with("/models")).count();
    assert_eq!(pages, 3);
}

fn next_page_on_another_host_gets_no_token_and_no_partial_list_is_shown(api: &str) {
    let other_host = TestEnv::with_api(api, Config::default());
    let elsewhere = other_host.emulator().endpoint().parse().expect("a URL");
    let env = TestEnv::with_api(
        api,
        Config { page_size: 1, next_link: NextLinkForm::Foreign(elsewhere), ..Config::default() },
    );
    for name in ["one", "two"] {
        env.emulator().seed(&json!({"name": name, "version": "1"})).expect("seeded");
    }
    let output = env.run(&["list"]).fails_with(9);
    assert_eq!(output.stdout, "");
    assert!(output.stderr.contains("which is not the project's host"), "{output}");
    assert!(other_host.emulator().requests().is_empty());
}

fn pages_that_link_to_themselves_end(api: &str) {
    let env = TestEnv::with_api(api, Config { page_size: 1, next_link: NextLinkForm::Loop, ..Config::default() });
    for name in ["one", "two"] {
        env.emulator().seed(&json!({"name": name, "version": "1"})).expect("seeded");
    }
    let output = env.run(&["list", "-o", "json"]).fails_with(9);
    assert_eq!(output.stdout, "");
    assert_eq!(output.json_error()["code"], "bad_answer");
}

fn endless_pages_end(api: &str) {
    let env = TestEnv::with_api(api, Config { page_size: 1, next_link: NextLinkForm::Endless, ..Config::default() });
    env.emulator().seed(&json!({"name": "one", "version": "1"})).expect("seeded");
    let output = env.run(&["list", "-o", "json"]).fails_with(9);
    assert_eq!(output.stdout, "");
    let error = output.json_error();
    assert_eq!((&error["code"], &error["message"]), (&json!("bad_answer"), &json!("the list does not end")));
    assert_eq!(env.emulator().requests().len(), 1000);
}

fn next_page_with_a_password_is_not_requested(api: &str) {
    let next_link = NextLinkForm::UserInformation;
    let env = TestEnv::with_api(api, Config { page_size: 1, next_link, ..Config::default() });
    for name in ["one", "two"] {
        env.emulator().seed(&json!({"name": name, "version": "1"})).expect("seeded");
    }
    let output = env.run(&["list", "-o", "json"]).fails_with(9);
    assert_eq!(output.stdout, "");
    assert_eq!(output.json_error()["message"], "the URL of the next page contains a user name or password");
    assert!(!output.stderr.contains("secret"), "{output}");
    assert_eq!(env.emulator().requests().len(), 1);
}

/// A project with one model of each kind, and more than one page.
fn env_of_all_kinds(api: &str, config: Config) -> TestEnv {
    let env = TestEnv::with_api(api, Config { page_size: 2, ..config });
    for model in [
        json!({"name": "support-full", "version": "1", "tags": {"stage": "test"}}),
        json!({"name": "support-full", "version": "2", "tags": {"stage": "prod"}}),
        json!({"name": "support-lora", "version": "1", "weightType": "LoRA", "tags": {"stage": "prod", "team": "a"},
            "source": {"sourceType": "TrainingJob", "jobId": "job-7"}}),
        json!({"name": "Zoo", "version": "1", "weightType": null, "tags": null}),
        json!({"name": "draft", "version": "1", "weightType": "DraftModel", "source": {"jobId": "job-8"}}),
    ] {
        env.emulator().seed(&model).expect("seeded");
    }
    env
}

fn names(env: &TestEnv, options: &[&str]) -> Vec<String> {
    let models = env.run(&[&["list", "-o", "json"], options].concat()).success().json();
    let models = models.as_array().expect("a list");
    models.iter().map(|model| model["name"].as_str().expect("a name").to_owned()).collect()
}

fn models_are_in_the_order_of_the_service(api: &str) {
    let env = env_of_all_kinds(api, Config::default());
    insta::assert_snapshot!(env.run(&["list"]), @"
    NAME          VERSION  WEIGHT TYPE  CREATED               CREATED BY
    Zoo           1                     2026-02-14T10:30:00Z  emulator
    draft         1        DraftModel   2026-02-14T10:30:00Z  emulator
    support-full  2        FullWeight   2026-02-14T10:30:00Z  emulator
    support-lora  1        LoRA         2026-02-14T10:30:00Z  emulator

    4 custom model(s) found
    ");
}

fn all_filters_must_match(api: &str) {
    let env = env_of_all_kinds(api, Config::default());
    for (options, found) in [
        (&["--name", "support-*"][..], &["support-full", "support-lora"][..]),
        (&["-n", "*o*", "--weight-type", "lora"], &["support-lora"]),
        (&["--weight-type", "DraftModel"], &["draft"]),
        (&["--tag", "stage=prod"], &["support-full", "support-lora"]),
        (&["--tag", "stage=prod", "--tag", "team=a"], &["support-lora"]),
        // Only an older version matches.
        (&["--tag", "stage=test"], &[]),
        (&["--limit", "3"], &["Zoo", "draft", "support-full"]),
        (&["--limit", "1", "--name", "s*"], &["support-full"]),
    ] {
        assert_eq!(names(&env, options), found, "{options:?}");
    }
    insta::assert_snapshot!(env.run(&["list", "--name", "nothing-*"]), @"0 custom model(s) found");
}

fn omitted_models_are_reported_with_a_limit(api: &str) {
    let env = env_of_all_kinds(api, Config::default());
    insta::assert_snapshot!(env.run(&["list", "--limit", "1"]), @"
    NAME  VERSION  WEIGHT TYPE  CREATED               CREATED BY
    Zoo   1                     2026-02-14T10:30:00Z  emulator

    1 custom model(s) found
    ------- stderr -------
    1 shown, more exist. Remove --limit to see all.
    ");
    assert_eq!(env.run(&["list", "--limit", "4"]).success().stderr, "");
}

/// The service may accept the filter and still list everything.
fn training_job_is_filtered_by_the_service_and_by_the_program(api: &str) {
    for filters_by_job in [true, false] {
        let env = env_of_all_kinds(api, Config { filters_by_job, ..Config::default() });
        assert_eq!(names(&env, &["--source-job-id", "job-7"]), ["support-lora"]);
        let requests = env.emulator().requests();
        assert_eq!(requests.len(), if filters_by_job { 1 } else { 2 });
        assert!(requests.iter().all(|request| request.query["source.jobId"] == "job-7"), "{requests:?}");
    }
}

#[test]
fn invalid_filters_are_rejected_before_any_request() {
    let env = TestEnv::new();
    for (options, expected) in [
        (["--limit", "0"], "--limit"),
        (["--limit", "1.5"], "--limit"),
        (["--weight-type", "half"], "must be FullWeight, LoRA or DraftModel"),
        (["--tag", "stage"], "must have the form KEY=VALUE"),
        (["--name", "[a"], "--name"),
        (["--source-job-id", ""], "--source-job-id"),
    ] {
        let output = env.run(&[&["list"], &options[..]].concat()).fails_with(2);
        assert!(output.stderr.contains(expected), "{output}");
    }
    assert!(env.emulator().requests().is_empty());
}

/// A page fails after others succeeded: nothing is listed.
fn interrupted_list_shows_nothing(api: &str) {
    let env = env_of_all_kinds(api, Config::default());
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::status(500)).after(1));
    let output = env.run(&["list", "-o", "json"]).fails_with(9);
    assert_eq!((output.stdout.as_str(), &output.json_error()["kind"]), ("", &json!("service")));
}

/// Peak memory, in bytes, of `list` for this number of models. The table is complete when its first byte arrives, and
/// exceeds the pipe's capacity, so the program still runs when it is measured.
#[cfg(target_os = "linux")]
fn peak_memory(models: usize) -> u64 {
    let env = TestEnv::with(Config { page_size: 1000, ..Config::default() });
    for number in 0..models {
        let model = json!({
            "name": format!("support-model-{number:05}"), "version": "1", "weightType": "FullWeight",
            "description": "Tuned on the tickets of last year; see the wiki for how it was evaluated and by whom.",
            "tags": {"team": "a", "stage": "prod", "baseArchitecture": "FW-GPT-OSS-120B"},
            "systemData": {"createdAt": "2026-02-14T10:30:00.1234567Z", "createdBy": "user@contoso.com"},
        });
        env.emulator().seed(&model).expect("seeded");
    }
    let mut child = env.command(&["list"]).stdout(Stdio::piped()).spawn().expect("runs");
    let mut stdout = child.stdout.take().expect("piped");
    let mut table = vec![0];
    stdout.read_exact(&mut table).expect("a table");
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("a running process");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    stdout.read_to_end(&mut table).expect("a table");
    assert!(child.wait().expect("ended").success());
    assert_eq!(String::from_utf8_lossy(&table).lines().count(), models + 3);
    peak * 1024
}

#[cfg(target_os = "linux")]
#[test]
fn table_uses_at_most_half_a_kilobyte_per_model() {
    let (few, many) = (2_000, 12_000);
    let of_each = (peak_memory(many) - peak_memory(few)) / (many - few) as u64;
    assert!(of_each <= 512, "{of_each} bytes");
}
