//! The tag `contentDigest`, and `create --if-changed`, which creates no second version with the same content.

#[cfg(unix)]
use foundry_emulator::Config;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;

#[cfg(unix)]
use crate::support::{BlockStore, CREATE};
use crate::support::{Output, TestEnv, create, env_with_model};

const IF_CHANGED: [&str; 3] = ["--version", "auto", "--if-changed"];

fn hex(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Content digest of these files of the small model, computed from its definition.
fn expected(env: &TestEnv, paths: &[&str]) -> String {
    let line = |path: &&str| {
        let content = fs::read(env.work().join("model").join(path)).expect("a file");
        format!("{path}\0{}\0{}\n", content.len(), hex(&content))
    };
    hex(paths.iter().map(line).collect::<String>().as_bytes())
}

fn tag(env: &TestEnv, version: &str) -> Value {
    env.run(&["show", "-n", "my-model", "--version", version, "-o", "json"]).success().json()["tags"]["contentDigest"]
        .clone()
}

fn posts(env: &TestEnv) -> usize {
    env.emulator().requests().iter().filter(|one| one.method == "POST").count()
}

fn if_changed(env: &TestEnv, more: &[&str]) -> Output {
    create(env, &[&IF_CHANGED[..], more].concat())
}

#[test]
fn same_content_is_uploaded_once() {
    let env = env_with_model();
    if_changed(&env, &[]).success();
    let digest = expected(&env, &["config.json", "model.safetensors"]);
    assert_eq!(tag(&env, "1"), json!(digest));
    let before = posts(&env);
    insta::assert_snapshot!("same_content", if_changed(&env, &["--base-model", "FW-GLM-4.7"]).success());
    assert_eq!(
        if_changed(&env, &["-o", "json"]).success().json(),
        json!({"name": "my-model", "version": "1", "contentDigest": digest, "created": false})
    );
    assert_eq!(if_changed(&env, &["-q"]).success().stdout, "my-model\n");
    assert_eq!(posts(&env), before, "nothing was sent");
    // The modification time is not part of the content.
    let path = env.work().join("model/config.json");
    fs::write(&path, fs::read(&path).expect("a file")).expect("written");
    if_changed(&env, &[]).success();
    assert_eq!(posts(&env), before, "nothing was sent");
    env.write("model/config.json", format!("{:<50}", "{ }"));
    if_changed(&env, &[]).success();
    assert_eq!(posts(&env), before + 2, "an upload and a registration");
    assert_ne!(tag(&env, "2"), json!(digest));
}

/// AzCopy reports no checksums, so there is no tag without `--if-changed`.
#[test]
fn azcopy_alone_sets_no_tag() {
    let env = env_with_model();
    create(&env, &[]).success();
    assert_eq!(tag(&env, "1"), Value::Null);
    create(&env, &["--version", "2", "--tag", "contentDigest=abc"]).fails_with(2);
    let error = create(&env, &["--version", "2", "--tag", "contentDigest=abc", "-o", "json"]).json_error();
    assert_eq!(error["code"], "contradiction");
}

#[test]
fn version_with_a_failed_registration_is_not_reused() {
    let env = env_with_model();
    let digest = expected(&env, &["config.json", "model.safetensors"]);
    env.emulator()
        .seed(&json!({
            "name": "my-model", "version": "1", "provisioningState": "Failed", "tags": {"contentDigest": digest},
        }))
        .expect("seeded");
    if_changed(&env, &[]).success();
    assert_eq!(tag(&env, "2"), json!(digest));
}

#[test]
fn blob_store_reports_no_checksums() {
    let env = TestEnv::new();
    let args =
        ["create", "-n", "my-model", "--source", "https://a.blob.core.windows.net/c", "--if-changed", "-o", "json"];
    assert_eq!(env.run(&args).fails_with(2).json_error()["code"], "remote_source");
}

/// The native engine computes the checksums in any case; a file with a known checksum is not read again for it, and the
/// checksum is still reported.
#[cfg(unix)]
#[test]
fn native_engine_always_tags_and_sums_once() {
    let store = BlockStore::start();
    let env = TestEnv::with_store(Config::default(), &store);
    env.write_model();
    let digest = expected(&env, &["config.json", "model.safetensors"]);
    let native = |more: &[&str]| create(&env, &[&["--engine", "native", "-o", "json"], more].concat()).success().json();
    let plain = native(&[]);
    assert_eq!(plain["tags"]["contentDigest"], json!(digest));
    env.run(&["delete", "-n", "my-model", "--force"]).success();
    let summed = native(&["--if-changed"]);
    assert_eq!(summed["tags"]["contentDigest"], json!(digest));
    assert_eq!(summed["files"], plain["files"]);
    assert!(summed["files"][0]["sha256"].is_string(), "{summed}");
    env.run(&["delete", "-n", "my-model", "--force"]).success();
    assert_eq!(native(&["--no-hash"])["tags"]["contentDigest"], Value::Null);
}

/// The digest in the journal is computed again from the current files.
#[cfg(unix)]
#[test]
fn resumed_upload_gets_the_digest_of_the_sent_content() {
    use crate::support::StubResponse;
    let env = env_with_model();
    env.blobs().respond_with(StubResponse::Error(403, "AuthenticationFailed"));
    create(&env, &["--if-changed"]).fails_with(7);
    env.blobs().respond_with(StubResponse::Good);
    env.write("model/config.json", format!("{:<50}", "{ }"));
    env.run(&[&CREATE[..], &["--if-changed"]].concat()).success();
    assert_eq!(tag(&env, "1"), json!(expected(&env, &["config.json", "model.safetensors"])));
}
