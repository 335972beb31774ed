//! Small guarantees of several commands, each with its own test.

use foundry_emulator::Config;
#[cfg(unix)]
use foundry_emulator::{Fault, FaultKind, Route};
use serde_json::json;

#[cfg(unix)]
use crate::support::Terminal;
use crate::support::{Output, TestEnv, create, env_with_model as env};

#[test]
fn azcopy_path_is_shown() {
    let env = env();
    let output = create(&env, &[]).success();
    assert!(output.stderr.contains("Using azcopy: [ROOT]/bin/azcopy (10.32.2)\n"), "{output}");
}

/// AzCopy writes its log before it reports the log's path.
#[test]
fn log_is_named_if_azcopy_crashes_before_its_first_message() {
    let mut env = env();
    env.azcopy_script("log 2026/01/01 the plan cannot be mapped\nstderr panic: mmap failed\nexit 2\n");
    let output = create(&env, &[]).fails_with(7);
    let log = output.stderr.lines().find(|line| line.starts_with("AzCopy's log: ")).expect("a log");
    assert!(log.ends_with(".log"), "{output}");
}

/// AzCopy's final totals may still count the file as complete.
#[test]
fn file_that_azcopy_listed_as_failed_fails_the_upload() {
    let mut env = env();
    env.azcopy_script(
        "init\nfailed /model/config.json 500 50\nprogress 1050 1050 2 2 0\nend Completed 1050 1050 2 2 0\nexit 0\n",
    );
    let output = create(&env, &["-o", "json"]).fails_with(7);
    assert_eq!(output.json_error()["code"], "files_failed", "{output}");
    assert_eq!(env.registrations(), 0, "{output}");
}

/// The service decides which versions exist; `create` accepts only plain ones.
#[test]
fn version_with_a_space_is_accepted_by_all_commands_but_create() {
    let env = env();
    env.emulator().seed(&json!({"name": "my-model", "version": "1.0 beta"})).expect("seeded");
    let of = |command: &'static str| vec![command, "--name", "my-model", "--version", "1.0 beta"];
    env.run(&of("show")).success();
    env.run(&of("wait")).success();
    env.run(&[of("update"), vec!["--description", "x"]].concat()).success();
    env.run(&[of("delete"), vec!["--force"]].concat()).success();
    let requests = env.emulator().requests();
    assert!(requests.iter().all(|request| request.path.ends_with("/versions/1.0%20beta")), "{requests:?}");
    create(&env, &["--version", "1.0 beta"]).fails_with(2);
}

/// Windows does not allow such names.
#[cfg(unix)]
#[test]
fn native_engine_reads_a_directory_with_an_asterisk_in_its_name() {
    let env = env();
    std::fs::rename(env.work().join("model"), env.work().join("a*b")).expect("renamed");
    let args = ["custom", "create", "-n", "my-model", "--source", "a*b", "--engine", "native", "--dry-run"];
    env.run(&args).success();
    env.run(&["custom", "check", "a*b"]).success();
}

