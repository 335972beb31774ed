//! Pages of a check and a dry run of a repository.

use serde_json::json;

use super::{Fixture, valid_model};

#[test]
fn valid_repository_is_checked_without_azure_and_without_its_weights() {
    let fixture = Fixture::valid();
    insta::assert_snapshot!(fixture.run(&["custom", "check", "hf://org/model"]).success(), @"
    No problems found in 5 files, 586.2 KB (FullWeight)
    ------- stderr -------
    Checked: org/model@main (03e73d8), 5 of 9 files, 586.2 of 589.1 KB
    ");
    let requests = fixture.hub.requests();
    let shard = |name: &str| requests.iter().filter(|one| one.file.as_deref() == Some(name)).count();
    assert_eq!(shard("model-00001-of-00002.safetensors"), 2, "{requests:?}");
    let (_, bytes) = fixture.traffic();
    assert!(bytes < 140_000, "{bytes} bytes of 602,000 were read");
    let page = format!("{}/org/model/tree/main", fixture.hub.endpoint());
    assert_eq!(fixture.run(&["check", &page, "-o", "json"]).success().json(), json!([]));
}

#[test]
fn dry_run_shows_selected_and_excluded_files() {
    let fixture = Fixture::with(&valid_model(), |config| {
        config.repos[0].license = Some("apache-2.0".to_owned());
        config.repos[0].base_models = vec!["org/base".to_owned(), "org/other".to_owned()];
    });
    let dry_run = ["custom", "create", "--name", "my-model", "--source", "hf://org/model", "--dry-run"];
    insta::assert_snapshot!(fixture.run(&dry_run).success(), @"
    Dry run: nothing is sent.

      Name:        my-model
      Version:     1
      Source:      hf://org/model
      Upload:      5 files, 586.2 KB, about 1s
      Commit:      org/model@main, 03e73d819f9a85cbf88605371306311fb2d9a9f3
      Taking:      5 of 9 files, 586.2 of 589.1 KB
      Copy:        streamed through this machine: 127.0.0.1 is not a public host of the Hub
      License:     apache-2.0 (from the model card)
      Base model:  org/base (from the model card)

    Files:
           2 B  config.json
      293.0 KB  model-00001-of-00002.safetensors
      293.0 KB  model-00002-of-00002.safetensors
          94 B  model.safetensors.index.json
           2 B  tokenizer.json

    Excluded:
         5 B  .gitattributes (default exclude)
         9 B  README.md (not needed for a model)
      1000 B  onnx/model.onnx (not needed for a model)
      2.0 KB  pytorch_model.bin (safetensors are used instead)

    Requests that would be sent:
      POST /models/my-model/versions/1/startPendingUpload
      POST /models/my-model/versions/1/createAsync
      GET /models/my-model/versions/1
    ");
    let plan = fixture.run(&[&dry_run[..], &["-o", "json", "--copy", "client", "--exclude", "model-*"]].concat());
    let plan = plan.fails_with(6).json();
    insta::assert_snapshot!(serde_json::to_string_pretty(&plan["import"]).expect("JSON"), @r#"
    {
      "endpoint": "http://[HUB]",
      "repo": "org/model",
      "sha": "03e73d819f9a85cbf88605371306311fb2d9a9f3",
      "reference": "main",
      "path": "",
      "repository": {
        "files": 9,
        "bytes": 603254
      },
      "license": "apache-2.0",
      "baseModel": "org/base",
      "copy": {
        "mode": "client",
        "reason": "streamed through this machine: --copy client"
      },
      "verify": "auto"
    }
    "#);
    assert_eq!(plan["excluded"][0], json!({"path": ".gitattributes", "reason": "default exclude", "bytes": 5}));
    assert_eq!(plan["totals"], json!({"files": 3, "bytes": 98}));
    let local = fixture.env.run(&["create", "-n", "my-model", "--source", "repo", "--dry-run", "-o", "json"]).json();
    assert_eq!((local.get("import"), local["excluded"][0].get("bytes")), (None, None));
}

#[test]
fn repository_is_accepted_from_a_source_file_and_a_pipe() {
    let fixture = Fixture::valid();
    fixture.env.write("source.txt", "\"hf://org/model@main\"\r\n");
    let args = ["create", "-n", "my-model", "--source-file", "source.txt", "--dry-run", "-o", "json"];
    let plan = fixture.run(&args).success().json();
    assert_eq!(plan["source"], "hf://org/model@main");
    assert_eq!(plan["import"]["sha"].as_str(), fixture.hub.sha("org/model"));
}

#[test]
fn folder_or_file_can_be_imported_alone() {
    let mut files = valid_model();
    files.push(("fp8/config.json", b"{}".to_vec()));
    files.push(("fp8/model.safetensors", super::shard("a", 10)));
    let fixture = Fixture::with(&files, |_| {});
    let plan = |source: &str| {
        let args = ["create", "-n", "my-model", "--source", source, "--dry-run", "-o", "json"];
        fixture.run(&args).json()
    };
    let names = |plan: &serde_json::Value| -> Vec<String> {
        let files = plan["files"].as_array().expect("files").iter();
        files.map(|file| file["path"].as_str().expect("a path").to_owned()).collect()
    };
    let folder = plan("hf://org/model/fp8");
    assert_eq!(
        (names(&folder), &folder["import"]["path"]),
        (vec!["config.json".into(), "model.safetensors".into()], &json!("fp8"))
    );
    assert_eq!(names(&plan("hf://org/model@main/fp8/model.safetensors")), ["model.safetensors"]);
    assert_eq!(names(&plan("hf://org/model/onnx/model.onnx"))[..], ["model.onnx"]);
}

#[test]
fn list_of_several_pages_and_redirected_small_files_are_read() {
    let fixture = Fixture::with(&valid_model(), |config| {
        config.page_size = 2;
        config.redirects_small_files = true;
    });
    fixture.run(&["custom", "check", "hf://org/model"]).success();
    let pages = fixture.hub.requests().iter().filter(|one| one.path.contains("/tree/")).count();
    assert!(pages >= 5, "{pages}");
}

#[test]
fn renamed_repository_is_reported() {
    let fixture = Fixture::with(&valid_model(), |config| config.repos[0].former_ids = vec!["org/old".to_owned()]);
    let output = fixture.run(&["custom", "check", "hf://org/old"]).success();
    assert!(output.stderr.contains("The repository 'org/old' was renamed to 'org/model'."), "{output}");
}

#[test]
fn page_of_the_public_hub_is_requested_from_the_mirror_and_reported() {
    let fixture = Fixture::valid();
    let output = fixture.run(&["custom", "check", "https://huggingface.co/org/model"]).success();
    let words = "The repository is read from http://[HUB] (HF_ENDPOINT), not from huggingface.co.";
    assert!(output.stderr.contains(words), "{output}");
}
