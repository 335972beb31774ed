//! Unfavourable machines: no home directory, no permissions, no disk space, unusual names, and unrelated programs with
//! the name of AzCopy.
//!
//! Root has all permissions, so tests of permissions drop root with `setpriv`; a missing tool fails the test.
#![cfg(unix)]

mod home;
mod programs;
mod sources;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::support::{CREATE, Output, Terminal, TestEnv, env_with_model as env};

/// User `nobody`, whose home is not a directory, and an id that no user has.
const NOBODY: u32 = 65534;

const UNKNOWN: u32 = 54321;

/// An upload that fails, so its private directory is kept.
const BROKEN: &str = "init\nerror no";

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).mode() & 0o777
}

/// Absolute path of a system tool: the program's own `PATH` does not include it.
fn tool(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|directory| directory.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("this test needs the program '{name}'"))
}

/// Command run through another program: `setpriv ... PROGRAM ARGS`.
fn run_through(env: &TestEnv, first: &Path, words: &[&str], program: &Path, args: &[&str]) -> Command {
    let plain = env.command(args);
    let mut command = Command::new(first);
    command.args(words).arg(program).args(args).env_clear().current_dir(env.work()).stdin(std::process::Stdio::null());
    for (name, value) in plain.get_envs() {
        command.env(name, value.expect("a value"));
    }
    command
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Runs the program as an unprivileged user, who may write to the test's directory except where the mode forbids it.
#[must_use = "either snapshot the output or assert the exit code"]
fn run_as(env: &TestEnv, uid: u32, args: &[&str]) -> Output {
    if !is_root() {
        // The test already runs unprivileged, and cannot change ids.
        return env.run(args);
    }
    set_mode(env.root(), 0o777);
    // The directory in which the programs were built may be inaccessible to others.
    let own_directory = env.root().join("near");
    fs::create_dir_all(&own_directory).expect("a directory");
    let bring = |from: &str, to: &Path| {
        drop(fs::remove_file(to));
        fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop)).expect("a copy");
    };
    let program = own_directory.join("azure-ai-models");
    bring(env!("CARGO_BIN_EXE_azure-ai-models"), &program);
    bring(env!("CARGO_BIN_EXE_fake-azcopy"), &env.bin().join("azcopy"));
    let id = uid.to_string();
    let words = ["--reuid", &id, "--regid", &id, "--clear-groups"];
    env.finish(run_through(env, &tool("setpriv"), &words, &program, args))
}

/// Unmounts the file system when the test ends.
struct Mount(PathBuf);

impl Mount {
    fn tiny(path: &Path) -> Option<Self> {
        let mut mount = Command::new(tool("mount"));
        mount.args(["-t", "tmpfs", "-o", "size=16k", "tmpfs"]).arg(path);
        let mounted = is_root() && mount.output().is_ok_and(|output| output.status.success());
        mounted.then(|| Self(path.to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        drop(Command::new(tool("umount")).arg(&self.0).status());
    }
}

#[test]
fn environment_switches_are_read() {
    let mut env = env();
    env.set("AZD_DEBUG", "true");
    assert!(env.run(&["list"]).success().stderr.contains("debug: "));
    assert_eq!(env.run(&["list", "--debug=false"]).success().stderr, "");
    env.set("AZD_DEBUG", "0");
    assert_eq!(env.run(&["list"]).success().stderr, "");
    env.emulator().seed(&json!({"name": "m", "version": "1"})).expect("seeded");
    env.set("AZD_NO_PROMPT", "1");
    let ended = Terminal::start(&env, 100, &["delete", "--name", "m"]).finish();
    assert_eq!(ended.code, 2, "{}", ended.screen);
    let mut asked = Terminal::start(&env, 100, &["delete", "--name", "m", "--no-prompt=false"]);
    asked.wait_for("m");
    asked.type_text("m\r");
    assert_eq!(asked.finish().code, 0);
}

#[test]
fn quiet_prints_no_messages_and_none_prints_nothing() {
    let env = env();
    for args in [
        &CREATE[..],
        &["list"],
        &["versions", "--name", "my-model"],
        &["show", "--name", "my-model"],
        &["delete", "--name", "my-model", "--version", "1", "--force"],
        &["version"],
    ] {
        let quiet =
            env.run(&[args, &["-q", "--base-model", "x"][..if args == CREATE { 3 } else { 1 }]].concat()).success();
        assert_eq!(quiet.stderr, "", "{args:?}");
        // `delete` prints only messages.
        assert!(args[0] == "delete" || !quiet.stdout.is_empty(), "{args:?}");
    }
    for args in [
        &CREATE[..],
        &["list"],
        &["versions", "--name", "my-model"],
        &["show", "--name", "my-model"],
        &["delete", "--name", "my-model", "--version", "1", "--force"],
        &["version"],
    ] {
        let none = env.run(&[args, &["-o", "none"]].concat()).success();
        assert_eq!(none.stdout, "", "{args:?}");
    }
}

#[test]
fn every_shell_has_a_completion() {
    let env = env();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let output = env.run(&["completion", shell]).success();
        assert!(output.stdout.contains("custom") && output.stdout.contains("azure-ai-models"), "{shell}");
        assert_eq!(output.stderr, "");
    }
}

#[test]
fn closed_streams_and_an_empty_environment_are_accepted() {
    let env = env();
    let mut bare = Command::new("/bin/sh");
    bare.args(["-c", "exec \"$0\" version <&-", env!("CARGO_BIN_EXE_azure-ai-models")]).env_clear();
    assert!(env.finish(bare).success().stdout.contains("0.1.0"));
    env.run_after("exec <&-", &CREATE).success();
    let starts = env.azcopy_starts();
    assert_eq!(starts.last().expect("a start")["stdin"], json!({"pipe": true, "open": true}));
    env.emulator().reset();
    env.run_after("exec <&- >&- 2>&-", &CREATE).success();
}
