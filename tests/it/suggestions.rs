//! Suggestions of error messages work.

#[cfg(unix)]
use crate::support::Terminal;
use crate::support::{CREATE, TestEnv, create, env_with_model as env};

#[test]
fn glob_without_matches_is_reported() {
    let env = env();
    env.write("model/old.bin", "x");
    let globs = ["--exclude", "*.bin;*.pt", "--exclude", ".pth", "--exclude", "orginal/", "--exclude", "*.bin"];
    for command in [&["custom", "check", "model"][..], &[&CREATE[..], &["--dry-run"]].concat(), &CREATE] {
        let output = env.run(&[command, &globs].concat()).success();
        for warning in [
            "WARNING: --exclude '*.bin;*.pt' matches nothing in the source. Give one glob per option.\n",
            "WARNING: --exclude '.pth' matches nothing in the source. For all files with that ending: --exclude '*.pth'\n",
            "WARNING: --exclude 'orginal/' matches nothing in the source.",
        ] {
            assert!(output.stderr.contains(warning), "{warning} in {output}");
        }
        assert_eq!(output.stderr.matches("matches nothing").count(), 3, "{output}");
    }
    let output = env.run(&["check", "model", "--include", "*.json,*.txt", "--include", "*.json"]);
    assert!(output.stderr.contains("WARNING: --include '*.json,*.txt' matches nothing"), "{output}");
    let output = env.run(&["check", "model", "--include", "*.gguf"]).fails_with(6);
    assert!(output.stderr.contains("--include '*.gguf' matches nothing"), "{output}");
}

/// The content of an excluded directory is not read, so a glob that matches the directory is enough.
#[test]
fn glob_below_an_excluded_directory_is_accepted() {
    let env = env();
    env.write("model/old/a.bin", "x");
    let output = create(&env, &["--dry-run", "--exclude", "old/", "--exclude", "old/a.bin"]).success();
    assert!(!output.stderr.contains("matches nothing"), "{output}");
}

#[cfg(unix)]
#[test]
fn unreadable_directory_is_reported_with_the_option_to_exclude_it() {
    use std::os::unix::fs::{PermissionsExt, chown};
    use std::os::unix::process::CommandExt;
    let env = env();
    env.write("model/private/x", "x");
    let private = env.work().join("model/private");
    let set = |mode| std::fs::set_permissions(&private, std::fs::Permissions::from_mode(mode)).expect("a mode");
    set(0o000);
    let mut command = env.command(&["custom", "check", "model"]);
    if chown(env.home(), Some(65534), None).is_ok() {
        std::fs::set_permissions(env.root(), std::fs::Permissions::from_mode(0o755)).expect("a mode");
        command.uid(65534);
    }
    let output = env.finish(command).fails_with(1);
    set(0o755);
    assert!(output.stderr.contains("--exclude private/"), "{output}");
}

#[test]
fn parent_folder_suggests_the_folder_with_the_model() {
    let env = env();
    std::fs::create_dir(env.work().join("up")).expect("a directory");
    std::fs::rename(env.work().join("model"), env.work().join("up/my-model")).expect("renamed");
    env.write("up/README.md", "x");
    let output = env.run(&["custom", "check", "up", "-o", "json"]).fails_with(6);
    let finding = &output.json()[0];
    assert_eq!(finding["code"], "missing-config", "{output}");
    assert!(finding["remedy"].as_str().expect("a remedy").contains("up/my-model"), "{output}");
    // Two model folders are ambiguous.
    env.write("up/other/config.json", "{}");
    env.write("up/other/model.safetensors", "x");
    let output = env.run(&["custom", "check", "up", "-o", "json"]).fails_with(6);
    assert!(!output.stdout.contains("holds the model"), "{output}");
}

