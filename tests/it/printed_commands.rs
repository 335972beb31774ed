//! Commands in the output: they have the same effect as the command that printed them.

use foundry_emulator::{Config, Fault, FaultKind, Route};
use serde_json::json;

use crate::support::{Output, TestEnv, env_with};

/// Runs a command with every global option that determines its target, from another directory.
fn run(env: &TestEnv, args: &[&str]) -> Output {
    let endpoint = env.emulator().endpoint();
    let mut command = env.command(&[&["--project-endpoint", &endpoint, "--cwd", "here"], args].concat());
    command.current_dir(env.root());
    env.finish(command)
}

fn assert_has_globals(output: &Output, command: &str) {
    let line = output.stderr.lines().chain(output.stdout.lines()).find(|line| line.contains(command));
    let line = line.unwrap_or_else(|| panic!("no {command:?} in {output}"));
    for option in ["--project-endpoint http://[EMULATOR]/api/projects/demo", "--cwd here"] {
        assert_eq!(line.matches(option).count(), 1, "{option} in {line}");
    }
}

#[test]
fn every_printed_command_has_the_given_global_options() {
    let env = env_with(Config { visible_while_creating: true, polls_until_done: u32::MAX, ..Config::default() });
    let create = ["custom", "create", "--name", "my-model", "--source", "model"];
    let accepted = run(&env, &[&create[..], &["--no-wait"]].concat()).success();
    assert_has_globals(&accepted, "custom wait --name my-model --version 1");
    assert_has_globals(&run(&env, &["show", "--name", "my-model", "--version", "1"]).success(), "custom wait");
    assert_has_globals(&run(&env, &["show", "--name", "other"]).fails_with(3), "custom list");
    assert_has_globals(&run(&env, &["show", "--name", "my-model", "--version", "9"]).fails_with(3), "custom versions");
    let late = run(&env, &["wait", "--name", "my-model", "--version", "1", "--timeout", "15m"]).fails_with(8);
    assert_has_globals(&late, "custom wait");
    assert_has_globals(&run(&env, &["uploads", "resume", "abc"]).fails_with(3), "custom uploads list");
    env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::status(400)));
    let refused = run(&env, &[&create[..], &["--version", "2"]].concat()).fails_with(8);
    assert_has_globals(&refused, "custom create --name my-model");
}

#[test]
fn named_environment_is_in_the_printed_command() {
    let env = TestEnv::new();
    env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
    let endpoint = env.emulator().endpoint();
    let output = env.run(&["-e", "dev", "-e", &endpoint, "show", "--name", "other"]).fails_with(3);
    assert!(output.stderr.contains("--environment dev"), "{output}");
}
