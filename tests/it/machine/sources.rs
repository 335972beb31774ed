//! Files and directories: unreadable, deleted, many, with any name.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::{BROKEN, NOBODY, run_as, set_mode, tool};
use crate::support::{Output, TestEnv, create, env_with_model as env};

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
fn file_deleted_during_the_upload_fails_it() {
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

#[test]
fn non_unicode_names_are_reported() {
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
fn long_names_and_many_files_are_uploaded() {
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
fn source_paths_of_any_form_are_accepted() {
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
fn suggested_command_is_the_same_command() {
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
        // A shell splits the line, as the user's shell would.
        let again = format!("set -- {line}");
        let output = env.run_after(&again, &[]).fails_with(7);
        let line_again = output.stderr.lines().find_map(|line| line.strip_prefix("  azure-ai-models "));
        assert_eq!(line_again, Some(line));
        let starts = env.azcopy_starts();
        let argv = |at: usize| {
            let argv = starts[start + at]["argv"].as_array().expect("arguments");
            argv.iter()
                .filter(|word| !word.as_str().is_some_and(|word| word.contains("sig=")))
                // Each run has its own directory.
                .map(|word| word.as_str().unwrap_or_default().replace(|c: char| c.is_ascii_digit(), "N"))
                .collect::<Vec<_>>()
        };
        assert_eq!(argv(0), argv(1), "{args:?}: {line}");
    }
}

#[test]
fn deleted_working_directory_does_not_crash() {
    let env = env();
    let (mkdir, rmdir) = (tool("mkdir"), tool("rmdir"));
    let in_deleted_directory = &format!("{} gone && cd gone && {} ../gone", mkdir.display(), rmdir.display());
    env.run_after(in_deleted_directory, &["list"]).success();
    env.run_after(in_deleted_directory, &["version"]).success();
    let model = env.work().join("model").to_string_lossy().into_owned();
    env.run_after(in_deleted_directory, &["create", "--name", "ok", "--source", &model]).success();
    let output = env.run_after(in_deleted_directory, &["create", "--name", "ok", "--source", "model"]).fails_with(3);
    assert!(output.stderr.starts_with("ERROR: File not found: model\n"), "{output}");
    env.run_after(in_deleted_directory, &["create", "--name", "ok", "--source", "."]).fails_with(6);
    env.run_after(in_deleted_directory, &["list", "-C", &env.work().to_string_lossy()]).success();
}

#[test]
fn working_directory_option_has_three_forms() {
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
    // The option takes precedence.
    env.run(&["list", "-C", "nowhere"]).fails_with(3);
    env.set("AZD_CWD", "nowhere");
    let output = env.run(&["list"]).fails_with(3);
    assert!(output.stderr.contains("AZD_CWD"), "the error names the source of the value: {output}");
}