#[test]
fn checkpoint_in_a_subfolder_is_suggested() {
    let env = TestEnv::new();
    env.write("out/checkpoint-820/adapter_config.json", r#"{"r": 16}"#);
    env.write("out/checkpoint-820/adapter_model.safetensors", "x");
    env.write("out/README.md", "x");
    let output = env.run(&["custom", "check", "out", "--weight-type", "LoRA", "-o", "json"]).fails_with(6);
    assert!(output.stdout.contains("out/checkpoint-820"), "{output}");
}

#[test]
fn rejected_name_suggests_a_valid_one() {
    let env = env();
    for (name, proposed) in [
        ("Qwen2.5-7B", "Qwen2-5-7B"),
        ("my_model", "my-model"),
        ("meta/Llama 3", "meta-Llama-3"),
        ("3b", "model-3b"),
        ("a-name-that-is-longer-than-thirty-characters", "a-name-that-is-longer-than-thi"),
    ] {
        let output = env.run(&["create", "--name", name, "--source", "model"]).fails_with(2);
        assert!(output.stderr.contains(&format!("'{proposed}'")), "{name}: {output}");
    }
}

#[cfg(unix)]
#[test]
fn source_file_may_be_a_pipe() {
    let env = env();
    for script in ["echo model | \"$0\" \"$@\"", "\"$0\" \"$@\" <<END\nmodel\nEND\n"] {
        let args = ["create", "-n", "my-model", "--source-file", "/dev/stdin", "--dry-run"];
        let plain = env.command(&args);
        let mut command = std::process::Command::new("/bin/sh");
        command.args(["-c", script]).arg(plain.get_program()).args(args);
        command.env_clear().current_dir(env.work());
        for (name, value) in plain.get_envs() {
            command.env(name, value.expect("a value"));
        }
        env.finish(command).success();
    }
}

/// A notebook gives its kernel a terminal that accepts no input.
#[cfg(unix)]
#[test]
fn notebooks_get_no_prompts() {
    let mut env = env();
    env.emulator().seed(&serde_json::json!({"name": "my-model", "version": "1"})).expect("seeded");
    env.set("JPY_PARENT_PID", "4711");
    let ended = Terminal::start(&env, 120, &[&CREATE[..], &["--overwrite"]].concat()).finish();
    assert_eq!(ended.code, 2, "{}", ended.screen);
    assert!(ended.screen.contains("Use --yes to replace it without a prompt."), "{}", ended.screen);
}

#[test]
fn spaces_around_variable_values_are_ignored() {
    let mut env = env();
    let endpoint = env.emulator().endpoint();
    env.set("AZURE_PROJECT_ENDPOINT", &format!(" {endpoint}\r\n"));
    env.set("AZURE_AI_MODELS_CREDENTIAL", " emulator\r");
    env.set("AZURE_AI_MODELS_API_VERSION", " v1 ");
    env.set("AZURE_AI_MODELS_ENGINE", "azcopy ");
    env.set("AZURE_AI_MODELS_STALL_TIMEOUT", " 10m\n");
    env.set("AZD_DEBUG", " true ");
    let output = create(&env, &[]).success();
    assert!(output.stderr.contains("project endpoint: "), "{output}");
    assert!(env.emulator().requests().iter().all(|request| request.query["api-version"] == "v1"));
}

/// The most common reason to interrupt an upload: the user sees a file that should not be uploaded, and excludes it.
#[test]
fn exclusion_after_an_interruption_shows_both_suggestions() {
    // The SAS of the service does not allow deletion.
    let mut env = env();
    env.write("model/notes.txt", "x");
    env.azcopy_script("init\ndelivered notes.txt\nend Failed 1 1051 1 3 2\nexit 1\nnext-run\ndefault\n");
    create(&env, &[]).fails_with(7);
    let output = create(&env, &["--exclude", "notes.txt"]).fails_with(5);
    let (_, error) = output.stderr.split_once("ERROR: ").expect("an error");
    insta::assert_snapshot!(error.trim_end(), @"
    the upload location still contains notes.txt from an earlier attempt of this upload; the upload SAS does not allow deleting it

    Suggestion: To upload it too, run the command without the new --include or --exclude (no file is sent again):
      azure-ai-models custom create --name my-model --source model
    Or use another version (all files are sent again):
      azure-ai-models custom create --name my-model --source model --version 2 --exclude notes.txt
    ");
    create(&env, &[]).success();
}

/// The user redirected the program's output to a file in the uploaded folder.
#[test]
fn file_that_changes_during_the_upload_is_named() {
    let failed = "end CompletedWithErrors 50 1051 1 3 2\nexit 1";
    for (content, end, words) in [
        ("17 bytes in total", "end Completed 1067 1067 3 3 0\nexit 0", ": it was 1 B, and is 17 B now"),
        // The file has the same size, but a new modification time.
        ("2", failed, "; its size is still 1 B"),
    ] {
        let mut env = env();
        env.write("model/nohup.out", "1");
        let go = env.root().join("go");
        env.azcopy_script(&format!("init\nwait-file {}\n{end}\n", go.display()));
        let running = crate::support::Running::start(&env, &CREATE);
        running.wait_for("Uploading 3 files");
        env.write("model/nohup.out", content);
        std::fs::write(&go, "").expect("written");
        let output = running.finish(&env).fails_with(7);
        assert!(output.stderr.contains(&format!("nohup.out changed during the upload{words}")), "{output}");
        assert!(output.stderr.contains("--exclude nohup.out"), "{output}");
    }
}

#[test]
fn invalid_azcopy_variable_is_named() {
    let mut env = env();
    env.set("AZCOPY_CONCURRENCY_VALUE", "many");
    env.azcopy_script(
        "error error parsing the env AZCOPY_CONCURRENCY_VALUE \"many\" failed with error strconv.ParseInt: parsing \"many\"\n",
    );
    let output = create(&env, &[]).fails_with(7);
    assert!(output.stderr.contains("Suggestion: Correct AZCOPY_CONCURRENCY_VALUE, or unset it."), "{output}");
}

/// A mounted ConfigMap: links to `..data`, which is a link to the directory with the files.
#[cfg(unix)]
#[test]
fn mounted_kubernetes_volume_is_planned_once() {
    use std::os::unix::fs::symlink;
    let env = env();
    let root = env.work().join("mount");
    std::fs::create_dir(&root).expect("a directory");
    std::fs::rename(env.work().join("model"), root.join("..2026_11_29_10_00_00.123")).expect("renamed");
    symlink("..2026_11_29_10_00_00.123", root.join("..data")).expect("a link");
    for name in ["config.json", "model.safetensors"] {
        symlink(format!("..data/{name}"), root.join(name)).expect("a link");
    }
    let args = ["create", "-n", "my-model", "--source", "mount", "--dry-run", "-o", "json"];
    let plan = env.run(&args).success().json();
    let files: Vec<&str> = plan["files"].as_array().expect("files").iter().filter_map(|f| f["path"].as_str()).collect();
    assert_eq!(files, ["config.json", "model.safetensors"]);
}
