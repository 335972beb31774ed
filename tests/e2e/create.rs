//! `custom create` of local sources.

use std::path::PathBuf;
use std::process::Stdio;

use foundry_emulator::Config;

use crate::copy_store::CopyStore;
use crate::stage::{Stage, azurite, files, required_var, store};

/// Main scenario with a real Hugging Face folder, from upload to deletion.
#[test]
fn a_real_model_is_uploaded_unchanged_listed_shown_and_deleted() {
    let stage = Stage::new();
    let folder = PathBuf::from(required_var("E2E_MODEL_DIR"));
    let model =
        stage.json(&["custom", "create", "--name", "minilm", "--source", &folder.to_string_lossy(), "-o", "json"]);
    let mut local = files(&folder);
    assert!(local.remove(".gitattributes").is_some(), "the folder contains a .gitattributes");
    let uploaded = stage.blobs(&model);
    assert_eq!(uploaded.keys().collect::<Vec<_>>(), local.keys().collect::<Vec<_>>());
    assert!(uploaded == local, "the contents differ");
    stage.assert_no_upload_left();

    assert_eq!(stage.json(&["list", "-o", "json"])[0]["name"], "minilm");
    assert_eq!(stage.json(&["show", "-n", "minilm", "-o", "json"])["version"], "1");
    stage.run(&["delete", "-n", "minilm", "--force"]);
    assert_eq!(stage.json(&["list", "-o", "json"]), serde_json::json!([]));
}

#[test]
fn unusual_file_names_are_uploaded_unchanged() {
    let stage = Stage::new();
    let names = [
        "a b.safetensors",
        " leading and trailing ",
        "100%20sure.json",
        "#hash",
        "question?.txt",
        "star*.txt",
        "[1].txt",
        "-dash",
        "semi;colon&and'quote",
        "ünïcödé/模型.json",
        "deep/er/still/x.json",
    ];
    for name in names {
        stage.write(&format!("odd/{name}"), name.as_bytes());
    }
    let model = stage.json(&["create", "-n", "odd", "--source", "odd", "--skip-check", "-o", "json"]);
    assert!(stage.blobs(&model) == files(&stage.work().join("odd")));
}

/// AzCopy itself accepts none of these paths, neither that of the source nor that of a home directory below it.
#[cfg(unix)]
#[test]
fn a_source_under_an_unusual_path_is_uploaded() {
    let stage = Stage::new();
    for (name, directory) in
        [("percent", "50% done"), ("star", "a*b"), ("pattern", "x[1]?"), ("backslash", "a\\b"), ("control", "a\tb")]
    {
        stage.write(&format!("{directory}/sub/a%41.json"), directory.as_bytes());
        stage.write(&format!("{directory}/model.safetensors"), b"weights");
        let create = |source: &str, version: &str| {
            let args = ["create", "-n", name, "--version", version, "--source", source, "--skip-check", "-o", "json"];
            stage.command(&args)
        };
        let model = |output: std::process::Output| -> serde_json::Value {
            assert!(output.status.success(), "{directory}: {}", String::from_utf8_lossy(&output.stderr));
            serde_json::from_slice(&output.stdout).expect("JSON")
        };
        let whole = model(create(directory, "1").output().expect("runs"));
        assert_eq!(stage.blobs(&whole), files(&stage.work().join(directory)), "{directory}");
        let file = model(create(&format!("{directory}/model.safetensors"), "2").output().expect("runs"));
        assert_eq!(stage.blobs(&file).len(), 1, "{directory}");
        let home = stage.work().join(directory).join(".home");
        std::fs::create_dir(&home).expect("a directory");
        let below = model(create(directory, "3").env("HOME", &home).output().expect("runs"));
        assert_eq!(stage.blobs(&below).len(), 2, "{directory}");
    }
}

/// Names that AzCopy reports as delivered are mapped back to the files.
#[cfg(unix)]
#[test]
fn a_killed_upload_from_an_unusual_path_resumes() {
    let store = CopyStore::start(&azurite());
    let stage = Stage::with(Config { blobs: crate::stage::store(&store.url), ..Config::default() });
    for number in 0..4 {
        stage.write(&format!("50% *m/{number}.safetensors"), &vec![number; 500_000]);
    }
    stage.write("50% *m/large.safetensors", &vec![9; 8_000_000]);
    let args = ["create", "-n", "killed", "--source", "50% *m", "--skip-check", "-o", "json", "--limit-rate", "2M"];
    let mut first = stage.command(&args).stderr(Stdio::null()).stdout(Stdio::null()).spawn().expect("runs");
    store.wait_until_received(2_000_000);
    first.kill().expect("killed");
    first.wait().expect("ended");
    let output = stage.command(&args[..8]).output().expect("runs");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    let model: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(stage.blobs(&model) == files(&stage.work().join("50% *m")), "the contents differ");
    assert!(stderr.contains("Resuming upload: "), "{stderr}");
    stage.assert_no_upload_left();
}

