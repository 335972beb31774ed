//! `--source -`: a path or URL comes through a pipe, so that no shell cuts it; then the user cannot be asked.

use std::io::Write;
use std::process::Stdio;

use crate::support::env_with_model as env;
#[cfg(unix)]
use crate::support::wait;

#[test]
fn the_source_comes_through_a_pipe() {
    let env = env();
    let mut command = env.command(&["custom", "create", "-n", "my-model", "--source", "-"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    child.stdin.take().expect("a pipe").write_all(b"\"model\"\r\n").expect("written");
    let output = env.output(&child.wait_with_output().expect("ended")).success();
    assert!(output.stderr.contains("Source: model (2 files, 1.0 KB)"), "{output}");
}

/// Endless input is not read to its end.
#[cfg(unix)]
#[test]
fn a_source_from_a_pipe_has_an_end() {
    let env = env();
    let mut command = env.command(&["custom", "create", "-n", "my-model", "--source", "-", "-o", "json"]);
    let endless = std::fs::File::open("/dev/zero").expect("zeros without end");
    let child = command.stdin(endless).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let output = env.output(&wait(child)).fails_with(2);
    let error = output.json_error();
    assert_eq!(
        (&error["code"], &error["message"]),
        (&"bad_source".into(), &"standard input contains a line longer than 64 KB".into())
    );
    assert!(env.emulator().requests().is_empty());
}
