//! `create`: upload and register.

mod registration;
mod transfer;

use serde_json::json;

use crate::support::{create, env_with_model as env};

#[test]
fn user_sees_three_steps_and_the_result() {
    let env = env();
    insta::assert_snapshot!(create(&env, &[]), @r"
    ──────────────────────────────────────────────────
      Name:         my-model
      Version:      1
      Format:       safetensors
      Size:         1.0 KB
      Weight type:  FullWeight
      Created:      2026-02-14T10:30:00Z
      State:        Succeeded
    ──────────────────────────────────────────────────

    To deploy this model:
      azure-ai-models custom deployments create --name my-model --model my-model --model-version 1
    ------- stderr -------
    WARNING: tokenizer not found; the tokenizer of the base model may not match (missing-tokenizer). Add the model's tokenizer.json or tokenizer.model.
    WARNING: No --base-model is given: the service may refuse to register or deploy these weights.
    Using azcopy: [ROOT]/bin/azcopy (10.32.2)

    Creating custom model: my-model (version 1)

    Step 1/3: Requesting upload location...
    ✓ Upload location ready
      Blob URI: http://[BLOBS]/devstoreaccount1/upload-1

    Step 2/3: Uploading model files...
      Source: model (2 files, 1.0 KB)
      Uploading 2 files, 1.0 KB...
      99% (1.0 KB / 1.0 KB)
      100.0% (1.0 KB / 1.0 KB) | [RATE] | Elapsed: 0s | ETA: done
      Completed in 0s
    ✓ Upload complete

    Step 3/3: Registering model...
    ✓ Model registered successfully!
    ");
}

#[test]
fn scripts_get_only_the_model() {
    let env = env();
    let output = create(&env, &["-o", "json", "-q", "--base-model", "FW-GLM-4.7"]);
    assert_eq!(output.stderr, "", "{output}");
    let model = output.success().json();
    assert_eq!((&model["name"], &model["version"]), (&json!("my-model"), &json!("1")));
}

#[test]
fn every_request_has_user_agent_and_trace() {
    let mut env = env();
    env.set("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    env.set("AZURE_HTTP_USER_AGENT", "azd/1.2.3");
    create(&env, &[]).success();
    let requests = env.emulator().requests();
    assert!(requests.len() >= 4);
    let mut ids = std::collections::BTreeSet::new();
    for request in &requests {
        assert!(request.headers["user-agent"].starts_with("azd-ext-azure-ai-models/0.1.0-preview ("));
        assert!(request.headers["user-agent"].ends_with(" azd/1.2.3"));
        assert_eq!(request.headers["foundry-features"], "Models=V1Preview");
        assert_eq!(request.headers["traceparent"], "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        ids.insert(request.headers["x-ms-client-request-id"].clone());
    }
    assert_eq!(ids.len(), requests.len(), "each request has its own id");
}

/// Gateways respond with 400 to an invalid header.
#[test]
fn invalid_trace_is_not_forwarded() {
    for bad in [
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0zz7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ] {
        let mut env = env();
        env.set("TRACEPARENT", bad).set("TRACESTATE", "a=b");
        env.run(&["list"]).success();
        let requests = env.emulator().requests();
        assert!(!requests.is_empty());
        for request in requests {
            assert!(
                !request.headers.contains_key("traceparent") && !request.headers.contains_key("tracestate"),
                "{bad}"
            );
        }
    }
}

#[test]
fn success_leaves_no_files() {
    let env = env();
    create(&env, &[]).success();
    let uploads = env.home().join(".azd/ai-models/uploads");
    assert_eq!(std::fs::read_dir(uploads).expect("the directory").count(), 0);
}

#[test]
fn invalid_stall_limit_changes_nothing() {
    let mut env = env();
    env.set("AZURE_AI_MODELS_STALL_TIMEOUT", "soon");
    let output = create(&env, &[]).fails_with(2);
    assert!(output.stderr.contains("ERROR: AZURE_AI_MODELS_STALL_TIMEOUT: 'soon' is not a duration"), "{output}");
    assert!(env.emulator().requests().is_empty(), "no request was sent to the service");
}

/// Invalid values are rejected before any request.
#[test]
fn bad_values_change_nothing() {
    let env = env();
    env.write("empty/.gitattributes", "x");
    env.write("latin1.txt", b"caf\xE9");
    let mut table = String::new();
    let mut check = |args: &[&str]| {
        let output = env.run(args);
        let message = output.stderr.lines().find(|line| line.starts_with("ERROR")).unwrap_or_default().to_owned();
        table = format!("{table}{:>3}  {}\n     {message}\n", output.code.expect("a code"), args.join(" "));
        assert!(output.stdout.is_empty(), "{output}");
    };
    for args in [
        &["create", "--name", "1x", "--source", "model"][..],
        &["create", "--name", "ok", "--source", ""],
        &["create", "--name", "ok", "--source", "ftp://x/y"],
        &["create", "--name", "ok", "--source", "http://example.com/x"],
        &["create", "--name", "ok", "--source", "https://models.example/org/repo"],
        &["create", "--name", "ok", "--source", "https://a.blob.core.windows.net/c?sv=1"],
        &["create", "--name", "ok", "--source", "mod*"],
        &["create", "--name", "ok", "--source", "nowhere"],
        &["create", "--name", "ok", "--source", "empty"],
        &["create", "--name", "ok", "--source-file", "nowhere.txt"],
        &["create", "--name", "ok", "--source-file", "latin1.txt"],
        &["create", "--name", "ok", "--source", "model", "--source-file", "x"],
        &["create", "--name", "ok"],
        &["create", "--source", "model"],
        &["create", "--name", "ok", "--source", "model", "--version", "a/b"],
        &["create", "--name", "ok", "--source", "model", "--lora-rank", "8"],
        &["create", "--name", "ok", "--source", "model", "--weight-type", "LoRA", "--lora-rank", "0"],
        &["create", "--name", "ok", "--source", "model", "--weight-type", "LoRA", "--lora-dropout", "1"],
        &["create", "--name", "ok", "--source", "model", "--weight-type", "Full"],
        &["create", "--name", "ok", "--source", "model", "--tag", "team"],
        &["create", "--name", "ok", "--source", "model", "--tag", "=x"],
        &["create", "--name", "ok", "--source", "model", "--timeout", "30"],
        &["create", "--name", "ok", "--source", "-"],
        &["create", "--name", "ok", "--source", "model", "--base-model", "a b"],
        &["create", "--name", "ok", "--source", "model", "--azcopy-path", "nowhere"],
        &["create", "--name", "ok", "--source", "model", "--progress", "fancy"],
        &["create", "--name", "ok", "--source", "model", "--limit-rate", "fast"],
        &["create", "--name", "ok", "--source", "model", "--limit-rate", "0"],
        &["list", "--output", "yaml"],
        &["list", "-e", "https://example.com/api/projects/p"],
        &["list", "-e", "http://a.services.ai.azure.com/api/projects/p"],
        &["list", "-e", "https://a.services.ai.azure.com/p"],
        &["list", "-e", "https://x", "-e", "https://y"],
        &["list", "-e", "a/b"],
        &["list", "--environment", "https://x"],
        &["list", "-e", "dev"],
        &["list", "--debug=maybe"],
        &["list", "--no-prompt=perhaps"],
        &["list", "--quiet=x"],
        &["list", "--cwd", "nowhere"],
        &["list", "--wat"],
        &["show", "--name", "a/b"],
        &["show", "--name", "ok", "--version", ""],
        &["versions"],
        &["delete", "--name", "ok", "--version", ".."],
        &["completion", "tcsh"],
        &["custom", "lst"],
    ] {
        check(args);
    }
    insta::assert_snapshot!(table);
    assert!(env.emulator().requests().is_empty(), "no request went out");
}
