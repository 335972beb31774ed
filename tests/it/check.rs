//! `custom check`, and the same check in `create`.

use serde_json::json;

use crate::support::{TestEnv, env_with_model};

/// A model without its second shard, and with a code file.
fn env() -> TestEnv {
    let env = env_with_model();
    env.write("model/tokenizer.json", "{}");
    env
}

fn invalid_model() -> TestEnv {
    let env = env();
    let index = json!({"weight_map": {"weight": "model.safetensors", "other": "model-2.safetensors"}});
    env.write("model/model.safetensors.index.json", index.to_string());
    env.write("model/modeling.py", "pass");
    env
}

#[test]
fn valid_model_is_reported_in_one_line() {
    let env = env();
    insta::assert_snapshot!(env.run(&["custom", "check", "model"]), @"No problems found in 3 files, 1.0 KB (FullWeight)");
    let output = env.run(&["check", "model", "-q"]).success();
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    assert_eq!(env.run(&["check", "model", "-o", "json"]).success().json(), json!([]));
}

#[test]
fn findings_are_on_stdout_and_errors_exit_with_6() {
    let env = invalid_model();
    insta::assert_snapshot!(env.run(&["custom", "check", "model"]), @"
    error    missing-shard  model-2.safetensors
             the file does not exist, but model.safetensors.index.json refers to 1 tensor in it
             Download or save the file again. Also check that --include and --exclude do not exclude it.

    warning  code-file      modeling.py
             the file is code, which the service does not run and may reject
             Exclude it with --exclude '*.py' if the model does not need it.

    1 error, 1 warning in 5 files, 1.1 KB (FullWeight)
    ------- stderr -------
    ERROR: the model check found 1 error

    Suggestion: Download or save the file again. Also check that --include and --exclude do not exclude it.
    [exit code: 6]
    ");
    let output = env.run(&["custom", "check", "model", "-o", "json"]).fails_with(6);
    let findings = output.json();
    assert_eq!(findings.as_array().map(Vec::len), Some(2), "{output}");
    assert_eq!(findings[0]["code"], "missing-shard");
    assert_eq!(
        findings[0].as_object().expect("an object").keys().collect::<Vec<_>>(),
        ["level", "code", "file", "message", "remedy"]
    );
    let error = output.json_error();
    assert_eq!((&error["kind"], &error["code"]), (&json!("check_failed"), &json!("missing-shard")), "{output}");
}

#[test]
fn warnings_do_not_fail_the_check() {
    let env = env();
    env.write("model/modeling.py", "pass");
    let output = env.run(&["check", "model", "-o", "json"]).success();
    assert_eq!((output.json()[0]["level"].as_str(), output.stderr.as_str()), (Some("warning"), ""));
}

#[test]
fn globs_and_weight_type_apply_to_the_check() {
    let env = invalid_model();
    let check =
        |args: &[&str], code: i32| env.run(&[&["check", "model", "-o", "json"], args].concat()).fails_with(code).json();
    let words = |found: &serde_json::Value| -> Vec<String> {
        found.as_array().expect("a list").iter().map(|one| one["code"].as_str().expect("a code").to_owned()).collect()
    };
    assert_eq!(words(&check(&["--exclude", "*.index.json", "--exclude", "*.py"], 0)), [""; 0]);
    assert_eq!(
        words(&check(&["--include", "model.safetensors", "--include", "*.json", "--exclude", "*.index.json"], 0)),
        [""; 0]
    );
    assert_eq!(words(&check(&["--include", "*.py"], 6)), ["no-weights", "code-file"]);
    assert_eq!(words(&check(&["--include", "*.gguf"], 6)), ["empty-source"]);
    assert_eq!(
        words(&check(&["--exclude", "*.index.json", "--no-default-excludes"], 0)),
        ["code-file", "unknown-file"]
    );
    assert_eq!(words(&check(&["--weight-type", "lora"], 6)), ["missing-adapter-weights", "missing-shard", "code-file"]);
}

#[test]
fn sources_that_cannot_be_checked_are_reported() {
    let env = env();
    for (args, code, words) in [
        (&["nowhere"][..], 3, "File not found: [ROOT]/here/nowhere"),
        (&["https://a.blob.core.windows.net/c"], 2, "only local files and hf:// sources can be checked"),
        (&["model", "--exclude", "[a"], 2, "invalid value '[a' for '--exclude <GLOB>'"),
        (&["model", "--include", ""], 2, "a glob cannot be empty"),
        (&["model/config.json", "--include", "x"], 2, "'x' has no effect"),
        (&["model", "--weight-type", "half"], 2, "must be FullWeight, LoRA or DraftModel"),
        (&[], 2, "required arguments were not provided"),
    ] {
        let output = env.run(&[&["custom", "check"], args].concat()).fails_with(code);
        assert!(output.stderr.contains(words) && output.stdout.is_empty(), "{words}: {output}");
    }
    assert!(env.emulator().requests().is_empty());
}

#[test]
fn create_stops_at_errors_before_any_request() {
    let env = invalid_model();
    insta::assert_snapshot!(env.run(&["create", "--name", "my-model", "--source", "model"]), @"
    ------- stderr -------
    WARNING: modeling.py: the file is code, which the service does not run and may reject (code-file). Exclude it with --exclude '*.py' if the model does not need it.
    ERROR: the model check found 1 error
      model-2.safetensors: the file does not exist, but model.safetensors.index.json refers to 1 tensor in it (missing-shard)

    Suggestion: Download or save the file again. Also check that --include and --exclude do not exclude it. To upload the files as they are, use --skip-check.
    [exit code: 6]
    ");
    assert!(env.emulator().requests().is_empty(), "no request was sent to the service");
    env.run(&["create", "--name", "my-model", "--source", "model", "--skip-check"]).success();
}

#[test]
fn create_uploads_what_the_globs_select() {
    let env = invalid_model();
    let args = ["--exclude", "*.index.json", "--exclude", "*.py"];
    env.run(&[&["create", "--name", "my-model", "--source", "model"], &args[..]].concat()).success();
    let starts = env.azcopy_starts();
    assert_eq!(starts.last().expect("a start")["list"], "config.json\nmodel.safetensors\ntokenizer.json\n");
    // Scan errors also stop it with --skip-check.
    let output = env.run(&["create", "-n", "my-model", "--source", "model", "--skip-check", "--include", "*.gguf"]);
    assert!(output.fails_with(6).stderr.contains("no files to upload in"));
}

#[cfg(unix)]
#[test]
fn unreadable_file_is_not_a_finding() {
    use std::os::unix::fs::PermissionsExt;
    let env = env();
    let path = env.work().join("model/model.safetensors");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).expect("permissions");
    if std::fs::File::open(&path).is_ok() {
        return; // root reads everything
    }
    let output = env.run(&["check", "model"]).fails_with(1);
    assert!(output.stderr.contains("no permission to read"), "{output}");
}
