//! Project prompt of the other commands, without azd's server: the lists are this program's own.

use std::fs;

use foundry_emulator::{Arm, Config};

use super::{env, nothing_was_made, with};
use crate::support::Terminal;

#[test]
fn a_command_without_a_project_asks_for_one() {
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
    nothing_was_made(&env);
}

#[test]
fn ctrl_c_leaves_a_list_and_the_terminal_as_it_was() {
    let env = env();
    let mut terminal = Terminal::start(&env, 100, &["custom", "list"]);
    terminal.wait_for("Select an Azure subscription");
    terminal.type_text("\u{3}");
    let ended = terminal.finish();
    assert_eq!((ended.code, ended.cursor_hidden), (130, false), "{}", ended.screen);
    assert!(ended.screen.contains("ERROR: Interrupted."), "{}", ended.screen);
}

/// The release build aborts, so that nothing else gives the terminal back.
#[test]
fn a_panic_in_a_question_gives_the_terminal_back() {
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
fn a_signal_in_a_question_gives_the_terminal_back() {
    let env = env();
    let terminal = Terminal::start(&env, 100, &["custom", "list"]);
    terminal.wait_for("Select an Azure subscription");
    terminal.signal(rustix::process::Signal::TERM);
    let ended = terminal.finish();
    assert_eq!((ended.code, ended.cursor_hidden), (130, false), "{}", ended.screen);
}

#[test]
fn under_no_prompt_the_other_commands_name_the_options() {
    let env = env();
    let output = env.run(&["custom", "list"]).fails_with(2);
    assert!(output.stderr.contains("--project-endpoint https://"), "{output}");
    assert!(env.emulator().requests().is_empty());
}
