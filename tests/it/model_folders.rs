//! Folders as users have them: valid ones pass, invalid ones have findings. The inputs of the table are in
//! `tests/data/cases`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{TestEnv, env_with_model};

/// Copies an input into the working directory, so that no test writes to the original.
fn given(env: &TestEnv, case: &str) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cases").join(case);
    for entry in walkdir::WalkDir::new(&from).min_depth(1) {
        let entry = entry.expect("an entry");
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(&from).expect("a path below the directory").to_str().expect("text");
            env.write(&format!("input/{path}"), fs::read(entry.path()).expect("a file"));
        }
    }
}

/// `error code file` of each finding.
fn findings(document: &Value) -> Vec<String> {
    let word = |finding: &Value, key: &str| finding[key].as_str().expect("a string").to_owned();
    let findings = document.as_array().expect("a list").iter();
    findings.map(|one| ["level", "code", "file"].map(|key| word(one, key)).join(" ")).collect()
}

#[test]
fn each_case_has_the_expected_findings() {
    let shard = "model-00001-of-00002.safetensors";
    let table: [(&str, i32, &[&str]); 14] = [
        ("adapter-config-cut", 6, &["error invalid-config adapter_config.json"]),
        ("adapter-without-tensors", 6, &["error no-tensors adapter_model.safetensors"]),
        ("appledouble", 0, &[]),
        (
            "aria2-download-under-way",
            6,
            &[
                "error unfinished-download model-00001-of-00002.safetensors",
                "warning unknown-file model-00001-of-00002.safetensors.aria2",
            ],
        ),
        ("config-infinity", 0, &[]),
        ("config-latin1", 6, &["error invalid-config config.json"]),
        ("gap-in-six-digit-names", 6, &["error missing-shard model-00002-of-000003.safetensors"]),
        ("gguf-is-a-web-page", 6, &["error bad-header model.gguf"]),
        ("leftover-of-an-older-save", 0, &["warning unused-weights model-00001-of-00002.safetensors"]),
        ("shards-without-index", 0, &["warning missing-index model-00001-of-00003.safetensors"]),
        ("tensor-in-two-shards", 0, &["warning duplicate-tensor model-00002-of-00002.safetensors"]),
        ("tokenizer-cut", 6, &["error invalid-config tokenizer.json"]),
        ("tokenizer-empty-only", 6, &["error invalid-config tokenizer.json", "warning missing-tokenizer ."]),
        ("tokenizer-tekken", 0, &[]),
    ];
    assert!(table[3].2[0].ends_with(shard));
    for (case, code, expected) in table {
        let env = TestEnv::new();
        given(&env, case);
        let output = env.run(&["custom", "check", "input", "-o", "json"]).fails_with(code);
        assert_eq!(findings(&output.json()), expected, "{case}: {output}");
    }
}

/// Parts of messages that are required where the code alone does not explain the finding.
#[test]
fn messages_name_cause_and_size() {
    for (case, words) in [
        ("config-latin1", "the file is not UTF-8 (at byte "),
        ("adapter-config-cut", "the file is truncated (EOF while parsing"),
        ("gguf-is-a-web-page", "the file is a web page"),
        ("adapter-without-tensors", "the file contains no tensor with data"),
        (
            "leftover-of-an-older-save",
            "does not list the file, so loaders do not read it, but its 144 B are uploaded too",
        ),
        ("tensor-in-two-shards", "the tensor 'model.layers.2.w' is in model-00001-of-00002.safetensors too"),
        ("shards-without-index", "model.safetensors.index.json not found"),
        ("aria2-download-under-way", "model-00001-of-00002.safetensors.aria2 exists next to it"),
    ] {
        let env = TestEnv::new();
        given(&env, case);
        let output = env.run(&["custom", "check", "input"]);
        assert!(output.stdout.contains(words), "{case}: {words}\n{output}");
    }
    let env = TestEnv::new();
    given(&env, "tokenizer-empty-only");
    let output = env.run(&["custom", "check", "input"]);
    assert!(!output.stdout.contains("--exclude"), "{output}");
}

#[test]
fn unfinished_download_is_found_even_if_its_mark_is_excluded() {
    let env = TestEnv::new();
    given(&env, "aria2-download-under-way");
    let check = |args: &[&str]| findings(&env.run(&[&["check", "-o", "json"], args].concat()).fails_with(6).json());
    let expected = ["error unfinished-download model-00001-of-00002.safetensors"];
    assert_eq!(check(&["input", "--exclude", "*.aria2"]), expected);
    assert_eq!(check(&["input/model-00001-of-00002.safetensors"]), expected);
    // Excluded by default.
    fs::remove_file(env.work().join("input/model-00001-of-00002.safetensors.aria2")).expect("removed");
    env.write("input/model-00001-of-00002.safetensors.incomplete", "x");
    assert_eq!(check(&["input"]), expected);
}