#[cfg(unix)]
#[test]
fn a_hugging_face_cache_is_uploaded_under_the_names_of_its_links() {
    let stage = Stage::new();
    stage.write("hub/blobs/abc", b"weights");
    stage.write("hub/blobs/def", b"{}");
    let snapshot = stage.work().join("hub/snapshots/1");
    std::fs::create_dir_all(&snapshot).expect("a directory");
    for (blob, name) in [("abc", "model.safetensors"), ("def", "config.json")] {
        std::os::unix::fs::symlink(format!("../../blobs/{blob}"), snapshot.join(name)).expect("a link");
    }
    let model = stage.json(&["create", "-n", "links", "--source", "hub/snapshots/1", "--skip-check", "-o", "json"]);
    assert!(stage.blobs(&model) == files(&snapshot));
}

#[test]
fn only_the_named_file_is_uploaded() {
    let stage = Stage::new();
    stage.write("dir/one.safetensors", b"one");
    stage.write("dir/two.safetensors", b"two");
    let model = stage.json(&["create", "-n", "one", "--source", "dir/one.safetensors", "--skip-check", "-o", "json"]);
    let uploaded = stage.blobs(&model);
    assert_eq!(uploaded.into_iter().collect::<Vec<_>>(), [("one.safetensors".to_owned(), b"one".to_vec())]);
}

/// The service issues an expired SAS: one new SAS is requested, then the command reports the error.
#[test]
fn an_expired_sas_is_renewed_once_and_then_reported() {
    let stage = Stage::with(Config { blobs: store(&azurite()), sas_seconds: -60, ..Config::default() });
    stage.write("m/model.safetensors", b"x");
    let output = stage.command(&["create", "-n", "late", "--source", "m", "--skip-check"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
    let requested =
        stage.emulator.requests().iter().filter(|request| request.path.ends_with("/startPendingUpload")).count();
    assert_eq!(requested, 2);
}

/// The first SAS is expired, the second is valid.
#[test]
fn an_upload_succeeds_with_a_renewed_sas() {
    let stage = Stage::with(Config { blobs: store(&azurite()), first_sas_seconds: vec![-60], ..Config::default() });
    stage.write("m/model.safetensors", b"x");
    let model = stage.json(&["create", "-n", "renewed", "--source", "m", "--skip-check", "-o", "json"]);
    assert_eq!(stage.blobs(&model).len(), 1);
}

/// The SAS expires while AzCopy uploads: a new one is requested, and only missing files are sent with it.
#[test]
fn a_sas_that_expires_during_an_upload_is_renewed() {
    let store = CopyStore::start(&azurite());
    let blobs = crate::stage::store(&store.url);
    let stage = Stage::with(Config { blobs, first_sas_seconds: vec![4], ..Config::default() });
    for number in 0..4 {
        stage.write(&format!("m/{number}.safetensors"), &vec![number; 500_000]);
    }
    stage.write("m/large.safetensors", &vec![9; 16_000_000]);
    let args = ["create", "-n", "renewed", "--source", "m", "--skip-check", "-o", "json", "--limit-rate", "2M"];
    let output = stage.command(&args).output().expect("runs");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("The upload SAS was rejected. Requesting a new one..."), "{stderr}");
    let model = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(stage.blobs(&model), files(&stage.work().join("m")));
    assert!(stderr.contains("Resuming upload: 4 of 5 files"), "{stderr}");
}

/// Killed during the upload: the same command resumes with the missing files.
#[cfg(unix)]
#[test]
fn a_killed_upload_resumes() {
    let store = CopyStore::start(&azurite());
    let stage = Stage::with(Config { blobs: crate::stage::store(&store.url), ..Config::default() });
    for number in 0..4 {
        stage.write(&format!("m/{number}.safetensors"), &vec![number; 500_000]);
    }
    stage.write("m/large.safetensors", &vec![9; 16_000_000]);
    let args = ["create", "-n", "killed", "--source", "m", "--skip-check", "-o", "json", "--limit-rate", "2M"];
    let mut first = stage.command(&args).stderr(Stdio::null()).stdout(Stdio::null()).spawn().expect("runs");
    store.wait_until_received(2_000_000);
    first.kill().expect("killed");
    first.wait().expect("ended");
    let received = store.received();
    let output = stage.command(&args[..8]).output().expect("runs");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    let model: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(stage.blobs(&model) == files(&stage.work().join("m")), "the contents differ");
    let resumed: u64 = stderr
        .split("Resuming upload: ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next()?.parse().ok())
        .unwrap_or_else(|| panic!("the upload started over: {stderr}"));
    assert!(resumed >= 1, "{stderr}");
    assert_eq!(store.received() - received, 16_000_000 + (4 - resumed) * 500_000, "{stderr}");
    stage.assert_no_upload_left();
}
