//! `create --dry-run`: the plan, in both formats, without any change.

use crate::support::{Output, TestEnv, env_with_model};

fn dry_run(env: &TestEnv, more: &[&str]) -> Output {
    let args = ["custom", "create", "-n", "my-model", "--source", "model", "--dry-run"];
    env.run(&[args.as_slice(), more].concat())
}

/// Environment without AzCopy and without a project: the plan needs neither.
fn env_without_azcopy_and_project() -> TestEnv {
    let mut env = env_with_model();
    env.unset("AZURE_PROJECT_ENDPOINT").unset("PATH");
    env
}

#[test]
fn plan_is_shown_without_azcopy_and_project() {
    let env = env_without_azcopy_and_project();
    insta::assert_snapshot!(dry_run(&env, &["--exclude", "*.bin", "--limit-rate", "100"]).success(), @"
    Dry run: nothing is sent.

      Name:     my-model
      Version:  1
      Source:   [ROOT]/here/model
      Upload:   2 files, 1.0 KB, about 11s

    Files:
        50 B  config.json
      1000 B  model.safetensors

    Excluded:
      .gitattributes (default exclude)

    Findings:
      warning: tokenizer not found; the tokenizer of the base model may not match (missing-tokenizer)

    Requests that would be sent:
      POST /models/my-model/versions/1/startPendingUpload
      POST /models/my-model/versions/1/createAsync
      GET /models/my-model/versions/1
    ------- stderr -------
    WARNING: --exclude '*.bin' matches nothing in the source.
    ");
    assert!(!env.home().join(".azd").exists(), "no file is kept");
}

#[test]
fn plan_is_shown_as_json() {
    let env = env_without_azcopy_and_project();
    let json = dry_run(&env, &["-o", "json", "--overwrite"]).success().to_string();
    let without_times: Vec<&str> = json.lines().filter(|line| !line.contains("\"mtimeNs\": 1")).collect();
    insta::assert_snapshot!(without_times.join("\n"), @r#"
    {
      "schemaVersion": 1,
      "name": "my-model",
      "version": "1",
      "endpoint": null,
      "source": "[ROOT]/here/model",
      "engine": "azcopy",
      "registration": {
        "weightType": "FullWeight",
        "baseModel": null,
        "description": null,
        "tags": {},
        "lora": {},
        "publisher": null
      },
      "options": {
        "include": [],
        "exclude": [],
        "defaultExcludes": true,
        "skipCheck": false,
        "overwrite": true,
        "ifChanged": false,
        "parallel": null,
        "noHash": false,
        "copy": null,
        "verify": null,
        "limitRate": null,
        "noWait": false,
        "timeoutSeconds": null,
        "deploy": null
      },
      "files": [
        {
          "path": "config.json",
          "bytes": 50,
          "sha256": null
        },
        {
          "path": "model.safetensors",
          "bytes": 1000,
          "sha256": null
        }
      ],
      "excluded": [
        {
          "path": ".gitattributes",
          "reason": "default exclude"
        }
      ],
      "totals": {
        "files": 2,
        "bytes": 1050
      },
      "findings": [
        {
          "level": "warning",
          "code": "missing-tokenizer",
          "file": ".",
          "message": "tokenizer not found; the tokenizer of the base model may not match",
          "remedy": "Add the model's tokenizer.json or tokenizer.model."
        }
      ],
      "requests": [
        {
          "method": "GET",
          "path": "/models/my-model/versions/1"
        },
        {
          "method": "DELETE",
          "path": "/models/my-model/versions/1"
        },
        {
          "method": "POST",
          "path": "/models/my-model/versions/1/startPendingUpload"
        },
        {
          "method": "POST",
          "path": "/models/my-model/versions/1/createAsync"
        },
        {
          "method": "GET",
          "path": "/models/my-model/versions/1"
        }
      ],
      "estimate": {
        "seconds": 1,
        "bytesPerSecond": 52428800
      }
    }
    "#);
    assert!(!env.home().join(".azd").exists(), "no file is kept");
}

#[test]
fn invalid_folder_shows_its_plan() {
    let env = env_with_model();
    env.write("model/model.safetensors", "");
    insta::assert_snapshot!(dry_run(&env, &[]).fails_with(6), @"
    Dry run: nothing is sent.

      Name:     my-model
      Version:  1
      Source:   [ROOT]/here/model
      Upload:   2 files, 50 B, about 1s

    Files:
      50 B  config.json
       0 B  model.safetensors

    Excluded:
      .gitattributes (default exclude)

    Findings:
      error: model.safetensors: the file is empty (empty-file)
      warning: tokenizer not found; the tokenizer of the base model may not match (missing-tokenizer)

    Requests that would be sent:
      POST /models/my-model/versions/1/startPendingUpload
      POST /models/my-model/versions/1/createAsync
      GET /models/my-model/versions/1
    ------- stderr -------
    ERROR: the model check found 1 error

    Suggestion: Download or save the file again.
    [exit code: 6]
    ");
    let output = dry_run(&env, &["-o", "json"]).fails_with(6);
    assert_eq!(output.json()["findings"][0]["code"], "empty-file");
    assert_eq!(output.json_error()["kind"], "check_failed");
}

/// Only `auto` queries the service, with a GET; a remote source is not read.
#[test]
fn dry_run_changes_nothing_on_the_service() {
    let env = env_with_model();
    env.emulator().seed(&serde_json::json!({"name": "my-model", "version": "4"})).expect("seeded");
    let output = dry_run(&env, &["--version", "auto", "-o", "json"]).success();
    assert_eq!(output.json()["version"], "5");
    let source = "https://a.blob.core.windows.net/c?sv=1&sig=CANARY5A5";
    let remote = env.run(&["create", "-n", "my-model", "--source", source, "--dry-run"]).success();
    assert!(remote.stdout.contains("size unknown") && !remote.to_string().contains("CANARY5A5"), "{remote}");
    let methods: Vec<String> = env.emulator().requests().into_iter().map(|sent| sent.method).collect();
    assert_eq!(methods, ["GET"]);
    assert!(env.azcopy_starts().is_empty());
}