/// Without the check no finding reports the adapter, but a wrong weight type still costs hours.
#[test]
fn adapter_is_reported_without_the_check() {
    let env = TestEnv::new();
    env.write("adapter/adapter_config.json", r#"{"r": 16}"#);
    env.write("adapter/adapter_model.safetensors", "x");
    let args = ["custom", "create", "-n", "my-model", "--source", "adapter", "--skip-check"];
    let output = env.run(&args).success();
    assert!(output.stderr.contains("WARNING: ") && output.stderr.contains("--weight-type LoRA"), "{output}");
    let output = env.run(&[&args[..], &["--weight-type", "LoRA"]].concat());
    assert!(!output.stderr.contains("this is an adapter"), "{output}");
}

fn names(output: &Output) -> Vec<String> {
    let models = output.json();
    models.as_array().expect("a list").iter().map(|model| model["name"].as_str().expect("a name").to_owned()).collect()
}

/// The emulator lists upper-case names first.
#[test]
fn list_keeps_the_services_order_unless_sorted() {
    let env = TestEnv::with(Config { page_size: 2, ..Config::default() });
    for (name, created) in [("b", "03"), ("Zoo", "01"), ("a", "02")] {
        let created = format!("2026-01-{created}T00:00:00Z");
        let model = json!({"name": name, "version": "1", "systemData": {"createdAt": created}});
        env.emulator().seed(&model).expect("seeded");
    }
    let list = |options: &[&str]| names(&env.run(&[&["list", "-o", "json"], options].concat()).success());
    assert_eq!(list(&[]), ["Zoo", "a", "b"]);
    assert_eq!(list(&["--sort", "name"]), ["a", "b", "Zoo"]);
    assert_eq!(list(&["--sort", "created"]), ["b", "a", "Zoo"]);
    assert_eq!(list(&["--sort", "name", "--limit", "1"]), ["a"]);
}

#[test]
fn limit_without_filters_reads_only_the_needed_pages() {
    let env = TestEnv::with(Config { page_size: 2, ..Config::default() });
    for number in 0..9 {
        env.emulator().seed(&json!({"name": format!("m{number}"), "version": "1"})).expect("seeded");
    }
    let output = env.run(&["list", "-o", "json", "--limit", "3"]).success();
    assert_eq!(names(&output), ["m0", "m1", "m2"]);
    assert_eq!(env.emulator().requests().len(), 2);
    // A filter must be applied to all pages.
    env.run(&["list", "--limit", "1", "--name", "m8"]).success();
    assert_eq!(env.emulator().requests().len(), 2 + 5);
}

#[cfg(unix)]
#[test]
fn table_fits_a_narrow_terminal() {
    let env = TestEnv::new();
    let name = "a-model-with-a-name-of-thirty-";
    env.emulator().seed(&json!({"name": name, "version": "1"})).expect("seeded");
    for columns in [74, 60, 45, 35] {
        let ended = Terminal::start(&env, columns, &["list"]).finish();
        assert_eq!(ended.screen, ended.rows, "a line wraps at {columns} columns");
        assert!(ended.screen.contains(name), "{}", ended.screen);
    }
    // `COLUMNS` can reduce the width, but never exceeds that of the terminal.
    for (asked, widest) in [("45", 45), ("200", 74)] {
        let mut env = TestEnv::new();
        let description = "a description that no line of a terminal can show as a whole, however wide it is";
        env.emulator().seed(&json!({"name": "m", "version": "1", "description": description})).expect("seeded");
        env.set("COLUMNS", asked);
        let ended = Terminal::start(&env, 74, &["list"]).finish();
        let width = ended.screen.lines().map(|line| line.chars().count()).max();
        assert!(width.is_some_and(|width| width > widest / 2 && width <= widest), "{asked}: {}", ended.screen);
    }
    env.write_model();
    env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::status(400)));
    env.run(&["create", "-n", name.trim_end_matches('-'), "--source", "model"]).fails_with(8);
    for columns in [74, 60] {
        let ended = Terminal::start(&env, columns, &["uploads", "list"]).finish();
        assert_eq!(ended.screen, ended.rows, "a line wraps at {columns} columns");
        assert!(ended.screen.contains(name.trim_end_matches('-')), "{}", ended.screen);
    }
}

/// Links and files that cannot be walked: each is a finding, and all of them are reported.
#[cfg(unix)]
#[test]
fn all_scan_errors_are_findings() {
    use std::os::unix::fs::symlink;
    let env = env();
    symlink("itself", env.work().join("model/itself")).expect("a link");
    symlink("gone", env.work().join("model/dangling")).expect("a link");
    symlink("..", env.work().join("model/up")).expect("a link");
    drop(std::os::unix::net::UnixListener::bind(env.work().join("model/socket")).expect("a socket"));
    let found = env.run(&["custom", "check", "model", "-o", "json"]).fails_with(6).json();
    let codes: Vec<(String, String)> = found
        .as_array()
        .expect("a list")
        .iter()
        .map(|finding| {
            (finding["code"].as_str().expect("a code").into(), finding["file"].as_str().expect("a file").into())
        })
        .filter(|(code, _): &(String, String)| code != "missing-tokenizer")
        .collect();
    let expected =
        [("link-loop", "itself"), ("link-loop", "up"), ("broken-link", "dangling"), ("special-file", "socket")];
    let expected = expected.map(|(code, file)| (code.to_owned(), format!("[ROOT]/here/model/{file}")));
    assert_eq!(codes, expected);
    let output = create(&env, &[]).fails_with(6);
    for name in ["itself", "up", "dangling", "socket"] {
        assert!(output.stderr.contains(name), "{name} in {output}");
    }
    assert!(env.emulator().requests().is_empty());
}