#[test]
fn azd_files_and_secrets_are_excluded_and_reported() {
    let env = TestEnv::new();
    given(&env, "azd-project-in-the-source");
    for path in ["sub/.env.local", ".netrc", "server.pem", ".ssh/id_rsa", "__MACOSX/x", "Thumbs.db", ".nfs01"] {
        env.write(&format!("input/{path}"), "secret");
    }
    env.write("input/.git", "gitdir: ../.git/worktrees/x");
    let create = ["create", "-n", "my-model", "--source", "input", "--dry-run", "-o", "json"];
    let output = env.run(&create).success();
    let plan = output.json();
    let paths = |key: &str| -> Vec<String> {
        plan[key]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one["path"].as_str().expect("a path").to_owned())
            .collect()
    };
    assert_eq!(paths("files"), ["config.json", "model.safetensors", "tokenizer.json"]);
    assert_eq!(
        paths("excluded"),
        [
            ".azure/",
            ".git",
            ".netrc",
            ".nfs01",
            ".ssh/",
            "Thumbs.db",
            "__MACOSX/",
            "azure.yaml",
            "server.pem",
            "sub/.env.local",
        ]
    );
    assert_eq!(plan["excluded"][0]["reason"], "default exclude, may contain secrets");
    let words = "Excluded because they may contain secrets: .azure/, .netrc, .ssh/, server.pem, sub/.env.local";
    assert!(output.stderr.contains(words), "{output}");
    let output = env.run(&["create", "-n", "my-model", "--source", "input"]).success();
    assert!(output.stderr.contains(words), "{output}");
    let starts = env.azcopy_starts();
    assert_eq!(starts.last().expect("a start")["list"], "config.json\nmodel.safetensors\ntokenizer.json\n");

    let plan = env.run(&[&create[..], &["--no-default-excludes", "--skip-check"]].concat()).success().json();
    assert_eq!((plan["files"].as_array().map(Vec::len), &plan["excluded"]), (Some(14), &json!([])));
}

/// An interrupted upload keeps its directory in the source; the next plan must not include it.
#[test]
fn own_upload_directories_are_never_planned() {
    let mut env = env_with_model();
    let config = env.work().join("model/.config");
    env.set("AZD_CONFIG_DIR", config.to_str().expect("text"));
    env.azcopy_script("init\nerror broken\nnext-run\ndefault");
    let create = ["create", "-n", "my-model", "--source", "model", "--skip-check", "--no-default-excludes"];
    let output = env.run(&create).fails_with(7);
    let uploads = config.join("ai-models/uploads");
    assert_eq!(fs::read_dir(&uploads).expect("a directory").count(), 1, "{output}");
    let own = ".config/ai-models/";

    let plan = env.run(&[&create[..], &["--dry-run", "-o", "json"]].concat()).success().json();
    assert_eq!(plan["excluded"], json!([{"path": own, "reason": "this program's own files"}]));
    // In another configuration directory it is recognised by its content.
    let mut other = env.command(&[&create[..], &["--dry-run", "-o", "json"]].concat());
    other.env("AZD_CONFIG_DIR", env.root().join("other"));
    let plan = env.finish(other).success().json();
    let excluded = plan["excluded"][0]["path"].as_str().expect("a path");
    assert!(excluded.starts_with(".config/ai-models/uploads/"), "{plan}");

    env.run(&create).success();
    let starts = env.azcopy_starts();
    assert_eq!(starts.last().expect("a start")["list"], ".gitattributes\nconfig.json\nmodel.safetensors\n");
    assert_eq!(fs::read_dir(&uploads).expect("a directory").count(), 0);
}

/// The names of these files would change in the container, or the files would replace others there.
#[cfg(unix)]
#[test]
fn names_that_the_store_changes_are_rejected_before_any_request() {
    let deep = format!("{}x", "a/".repeat(254));
    let long = format!("{0}/{0}/{0}/{0}/{0}", "d".repeat(250));
    for (name, words) in [
        ("ckpt\\x.txt", "the file name 'ckpt\\x.txt' contains a backslash"),
        ("sub/x.", "the file name 'sub/x.' has a path segment that ends with a dot"),
        ("sub./x", "has a path segment that ends with a dot"),
        ("a\tb", "the file name 'a\\tb' contains a control character"),
        ("a\nb", "the file name 'a\\nb' contains a control character"),
        (&deep, "has 255 path segments; the maximum for a blob name is 254"),
        (&long, "has 1254 characters; the maximum for a blob name is 1024"),
    ] {
        let env = env_with_model();
        env.write(&format!("model/{name}"), "x");
        for engine in ["azcopy", "native"] {
            let create =
                ["create", "-n", "my-model", "--source", "model", "--skip-check", "--engine", engine, "-o", "json"];
            let output = env.run(&create).fails_with(6);
            let error = output.json_error();
            assert_eq!(error["code"], "bad-file-name", "{output}");
            assert!(error["message"].as_str().expect("a string").contains(words), "{words}: {output}");
        }
        assert!(env.emulator().requests().is_empty(), "{name}");
        assert_eq!(findings(&env.run(&["check", "model", "-o", "json"]).fails_with(6).json()).len(), 1);
        env.run(&[
            "create",
            "-n",
            "my-model",
            "--source",
            "model",
            "--exclude",
            "x",
            "--exclude",
            "x.",
            "--exclude",
            "a*",
            "--exclude",
            "sub.",
            "--exclude",
            "ckpt*",
            "--exclude",
            "d*",
        ])
        .success();
    }
}

/// AzCopy parses the path of its source as a URL path, and expands asterisks in it, so it gets a link with a plain
/// name.
#[cfg(unix)]
#[test]
fn unusual_path_is_passed_to_azcopy_as_a_link() {
    let env = env_with_model();
    let source = env.work().join("50% *[x]? done");
    fs::rename(env.work().join("model"), &source).expect("moved");
    env.run(&["create", "-n", "my-model", "--source", "50% *[x]? done", "--skip-check"]).success();
    let starts = env.azcopy_starts();
    let given = starts.last().expect("a start")["argv"][1].as_str().expect("a path").to_owned();
    assert!(given.ends_with("/run-1/azure-ai-models-source") && !given.contains(['%', '*']), "{given}");
}
