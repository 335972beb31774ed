//! Unfavourable machines: no home, no permissions, no disk space, odd names, and impostor programs.
//!
//! Root may do everything, so tests of permissions drop root with `setpriv`; a missing tool fails the test.
#![cfg(unix)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::support::{CREATE, Output, Terminal, TestEnv, create, env_with_model as env};

/// User `nobody`, whose home is no directory, and an id that no user has.
const NOBODY: u32 = 65534;
const UNKNOWN: u32 = 54321;
/// An upload that breaks, so that its private directory stays.
const BROKEN: &str = "init\nerror no";

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).mode() & 0o777
}

fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// A tool of the system by its absolute path: the program's own `PATH` does not have it.
fn tool(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|directory| directory.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("this test needs the program '{name}'"))
}

/// Command run through another program: `setpriv ... PROGRAM ARGS`.
fn behind(env: &TestEnv, first: &Path, words: &[&str], program: &Path, args: &[&str]) -> Command {
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

/// Runs the program as a user without rights, who may write into the test's world except for what has another mode.
#[must_use = "either snapshot the output or assert the exit code"]
fn run_as(env: &TestEnv, uid: u32, args: &[&str]) -> Output {
    if !is_root() {
        // Already unprivileged; ids cannot be changed.
        return env.run(args);
    }
    set_mode(env.root(), 0o777);
    // Where the programs were built may be closed to others.
    let near = env.root().join("near");
    fs::create_dir_all(&near).expect("a directory");
    let bring = |from: &str, to: &Path| {
        drop(fs::remove_file(to));
        fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop)).expect("a copy");
    };
    let program = near.join("azure-ai-models");
    bring(env!("CARGO_BIN_EXE_azure-ai-models"), &program);
    bring(env!("CARGO_BIN_EXE_fake-azcopy"), &env.bin().join("azcopy"));
    let id = uid.to_string();
    let words = ["--reuid", &id, "--regid", &id, "--clear-groups"];
    env.finish(behind(env, &tool("setpriv"), &words, &program, args))
}

#[test]
fn without_a_home_nothing_is_written_into_the_working_directory() {
    for uid in [NOBODY, UNKNOWN] {
        let mut env = env();
        env.unset("HOME");
        set_mode(&env.work(), 0o777);
        let before = names_in(&env.work());
        if is_root() {
            let output = run_as(&env, uid, &CREATE).fails_with(1);
            let words = if uid == UNKNOWN { "no home directory found" } else { "cannot prepare /nonexistent/.azd" };
            assert!(output.stderr.contains(words) && output.stderr.contains("AZD_CONFIG_DIR"), "{output}");
            assert!(env.emulator().requests().is_empty(), "{uid}");
        }
        run_as(&env, uid, &["list"]).success();
        run_as(&env, uid, &["version"]).success();
        let config = env.root().join("config");
        env.set("AZD_CONFIG_DIR", &config.to_string_lossy());
        run_as(&env, uid, &CREATE).success();
        let starts = env.azcopy_starts();
        let values = &starts.last().expect("a start")["values"];
        assert_eq!(values["HOME"], values["AZCOPY_LOG_LOCATION"], "AzCopy has a home: {values}");
        assert!(values["HOME"].as_str().is_some_and(|home| Path::new(home).starts_with(&config)), "{values}");
        assert_eq!(names_in(&env.work()), before, "{uid}");
    }
}

#[test]
fn a_relative_home_directory_is_not_used() {
    let mut env = env();
    env.set("HOME", "relative");
    if is_root() {
        run_as(&env, UNKNOWN, &CREATE).fails_with(1);
    }
    assert_eq!(names_in(&env.work()), ["model"]);
}

