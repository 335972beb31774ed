//! Colours, and the variables that turn them off and on.

use super::env;
use crate::support::{CREATE, Terminal, styles};

const QUICK: &str = "init\nprogress 294 1050 0 2\nsleep 0.3\nend Completed 1050 1050 2 2 0\n";

#[test]
fn no_color_takes_precedence() {
    let mut env = env();
    env.azcopy_script(QUICK).set("NO_COLOR", "1").set("FORCE_COLOR", "1");
    let ended = Terminal::start(&env, 100, &CREATE).finish();
    assert_eq!(ended.styles(), [""; 0], "{}", ended.raw);
    assert!(ended.raw.contains("28.0%"), "the bar is still drawn: {}", ended.raw);
    env.emulator().reset();
    assert!(!env.run(&CREATE).success().stderr.contains('\u{1b}'));
}

#[test]
fn force_color_colours_piped_messages_but_never_stdout() {
    let mut env = env();
    env.azcopy_script(QUICK).set("FORCE_COLOR", "1");
    let output = env.run(&[&CREATE[..], &["-o", "json"]].concat()).success();
    assert!(!styles(&output.stderr).is_empty(), "{output}");
    output.json();
    env.unset("FORCE_COLOR").emulator().reset();
    let output = env.run(&CREATE).success();
    assert!(!output.stderr.contains('\u{1b}') && !output.stdout.contains('\u{1b}'), "{output}");
    env.emulator().reset();
    let ended = Terminal::start(&env, 100, &CREATE).finish();
    assert!(!ended.styles().is_empty(), "a terminal has colours: {}", ended.raw);
}
