//! `--source -`: a path or URL is read from a pipe, so that no shell splits it; the user cannot be prompted then.

use std::io::Write;
use std::process::Stdio;

use crate::support::env_with_model as env;
#[cfg(unix)]
use crate::support::wait;

#[test]
fn source_is_read_from_a_pipe() {
    let env = env();
    let mut command = env.command(&["custom", "create", "-n", "my-model", "--source", "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(b"\"model\"\r\n").expect("written");
    let output = env.output(&child.wait_with_output().expect("ended")).success();
    assert!(output.stderr.contains("Source: model (2 files, 1.0 KB)"), "{output}");
}

/// Endless input is not read to the end.
#[cfg(unix)]
#[test]
fn piped_source_is_limited() {
    let env = env();
    let mut command = env.command(&["custom", "create", "-n", "my-model", "--source", "-", "-o", "json"]);
    let endless = std::fs::File::open("/dev/zero").expect("endless zeros");
    let child =
        command.stdin(endless).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let output = env.output(&wait(child)).fails_with(2);
    let error = output.json_error();
    assert_eq!(
        (&error["code"], &error["message"]),
        (&"bad_source".into(), &"standard input contains a line longer than 64 KB".into())
    );
    assert!(env.emulator().requests().is_empty());
}