#[test]
fn an_unwritable_home_is_reported_before_any_request() {
    let env = env();
    set_mode(&env.home(), 0o555);
    insta::assert_snapshot!(run_as(&env, NOBODY, &CREATE), @"
    ------- stderr -------
    WARNING: tokenizer not found; the tokenizer of the base model may not match (missing-tokenizer). Add the model's tokenizer.json or tokenizer.model.
    WARNING: No --base-model is given: the service may refuse to register or deploy these weights.
    ERROR: cannot prepare [ROOT]/home/.azd/ai-models/uploads/[UPLOAD]: Permission denied (os error 13)

    Suggestion: Free disk space, allow writing there, or set AZD_CONFIG_DIR to another directory.
    [exit code: 1]
    ");
    assert!(env.emulator().requests().is_empty());
}

#[test]
fn azds_configuration_directory_is_honoured() {
    let mut env = env();
    env.azcopy_script(BROKEN);
    for config in [env.root().join("elsewhere").to_string_lossy().into_owned(), "below".to_owned()] {
        env.set("AZD_CONFIG_DIR", &config);
        create(&env, &[]).fails_with(7);
        let uploads = env.work().join(&config).join("ai-models/uploads");
        assert_eq!(names_in(&uploads).len(), 1, "{config}");
        assert!(names_in(&env.home()).is_empty());
    }
}

#[test]
fn the_private_directory_is_private_under_any_umask() {
    let mut env = env();
    env.azcopy_script(BROKEN);
    env.run_after("umask 000", &CREATE).fails_with(7);
    let uploads = env.home().join(".azd/ai-models/uploads");
    let [id] = names_in(&uploads).try_into().expect("one upload");
    let directory = uploads.join(id);
    for path in [&env.home().join(".azd"), &uploads, &directory] {
        assert_eq!(mode_of(path), 0o700, "{}", path.display());
    }
    for file in ["run-1/files.txt", "journal.json", "lock"] {
        assert_eq!(mode_of(&directory.join(file)), 0o600, "{file}");
    }
    // An open directory is closed.
    set_mode(&directory, 0o777);
    create(&env, &[]).fails_with(7);
    assert_eq!(mode_of(&directory), 0o700);
}

/// Unmounts when the test ends.
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
fn a_full_disk_ends_the_upload_before_azcopy_runs() {
    let env = env();
    for number in 0..2000 {
        env.write(&format!("model/a-rather-long-name-{number:04}"), "x");
    }
    let mount = Mount::tiny(&env.home());
    let output = match mount {
        Some(_) => create(&env, &[]),
        // Where nothing may be mounted, a limit on the size of files fails in the same place.
        None => env.run_after("trap '' XFSZ; ulimit -f 4", &CREATE),
    };
    let output = output.fails_with(1);
    assert!(output.stderr.contains("ERROR: cannot prepare [ROOT]/home/.azd/ai-models/uploads/[UPLOAD]"), "{output}");
    assert!(output.stderr.contains("Free disk space"), "{output}");
    assert!(mount.is_none() || output.stderr.contains("No space left on device"), "{output}");
    assert!(env.azcopy_starts().is_empty(), "AzCopy did not run");
}

#[test]
fn azcopys_message_about_a_full_disk_is_reported() {
    let mut env = env();
    env.azcopy_script(
        "stderr panic: write plan.steV21: no space left on device\nstderr goroutine 1 [running]:\nexit 2",
    );
    let output = create(&env, &[]).fails_with(7);
    assert!(output.stderr.contains("panic: write plan.steV21: no space left on device\n"), "{output}");
    assert!(!output.stderr.contains("goroutine"), "{output}");
}

#[test]
fn unreadable_files_are_reported_before_any_request() {
    let closed = |env: &TestEnv, path: &str| set_mode(&env.work().join(path), 0o000);
    for (shut, source) in [
        ("model/model.safetensors", "model/model.safetensors"),
        ("model/model.safetensors", "model"),
        ("model/sub", "model"),
        ("model", "model"),
        ("model", "model/model.safetensors"),
    ] {
        let env = env();
        env.write("model/sub/more.safetensors", "x");
        set_mode(&env.home(), 0o777);
        closed(&env, shut);
        let output = run_as(&env, NOBODY, &["create", "--name", "ok", "--source", source]).fails_with(1);
        let first = output.stderr.lines().next().unwrap_or_default().to_owned();
        assert!(first.starts_with(&format!("ERROR: no permission to read [ROOT]/here/{}", shut)), "{output}");
        assert!(env.emulator().requests().is_empty(), "{output}");
        set_mode(&env.work().join(shut), 0o755);
    }
    let env = env();
    env.write("url.txt", "model");
    closed(&env, "url.txt");
    run_as(&env, NOBODY, &["create", "--name", "ok", "--source-file", "url.txt"]).fails_with(1);
}

#[test]
fn a_file_that_vanishes_breaks_the_upload() {
    let mut env = env();
    env.azcopy_script("info Skipping model.safetensors: no such file\ninit\nend Completed 50 50 1 1 0\nexit 0");
    let output = create(&env, &["-o", "json"]).fails_with(7);
    assert_eq!(output.json_error()["code"], "incomplete_upload");
    assert_eq!(
        output.json_error()["message"],
        "Upload interrupted. Run the same command to resume.\nAzCopy copied 1 of 2 files: Skipping model.safetensors: no such file\nAzCopy's log: "
            .to_owned()
            + output.json_error()["message"].as_str().and_then(|text| text.split("log: ").nth(1)).expect("a log")
    );
}

/// A program on `PATH` with the name of AzCopy is verified before it is used.
#[test]
fn programs_that_only_bear_the_name_are_told_apart() {
    let mut table = String::new();
    for (what, script) in [
        ("another version", "echo azcopy version 8.1"),
        ("the next version", "echo azcopy version 11.0.0"),
        ("garbage", r"printf '\033[31m\001\377\376 nonsense\n'"),
        ("silence", "exit 0"),
        (
            "a missing library",
            "echo 'azcopy: error while loading shared libraries: libsecret-1.so.0: cannot open shared object file' >&2; exit 127",
        ),
        ("a failure", "exit 3"),
        ("a crash", "kill -ILL $$"),
        ("a hang", "while :; do :; done"),
    ] {
        let mut env = env();
        env.program("azcopy", script);
        if what == "a hang" {
            // Ten seconds are the limit then.
            env.set("AZURE_AI_MODELS_TEST_TIME", "0.01/0.1");
        }
        let output = create(&env, &[]).fails_with(1);
        let lines = output.stderr.lines().filter(|line| !line.starts_with("Waiting for "));
        table = format!("{table}{what}:\n{}\n\n", lines.collect::<Vec<_>>().join("\n"));
        assert!(env.emulator().requests().is_empty(), "{what}");
    }
    let env = env();
    let azcopy = env.program("azcopy", "echo azcopy version 10.32.2");
    set_mode(&azcopy, 0o644);
    table = format!("{table}not executable:\n{}\n", create(&env, &[]).fails_with(9).stderr);
    set_mode(&azcopy, 0o755);
    fs::write(&azcopy, b"\x7fELF").expect("written");
    table = format!("{table}half a program:\n{}\n", create(&env, &[]).fails_with(1).stderr);
    fs::write(&azcopy, b"#!/no/such/shell\n").expect("written");
    table = format!("{table}a missing shell:\n{}\n", create(&env, &[]).fails_with(1).stderr);
    fs::remove_file(&azcopy).expect("removed");
    fs::create_dir(&azcopy).expect("a directory");
    table = format!("{table}a directory:\n{}", create(&env, &[]).fails_with(9).stderr);
    insta::assert_snapshot!(table);
}

/// On a loaded machine the first start takes its time, and is said.
#[test]
fn a_slow_azcopy_is_waited_for() {
    let mut env = env();
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.01/0.2");
    let real = env.root().join("real-azcopy");
    fs::rename(env.bin().join("azcopy"), &real).expect("moved");
    let program =
        env.program("azcopy", &format!("[ \"$1\" = --version ] && /bin/sleep 1.5\nexec {} \"$@\"", real.display()));
    let output = create(&env, &[]).success();
    let words = format!("Waiting for {} --version (1s of up to 12s)...\n", env.clean(&program.to_string_lossy()));
    assert_eq!(output.stderr.matches(&words).count(), 1, "{output}");
}

#[test]
fn a_relative_azcopy_path_counts_from_the_working_directory() {
    let mut env = env();
    fs::create_dir(env.work().join("tools")).expect("a directory");
    fs::rename(env.bin().join("azcopy"), env.work().join("tools/azcopy")).expect("moved");
    for path in ["tools/azcopy", "./tools/azcopy"] {
        create(&env, &["--azcopy-path", path]).success();
        env.emulator().reset();
    }
    env.set("AZD_CWD", "tools");
    env.run(&["create", "--name", "ok", "--source", "../model", "--azcopy-path", "azcopy"]).success();
}

#[test]
fn programs_of_the_working_directory_are_never_run() {
    let mut env = env();
    let mark = env.root().join("mark");
    let trap = format!("#!/bin/sh\necho run >> {}\necho azcopy version 10.32.2\n", mark.display());
    for name in ["azcopy", "azd", "tools/azcopy", "tools/azd"] {
        set_mode(&env.write(name, &trap), 0o755);
    }
    for path in ["", ":", ".:tools", "tools", ":.:/nowhere:", "./tools:../here"] {
        env.set("PATH", path);
        let output = create(&env, &[]).fails_with(9);
        assert!(output.stderr.contains("azcopy was not found in PATH"), "{path:?}: {output}");
        env.set("AZURE_AI_MODELS_CREDENTIAL", "azd");
        env.run(&["list"]).fails_with(4);
        env.set("AZURE_AI_MODELS_CREDENTIAL", "emulator");
        assert!(!mark.exists(), "{path:?}");
    }
    env.unset("PATH");
    create(&env, &[]).fails_with(9);
    env.unset("AZURE_AI_MODELS_CREDENTIAL");
    env.run(&["list"]).fails_with(4);
    assert!(!mark.exists());
}

#[test]
fn names_that_are_not_text_are_reported() {
    let env = env();
    let odd = OsStr::from_bytes(b"caf\xE9");
    fs::write(env.work().join("model").join(odd), "x").expect("a file");
    let mut command = env.command(&["create", "--name", "ok", "--source"]);
    command.arg(odd);
    insta::assert_snapshot!(format!("{}\n{}", env.finish(command), create(&env, &[])), @"
    ------- stderr -------
    ERROR: invalid UTF-8 was detected in one or more arguments

    Suggestion: See 'azure-ai-models create --help'.
    [exit code: 2]
    ------- stderr -------
    ERROR: the file name caf� is not valid Unicode

    Suggestion: Rename the file.
    [exit code: 6]
    ");
}

#[test]
fn long_names_and_many_files_go() {
    let env = env();
    let long = "ü".repeat(127);
    env.write(&format!("model/{long}"), "x");
    env.write(&format!("model/{}end", format!("{}/", "d".repeat(200)).repeat(4)), "x");
    for number in 0..5000 {
        env.write(&format!("model/{}/{}/{}/{number}.bin", number % 7, number % 11, number % 13), "x");
    }
    create(&env, &[]).success();
    let starts = env.azcopy_starts();
    let list: Vec<&str> = starts.last().expect("a start")["list"].as_str().expect("a list").lines().collect();
    assert_eq!(list.len(), 5004);
    assert!(list.contains(&long.as_str()) && list.is_sorted());
}

#[test]
fn a_source_may_be_written_in_any_way() {
    let env = env();
    for directory in ["-dir", "two words", "quo'te", "a=b", "ümlaut", "$HOME", "a,b;c&d"] {
        env.write(&format!("{directory}/model.safetensors"), "x");
    }
    for (source, sent) in [
        ("-dir", "-dir"),
        ("two words", "two words"),
        ("quo'te", "quo'te"),
        ("a=b", "a=b"),
        ("ümlaut", "ümlaut"),
        ("$HOME", "$HOME"),
        ("a,b;c&d", "a,b;c&d"),
        ("model/", "model/"),
        ("./model", "./model"),
        (".", "."),
    ] {
        create_from(&env, source).success();
        let starts = env.azcopy_starts();
        let argument = PathBuf::from(starts.last().expect("a start")["argv"][1].as_str().expect("a path"));
        assert_eq!(argument, env.work().join(sent), "{source}");
        env.emulator().reset();
    }
}

#[must_use = "either snapshot the output or assert the exit code"]
fn create_from(env: &TestEnv, source: &str) -> Output {
    env.run(&["create", "--name", "ok", "--skip-check", &format!("--source={source}")])
}

/// The command in an error can be pasted into a shell.
#[test]
fn the_command_to_run_again_is_the_same_command() {
    let mut env = env();
    env.azcopy_script(BROKEN);
    env.write("-dir/model.safetensors", "x");
    env.write("two words/-in/model.safetensors", "x");
    for args in [
        &["--source=-dir"][..],
        &["--source=-dir", "--description=--dashed"],
        &["-C", "two words", "--source=-in"],
        &["--source", "model", "--limit-rate", "1K", "--base-model", "azureml://registries/r/models/m/versions/3"],
    ] {
        let start = env.azcopy_starts().len();
        let output = env.run(&[&["custom", "create", "--name", "ok", "--skip-check"], args].concat()).fails_with(7);
        let line = output.stderr.lines().find_map(|line| line.strip_prefix("  azure-ai-models ")).expect("a command");
        // A shell splits it as a person's would.
        let again = format!("set -- {line}");
        let output = env.run_after(&again, &[]).fails_with(7);
        let line_again = output.stderr.lines().find_map(|line| line.strip_prefix("  azure-ai-models "));
        assert_eq!(line_again, Some(line));
        let starts = env.azcopy_starts();
        let argv = |at: usize| {
            let argv = starts[start + at]["argv"].as_array().expect("arguments");
            argv.iter()
                .filter(|word| !word.as_str().is_some_and(|word| word.contains("sig=")))
                // Each run has a directory of its own.
                .map(|word| word.as_str().unwrap_or_default().replace(|c: char| c.is_ascii_digit(), "N"))
                .collect::<Vec<_>>()
        };
        assert_eq!(argv(0), argv(1), "{args:?}: {line}");
    }
}

#[test]
fn a_deleted_working_directory_does_not_crash() {
    let env = env();
    let (mkdir, rmdir) = (tool("mkdir"), tool("rmdir"));
    let gone = &format!("{} gone && cd gone && {} ../gone", mkdir.display(), rmdir.display());
    env.run_after(gone, &["list"]).success();
    env.run_after(gone, &["version"]).success();
    let model = env.work().join("model").to_string_lossy().into_owned();
    env.run_after(gone, &["create", "--name", "ok", "--source", &model]).success();
    let output = env.run_after(gone, &["create", "--name", "ok", "--source", "model"]).fails_with(3);
    assert!(output.stderr.starts_with("ERROR: File not found: model\n"), "{output}");
    env.run_after(gone, &["create", "--name", "ok", "--source", "."]).fails_with(6);
    env.run_after(gone, &["list", "-C", &env.work().to_string_lossy()]).success();
}

#[test]
fn the_directory_to_change_to_has_three_forms() {
    let mut env = env();
    env.write("sub/weights/model.safetensors", "x");
    let create = ["create", "--name", "ok", "--skip-check", "--source", "weights"];
    for form in [&["-C", "sub"][..], &["--cwd=sub"], &["--cwd", "sub"], &["-Csub"]] {
        env.run(&[form, &create].concat()).success();
        env.emulator().reset();
        env.run(&[&create, form].concat()).success();
        env.emulator().reset();
    }
    env.set("AZD_CWD", "sub");
    env.run(&create).success();
    // The option wins.
    env.run(&["list", "-C", "nowhere"]).fails_with(3);
    env.set("AZD_CWD", "nowhere");
    let output = env.run(&["list"]).fails_with(3);
    assert!(output.stderr.contains("AZD_CWD"), "the error names where the value is from: {output}");
}

#[test]
fn switches_of_the_environment_are_read() {
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
fn quiet_says_nothing_and_none_prints_nothing() {
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
        // The output of `delete` is only messages.
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
fn every_shell_gets_a_completion() {
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
