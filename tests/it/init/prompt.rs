//! Project prompt of the other commands, without azd's server: the program shows its own lists.

use std::fs;

use foundry_emulator::{Arm, Config};

use super::{assert_nothing_created, env, with};
use crate::support::Terminal;

#[test]
fn command_without_a_project_prompts_for_one() {
    let arm = Arm { more_projects: vec!["second".into()], ..Arm::default() };
    let env = with(Config { arm, ..Config::default() });
    env.emulator().seed(&serde_json::json!({"name": "my-model", "version": "1"})).expect("seeded");
    let mut terminal = Terminal::start(&env, 100, &["custom", "list"]);
    terminal.wait_for("Select an Azure subscription");
    terminal.type_text("\r");
    terminal.wait_for("Select a resource group");
    terminal.type_text("\r");
    terminal.wait_for("Select a Foundry project");
    terminal.type_text("demo\r");
    let ended = terminal.finish();
    assert_eq!((ended.code, ended.cursor_hidden), (0, false), "{}", ended.screen);
    assert!(ended.screen.contains("my-model"), "{}", ended.screen);
    assert!(ended.screen.contains("Tip: to keep this choice in an azd environment, run: azure-ai-models init"));
    assert_nothing_created(&env);
}

#[test]
fn ctrl_c_closes_a_list_and_restores_the_terminal() {
    let env = env();
    let mut terminal = Terminal::start(&env, 100, &["custom", "list"]);
    terminal.wait_for("Select an Azure subscription");
    terminal.type_text("\u{3}");
    let ended = terminal.finish();
    assert_eq!((ended.code, ended.cursor_hidden), (130, false), "{}", ended.screen);
    assert!(ended.screen.contains("ERROR: Interrupted."), "{}", ended.screen);
}

/// The release build aborts on a panic, so no other code restores the terminal.
#[test]
fn panic_in_a_prompt_restores_the_terminal() {
    let mut env = env();
    let file = env.work().join("panic");
    env.set("AZURE_AI_MODELS_TEST_PANIC", &file.to_string_lossy());
    let line = format!("{} custom list; command -p stty -a", env!("CARGO_BIN_EXE_azure-ai-models"));
    let terminal = Terminal::start_program(&env, 100, "/bin/sh", &["-c", &line]);
    terminal.wait_for("Select an Azure subscription");
    fs::write(file, "").expect("written");
    let ended = terminal.finish();
    assert!(!ended.cursor_hidden, "{}", ended.screen);
    let settings: Vec<&str> = ended.screen.split([' ', '\n', ';']).collect();
    for setting in ["echo", "icanon", "isig"] {
        assert!(settings.contains(&setting), "{setting}: {}", ended.screen);
    }
    assert!(ended.screen.contains("To report it, open an issue in its repository"), "{}", ended.screen);
}

#[test]
fn signal_in_a_prompt_restores_the_terminal() {
    let env = env();
    let terminal = Terminal::start(&env, 100, &["custom", "list"]);
    terminal.wait_for("Select an Azure subscription");
    terminal.signal(rustix::process::Signal::TERM);
    let ended = terminal.finish();
    assert_eq!((ended.code, ended.cursor_hidden), (130, false), "{}", ended.screen);
}

#[test]
fn no_prompt_names_the_options_in_other_commands() {
    let env = env();
    let output = env.run(&["custom", "list"]).fails_with(2);
    assert!(output.stderr.contains("--project-endpoint https://"), "{output}");
    assert!(env.emulator().requests().is_empty());
}
