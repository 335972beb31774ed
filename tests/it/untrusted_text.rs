//! Text of a service, a file or a user is shown on a terminal and to a script without controlling either.
#![cfg(unix)]

use foundry_emulator::{Arm, Config};
use serde_json::json;

use crate::support::{Terminal, TestEnv};

/// Clears the screen in both encodings, rings the bell, deletes, and reverses the writing direction.
const NASTY: &str = "a\u{1b}[2J\u{9b}2J\u{7}\u{7f}\u{85}\u{202e}\u{2066}\u{200f}\u{2028}z";

fn is_harmful(c: char) -> bool {
    matches!(c, '\u{7}' | '\u{7f}'..='\u{9f}' | '\u{200f}' | '\u{2028}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn assert_harmless(what: &str, text: &str) {
    let found: Vec<char> = text.chars().filter(|c| is_harmful(*c)).collect();
    assert!(found.is_empty() && !text.contains("\u{1b}[2J\u{9b}"), "{what}: {found:?} in {text:?}");
    assert!(!text.contains("a\u{1b}[2J"), "{what}: {text:?}");
}

#[test]
fn json_escapes_terminal_controls_and_keeps_the_value() {
    let env = TestEnv::new();
    let model = json!({
        "name": "my-model", "version": "1", "description": NASTY, "tags": {NASTY: NASTY}, "provisioningState": NASTY,
        "systemData": {"createdBy": NASTY, "createdAt": NASTY}, "odd": [NASTY, "\u{e0041}", "né 模型 ❤\u{fe0f}"],
    });
    env.emulator().seed(&model).expect("seeded");
    for args in [&["show", "--name", "my-model"][..], &["list"], &["versions", "--name", "my-model"]] {
        let output = env.run(&[args, &["-o", "json"]].concat()).success();
        assert_harmless("JSON", &output.stdout);
        assert!(output.stdout.contains(r"\u009b2J\u0007\u007f\u0085\u202e\u2066\u200f\u2028z"), "{output}");
        assert!(output.stdout.contains(r"\udb40\udc41") && output.stdout.contains("né 模型 ❤\u{fe0f}"), "{output}");
        let read = output.json();
        let shown = read.get(0).unwrap_or(&read);
        for key in ["description", "tags", "odd"] {
            assert_eq!(shown[key], model[key], "{key}");
        }
        assert_harmless("the page", &env.run(args).success().stdout);
    }
    let output = env.run(&["show", "--name", NASTY, "-o", "json"]).fails_with(2);
    assert_harmless("the error", &output.stderr);
}

#[test]
fn service_state_cannot_control_the_terminal() {
    let running = || Config { running_states: vec![NASTY.into()], polls_until_done: 4, ..Config::default() };
    let create = ["custom", "create", "--name", "my-model", "--source", "model"];
    let mut env = TestEnv::with(running());
    env.write_model();
    env.azcopy_script("default");
    let ended = Terminal::start(&env, 100, &create).finish();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    assert!(ended.raw.contains("z ("), "the state was shown: {}", ended.raw);
    assert_harmless("the bar", &ended.raw);
    for how in ["json", "plain"] {
        env.emulator().reset();
        let output = env.run(&[&create[..], &["--progress", how]].concat()).success();
        assert_harmless(how, &output.stderr);
    }
}

#[test]
fn list_item_cannot_control_the_terminal() {
    let mut arm = Arm::default();
    for tenant in &mut arm.tenants {
        for (_, name) in &mut tenant.subscriptions {
            *name = NASTY.into();
        }
    }
    let mut env = TestEnv::with(Config { arm, ..Config::default() });
    let origin = env.emulator().origin();
    env.unset("AZURE_PROJECT_ENDPOINT").set("AZURE_AI_MODELS_ARM_ENDPOINT", &origin).set("NO_COLOR", "1");
    let mut terminal = Terminal::start(&env, 100, &["custom", "list"]);
    terminal.wait_for("Select an Azure subscription");
    terminal.type_text("\u{3}");
    let ended = terminal.finish();
    assert!(ended.raw.contains("2J"), "the choice was shown: {}", ended.raw);
    assert_harmless("the choices", &ended.raw);
}

/// Such names once made a column width negative.
#[test]
fn any_name_fits_a_table() {
    let env = TestEnv::new();
    for (number, text) in
        ["❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}", "👩‍👩‍👧‍👦", NASTY].iter().enumerate()
    {
        let model = json!({
            "name": format!("model-{number}"), "version": "1", "weightType": text.repeat(9),
            "systemData": {"createdBy": text.repeat(9), "createdAt": text.repeat(9)},
        });
        env.emulator().seed(&model).expect("seeded");
    }
    assert_harmless("a pipe", &env.run(&["list"]).success().stdout);
    for columns in [20, 33, 40, 47, 60, 100] {
        let ended = Terminal::start(&env, columns, &["list"]).finish();
        assert_eq!(ended.code, 0, "{columns}: {}", ended.screen);
        assert_harmless("a terminal", &ended.raw);
    }
}
