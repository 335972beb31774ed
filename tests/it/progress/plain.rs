//! Plain lines, for a log and for a terminal that cannot draw the bar.

use super::{SLOW, env, steady};
use crate::support::CREATE;
#[cfg(unix)]
use crate::support::Terminal;

const TENTHS: &str = "\
init
progress 50 1050 0 2
progress 105 1050 0 2
progress 150 1050 0 2
progress 500 1050 1 2
progress 1050 1050 1 2
end Completed 1050 1050 2 2 0
";

#[test]
fn log_gets_a_line_at_each_tenth() {
    let mut env = env();
    env.azcopy_script(TENTHS);
    let output = env.run(&CREATE).success();
    let lines =
        output.stderr.lines().skip_while(|line| !line.starts_with("Step 2")).take_while(|line| !line.is_empty());
    insta::assert_snapshot!(steady(lines), @"
    Step 2/3: Uploading model files...
      Source: model (2 files, 1.0 KB)
      Uploading 2 files, 1.0 KB...
      10% (105 B / 1.0 KB)
      47% (500 B / 1.0 KB)
      99% (1.0 KB / 1.0 KB)
      100.0% (1.0 KB / 1.0 KB) | [RATE] | Elapsed: [SECONDS] | ETA: done
      Completed in [SECONDS]
    ✓ Upload complete
    ");
    for how in ["auto", "bar", "plain"] {
        env.emulator().reset();
        let again = env.run(&[&CREATE[..], &["--progress", how]].concat());
        assert_eq!(steady(again.stderr.lines()), steady(output.stderr.lines()), "{how}");
    }
}

#[test]
fn log_gets_a_status_line_and_a_stall_line() {
    let mut env = env();
    env.azcopy_script(SLOW);
    let output = env.run(&CREATE).success();
    assert!(output.stderr.contains("s] Still uploading... 28% complete\n"), "{output}");
    assert!(output.stderr.contains("s, network errors 84 %. Still trying...\n"), "{output}");
    assert!(!output.stderr.contains(['\r', '\u{1b}']), "{output}");
}

#[cfg(unix)]
#[test]
fn terminal_that_cannot_draw_gets_plain_lines() {
    let mut env = env();
    env.azcopy_script(SLOW);
    env.set("TERM", "dumb");
    let ended = Terminal::start(&env, 80, &CREATE).finish();
    assert_eq!((ended.code, ended.bars), (0, 0), "{}", ended.screen);
    assert!(ended.screen.contains("\n  28% (294 B / 1.0 KB)"), "{}", ended.screen);
}

#[test]
fn no_progress_and_quiet_omit_progress() {
    let mut env = env();
    env.azcopy_script(SLOW);
    let output = env.run(&[&CREATE[..], &["--progress", "none"]].concat()).success();
    assert!(output.stderr.contains("✓ Upload complete"), "{output}");
    for absent in ["100.0%", "28%", "Still uploading", "Uploading 2 files", "InProgress"] {
        assert!(!output.stderr.contains(absent), "{absent}: {output}");
    }
    env.emulator().reset();
    let output = env.run(&[&CREATE[..], &["-q"]].concat()).success();
    assert_eq!(output.stderr, "", "{output}");
}
