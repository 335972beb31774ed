//! Commands without progress: tables that fit the terminal, and no drawing.

use crate::support::{Terminal, TestEnv};

fn env_with_long_names() -> TestEnv {
    let env = TestEnv::new();
    env.emulator()
        .seed(&serde_json::json!({"name": "a-model-with-a-long-name-of-30", "version": "1",
            "createdBy": "somebody-with-a-long-address@contoso.example.com"}))
        .expect("seeded");
    env
}

#[test]
fn table_fits_a_terminal_and_ignores_columns_in_a_pipe() {
    let mut env = env_with_long_names();
    let whole = env.run(&["list"]).success().stdout;
    env.set("COLUMNS", "30");
    assert_eq!(env.run(&["list"]).success().stdout, whole);
    env.unset("COLUMNS");
    let ended = Terminal::start(&env, 70, &["list"]).finish();
    insta::assert_snapshot!(ended.screen, @"
    NAME                            VERSION  WEIGHT TYPE  CREATED
    a-model-with-a-long-name-of-30  1        FullWeight   2026-02-14T10:3…

    1 custom model(s) found
    ");
    env.set("COLUMNS", "500");
    assert_eq!(Terminal::start(&env, 70, &["list"]).finish().screen, ended.screen);
}

/// The width of the terminal on standard output applies, whatever standard error is.
#[test]
fn table_width_follows_standard_output() {
    let env = env_with_long_names();
    let program = env!("CARGO_BIN_EXE_azure-ai-models");
    let screen = Terminal::start(&env, 70, &["list"]).finish().screen;
    let line = format!("{program} list 2>/dev/null");
    let ended = Terminal::start_program(&env, 70, "/bin/sh", &["-c", &line]).finish();
    assert_eq!(ended.screen, screen);
}

#[test]
fn other_commands_draw_nothing() {
    let env = env_with_long_names();
    for args in [
        &["list"][..],
        &["versions", "-n", "a-model-with-a-long-name-of-30"],
        &["delete", "-n", "a-model-with-a-long-name-of-30", "-f"],
    ] {
        let ended = Terminal::start(&env, 100, args).finish();
        assert_eq!(ended.code, 0, "{}", ended.screen);
        let moves: Vec<&str> = ended
            .raw
            .split("\u{1b}[")
            .skip(1)
            .filter(|rest| !rest.trim_start_matches(|char: char| char.is_ascii_digit() || char == ';').starts_with('m'))
            .collect();
        assert!(moves.is_empty(), "{args:?}: {moves:?}");
        assert!(!ended.raw.replace("\r\n", "").contains('\r'), "{args:?}: {}", ended.raw);
    }
}
