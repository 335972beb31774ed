//! Values missing on the command line: prompts on a terminal, usage errors without one.

#[cfg(unix)]
use foundry_emulator::Arm;
#[cfg(unix)]
use serde_json::json;

#[cfg(unix)]
use super::put;
use crate::deployments::env;
#[cfg(unix)]
use crate::deployments::with;
#[cfg(unix)]
use crate::support::Terminal;

#[cfg(unix)]
#[test]
fn missing_values_are_prompted_for_on_a_terminal() {
    let env = with(Arm { lists_custom_models: false, ..Arm::default() });
    env.emulator().seed(&json!({"name": "another", "version": "3"})).expect("seeded");
    let mut terminal = Terminal::start(&env, 200, &["custom", "deployments", "create", "-y"]);
    terminal.wait_for("another (version 3)");
    for (question, answer) in [
        ("my-model (version 1)", "my-mod\r"),
        ("Name of the deployment [my-model]:", "-bad\n"),
        ("Invalid answer: must have 2 to 64", "dep\n"),
        ("SKU, for example GlobalProvisionedManaged:", "\n"),
        ("the answer cannot be empty", "GlobalProvisionedManaged\n"),
        ("Capacity:", "many\n"),
        ("must be a whole number of 1 or more", "80\n"),
    ] {
        terminal.wait_for(question);
        terminal.type_text(answer);
    }
    let ended = terminal.finish();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    assert_eq!(put(&env).1["sku"], json!({"name": "GlobalProvisionedManaged", "capacity": 80}));
}

/// All missing values are reported together: the author of a script should not find them one by one.
#[test]
fn all_missing_values_are_reported_together_before_any_request() {
    let env = env();
    let outputs: Vec<String> = [
        &["custom", "deployments", "create", "--no-prompt"][..],
        &["custom", "deployments", "create", "--name", "dep", "--sku-name", "S"],
        &["base", "deployments", "create", "--no-prompt"],
        &["base", "deployments", "create", "--sku-name", "GlobalProvisionedManaged", "--no-prompt"],
    ]
    .into_iter()
    .map(|args| env.run(args).fails_with(2).to_string())
    .collect();
    insta::assert_snapshot!(outputs.join("\n"));
    assert_eq!(env.emulator().requests(), []);
}

#[test]
fn missing_values_are_usage_errors_before_any_request() {
    let env = env();
    for (args, named) in [
        (&["custom", "deployments", "create", "--model", "my-model", "-y"][..], "--name NAME"),
        (&["custom", "deployments", "create", "--name", "d2", "-y"], "--model MODEL"),
        (&["custom", "deployments", "create", "--name", "-bad", "--model", "m", "-y"], "unexpected"),
        (&["custom", "deployments", "create", "--name=x", "--model", "m", "-y"], "2 to 64"),
        (
            &["custom", "deployments", "create", "--name", "d2", "--model", "m", "--sku-capacity", "0"],
            "'--sku-capacity <N>': must be a whole number of 1 or more\n",
        ),
    ] {
        let output = env.run(args).fails_with(2);
        assert!(output.stderr.contains(named), "{output}");
    }
    assert_eq!(env.emulator().requests(), []);
    let error = env.run(&["deployments", "create", "--name", "x"]).fails_with(2);
    insta::assert_snapshot!(error, @r"
    ------- stderr -------
    ERROR: 'deployments create' does not exist: a deployment has a custom or a base model

    Suggestion: Use one of these commands:
      azure-ai-models custom deployments create --name x
      azure-ai-models base deployments create --name x
    [exit code: 2]
    ");
    for verb in ["update", "wait"] {
        let error = env.run(&["deployments", verb, "--name", "x", "--timeout", "1h"]).fails_with(2);
        for group in ["custom", "base"] {
            let line = format!("\n  azure-ai-models {group} deployments {verb} --name x --timeout 1h\n");
            assert!(error.stderr.contains(&line), "{error}");
        }
    }
}
