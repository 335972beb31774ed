//! AzCopy by any name and path.

use std::fs;

use super::set_mode;
use crate::support::{create, env_with_model as env};

/// A program on `PATH` with the name of AzCopy is verified before it is used.
#[test]
fn other_programs_named_azcopy_are_rejected() {
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
            // The limit is ten seconds at this scale.
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

/// On a loaded machine the first start takes its time, and is reported.
#[test]
fn slow_azcopy_is_awaited() {
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
fn relative_azcopy_path_starts_at_the_working_directory() {
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
