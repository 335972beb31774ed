//! Bar on a terminal: one line that fits the width, and the line that remains of it.

use super::{BROKEN, SLOW, env, steady};
use crate::support::{CANARY, CREATE, Ended, Terminal, TestEnv, abridged};

fn create(columns: u16, script: &str, more: &[&str]) -> (TestEnv, Ended) {
    let mut env = env();
    env.azcopy_script(script);
    let ended = Terminal::start(&env, columns, &[&CREATE[..], more].concat()).finish();
    (env, ended)
}

fn assert_valid_bar(ended: &Ended) {
    assert_eq!(ended.code, 0, "{}", ended.screen);
    assert!(!ended.cursor_hidden, "the cursor is hidden:\n{}", ended.screen);
    assert_eq!(ended.wrapped_bar, None, "{}", ended.screen);
    assert_eq!(ended.bars, 1, "one bar at a time:\n{}", ended.screen);
    let percents = ended.percents();
    assert!(percents.contains(&28.0) && percents.contains(&99.9), "{percents:?}");
    let hundreds = percents.iter().filter(|percent| **percent >= 100.0).count();
    assert_eq!(hundreds, 1, "100 % once, at the end: {percents:?}");
    assert!(percents.windows(2).all(|pair| pair[0].floor() <= pair[1]), "never backwards: {percents:?}");
    let lines: Vec<&str> = ended.screen.lines().filter(|line| !line.starts_with("debug: ")).collect();
    let done = lines.iter().position(|line| line.contains("100.0%")).expect("a last line");
    assert!(lines[done].trim_start().starts_with('━') && !lines[done].contains('─'), "{}", lines[done]);
    assert!(lines[done + 1].starts_with("  Completed in "), "{}", ended.screen);
    assert_eq!(lines[done + 2], "✓ Upload complete", "{}", ended.screen);
    let position = |text: &str| lines.iter().position(|line| line.contains(text)).expect(text);
    assert!(position("No progress for") < done && position("Still uploading... 28%") < done, "{}", ended.screen);
}

#[test]
fn wide_terminal_shows_the_complete_line() {
    let (env, ended) = create(120, SLOW, &[]);
    assert_valid_bar(&ended);
    assert!(ended.screen.contains("s, network errors 84 %. Still trying..."), "{}", ended.screen);
    assert!(ended.raw.contains("B/s | Elapsed: "), "a rate after two seconds: {}", ended.raw);
    let screen = steady(env.clean(&ended.screen).lines()) + "\n";
    insta::assert_snapshot!(abridged(&screen), @"
    [WARNINGS]
    [STEP 1]
    [STEP 2]
      ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 100.0% (1.0 KB / 1.0 KB) | [RATE] | Elapsed: [SECONDS] | ETA: done
      Completed in [SECONDS]
    ✓ Upload complete

    Step 3/3: Registering model...
    ✓ Model registered successfully!

    [PAGE]
    ");
}

#[test]
fn terminal_of_60_columns_shows_what_fits() {
    let (_, ended) = create(60, SLOW, &[]);
    assert_valid_bar(&ended);
    assert!(ended.screen.contains("100.0% (1.0 KB / 1.0 KB)"), "{}", ended.screen);
}

#[test]
fn terminal_of_40_columns_shows_what_fits() {
    let (_, ended) = create(40, SLOW, &[]);
    assert_valid_bar(&ended);
}

/// azd sets `COLUMNS`, but the terminal may be narrower by now.
#[test]
fn terminal_narrower_than_columns_does_not_wrap() {
    let mut env = env();
    env.azcopy_script(SLOW).set("COLUMNS", "200");
    let ended = Terminal::start(&env, 60, &CREATE).finish();
    assert_valid_bar(&ended);
}

#[test]
fn debug_lines_do_not_break_the_bar() {
    let (_, ended) = create(200, SLOW, &["--debug"]);
    assert_valid_bar(&ended);
    assert!(ended.screen.contains("debug: azcopy started: "), "{}", ended.screen);
    assert!(!ended.raw.contains(CANARY), "{}", ended.raw);
}

#[test]
fn failure_keeps_the_bar_as_a_line_and_starts_a_new_line() {
    let (_, ended) = create(100, &format!("{}sleep 0.3\n{BROKEN}", "init\nprogress 294 1050 0 2\n"), &[]);
    assert_eq!((ended.code, ended.cursor_hidden), (7, false), "{}", ended.screen);
    assert_eq!((ended.bars, ended.wrapped_bar.as_deref()), (1, None), "{}", ended.screen);
    let lines: Vec<&str> = ended.screen.lines().collect();
    let error = lines.iter().position(|line| line.starts_with("ERROR: Upload interrupted. ")).expect("an error");
    assert!(lines[error - 1].contains("━━──") && lines[error - 1].contains(" 28.0% ("), "{}", ended.screen);
}
