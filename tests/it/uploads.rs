//! `custom uploads`: unfinished uploads are listed, resumed, or discarded.

use foundry_emulator::{Fault, FaultKind, Route};

use crate::support::{Output, TestEnv, create, env_with_model};
#[cfg(unix)]
use crate::support::{Running, Terminal};

/// One of two files is delivered, then the upload fails; the next run sends the files that it is given.
const BROKEN: &str = "init\ndelivered config.json\nend CompletedWithErrors 50 1050 1 2 1\nexit 1\nnext-run\ndefault\n";

fn interrupted_upload(more: &[&str]) -> TestEnv {
    let mut env = env_with_model();
    env.azcopy_script(BROKEN);
    let args = ["custom", "create", "--name", "my-model", "--source", "model"];
    drop(env.run(&[args.as_slice(), more].concat()).fails_with(7));
    env
}

fn id(env: &TestEnv) -> String {
    let list = env.run(&["custom", "uploads", "list", "-o", "json"]).success().json();
    list[0]["id"].as_str().expect("an id").to_owned()
}

/// Output without the parts that differ between runs.
fn masked(output: Output, id: &str) -> String {
    let lines = output.to_string().replace(id, "[ID]");
    let masked = lines.lines().map(|line| {
        let at = [line.find("\"createdAt\""), line.find("\"updatedAt\"")].into_iter().flatten().next();
        at.map_or(line.to_owned(), |at| format!("{}...", &line[..at + 13]))
    });
    masked.collect::<Vec<_>>().join("\n")
}

#[test]
fn unfinished_upload_is_listed() {
    let none = TestEnv::new();
    assert_eq!(none.run(&["custom", "uploads", "list"]).success().stdout, "0 unfinished uploads found\n");
    assert_eq!(none.run(&["custom", "uploads", "list", "-o", "json"]).success().stdout, "[]\n");
    let env = interrupted_upload(&[]);
    let table = env.run(&["custom", "uploads", "list"]).success().stdout;
    assert!(
        table.contains("  my-model  1        interrupted  2      1.0 KB  ") && table.contains("here/model\n"),
        "{table}"
    );
    insta::assert_snapshot!(masked(env.run(&["uploads", "list", "-o", "json"]).success(), &id(&env)), @r#"
    [
      {
        "id": "[ID]",
        "name": "my-model",
        "version": "1",
        "endpoint": "http://[EMULATOR]/api/projects/demo",
        "source": "[ROOT]/here/model",
        "state": "interrupted",
        "files": 2,
        "bytes": 1050,
        "createdAt": ...
        "updatedAt": ...
        "pid": null,
        "percent": null,
        "bytesPerSecond": null,
        "etaSeconds": null
      }
    ]
    "#);
}

#[test]
fn upload_that_changed_last_is_listed_first() {
    let mut env = interrupted_upload(&[]);
    let versions = |env: &TestEnv| {
        let list = env.run(&["custom", "uploads", "list", "-o", "json"]).success().json();
        let rows = list.as_array().expect("a list").clone();
        rows.iter().map(|row| row["version"].as_str().expect("a version").to_owned()).collect::<Vec<_>>()
    };
    env.azcopy_script("init\nerror no");
    for (version, listed) in [("2", &["2", "1"][..]), ("3", &["3", "2", "1"]), ("1", &["1", "3", "2"])] {
        drop(create(&env, &["--version", version]).fails_with(7));
        assert_eq!(versions(&env), listed);
    }
}

#[test]
fn source_is_listed_with_its_full_path() {
    let mut env = env_with_model();
    env.write("below/file", "");
    env.azcopy_script(BROKEN);
    let args = ["custom", "create", "--name", "my-model", "--source", ".././model/../model", "-C", "below"];
    drop(env.run(&args).fails_with(7));
    let list = env.run(&["custom", "uploads", "list", "-o", "json"]).success();
    assert_eq!(env.clean(list.json()[0]["source"].as_str().expect("a path")), "[ROOT]/here/model");
}

/// Only the id is needed: files, globs, description and all details of the registration are in the journal.
#[test]
fn upload_is_resumed_by_id_with_its_original_options() {
    let env = interrupted_upload(&[
        "--version",
        "7",
        "--description",
        "d",
        "--tag",
        "a=b",
        "--base-model",
        "FW-X",
        "--exclude",
        "*.bin",
        "--weight-type",
        "DraftModel",
        "--publisher",
        "p",
    ]);
    env.write("model/late.bin", "not selected");
    let id = id(&env);
    let elsewhere = env.root().join("elsewhere");
    std::fs::create_dir(&elsewhere).expect("a directory");
    let output = env.run(&["custom", "uploads", "resume", &id[..6], "-C", &elsewhere.to_string_lossy()]).success();
    assert!(output.stderr.contains("Resuming upload: 1 of 2 files (50 B) already uploaded."), "{output}");
    assert_eq!(env.azcopy_starts()[1]["list"], "model.safetensors\n");
    let requests = env.emulator().requests();
    let sent = requests.iter().find(|sent| sent.path.ends_with("/versions/7/createAsync")).expect("a registration");
    let mut body = sent.body.clone();
    assert!(body["blobUri"].take().as_str().is_some_and(|uri| uri.ends_with("/upload-1")));
    insta::assert_snapshot!(format!("{body:#}"), @r#"
    {
      "blobUri": null,
      "weightType": "DraftModel",
      "derivedModelInformation": {
        "baseModel": "azureml://registries/azureml-fireworks/models/FW-X/versions/1"
      },
      "catalogInfo": {
        "publisherId": "p"
      },
      "description": "d",
      "tags": {
        "a": "b",
        "baseArchitecture": "FW-X"
      }
    }
    "#);
    assert_eq!(env.run(&["custom", "uploads", "list", "-o", "json"]).success().stdout, "[]\n");
}

#[test]
fn failed_resume_suggests_itself() {
    let mut env = interrupted_upload(&[]);
    let id = id(&env);
    env.azcopy_script("init\nend Failed 0 1000 0 1 1\nexit 1\n");
    let output = env.run(&["custom", "uploads", "resume", &id]).fails_with(7);
    assert!(output.stderr.contains(&format!("  azure-ai-models custom uploads resume {id}\n")), "{output}");
}

#[test]
fn resume_has_its_own_rate_limit_and_progress() {
    let mut env = interrupted_upload(&[]);
    let id = id(&env);
    env.azcopy_script("init\nprogress 500 1000 0 1 0\nend Failed 0 1000 0 1 1\nexit 1\n");
    let resume = ["custom", "uploads", "resume", &id, "--limit-rate", "20M", "--progress", "json"];
    let output = env.run(&resume).fails_with(7);
    let start = env.azcopy_starts().pop().expect("a start").to_string();
    assert!(start.contains("--cap-mbps") && start.contains("167.772160"), "{start}");
    assert!(output.stderr.contains(r#"{"event":"upload.progress""#), "{output}");
    // The suggested command to resume keeps the limit.
    assert!(output.stderr.contains(&format!("custom uploads resume {id} --limit-rate 20M\n")), "{output}");
}

#[cfg(unix)]
#[test]
fn upload_is_discarded_on_confirmation() {
    let env = interrupted_upload(&[]);
    let id = id(&env);
    let output = env.run(&["custom", "uploads", "discard", &id]).fails_with(2);
    assert!(output.stderr.contains("Use --yes to discard without a prompt."), "{output}");
    for (answer, code, left) in [("n\r", 1, 1), ("\r", 1, 1), ("y\r", 0, 0)] {
        let mut terminal = Terminal::start(&env, 120, &["custom", "uploads", "discard", &id]);
        terminal.wait_for("(y/N)");
        terminal.type_text(answer);
        assert_eq!(terminal.finish().code, code, "{answer:?}");
        let list = env.run(&["custom", "uploads", "list", "-o", "json"]).success().json();
        assert_eq!(list.as_array().map(Vec::len), Some(left));
    }
    let output = env.run(&["custom", "uploads", "discard", &id, "--yes"]).fails_with(3);
    assert!(output.stderr.contains("not found on this machine"), "{output}");
    assert_eq!(env.run(&["custom", "uploads", "discard", "--all"]).success().stdout, "");
}

#[test]
#[cfg(unix)]
fn running_upload_is_neither_resumed_nor_discarded() {
    let mut env = env_with_model();
    env.azcopy_script("init\nhang\n");
    let running = Running::start(&env, &["custom", "create", "--name", "my-model", "--source", "model"]);
    running.wait_for("Uploading 2 files");
    let id = id(&env);
    let table = env.run(&["custom", "uploads", "list"]).success().stdout;
    assert!(table.contains("  uploading  "), "{table}");
    for command in [["uploads", "resume"].as_slice(), &["uploads", "discard", "--yes"]] {
        let output = env.run(&[command, &[&id]].concat()).fails_with(5);
        assert!(output.stderr.contains("is being uploaded by another process"), "{output}");
    }
    running.signal(rustix::process::Signal::INT);
    drop(running.finish(&env).fails_with(130));
}

/// The SAS of a URL is never stored.
#[test]
fn remote_source_must_be_given_again() {
    let mut env = TestEnv::new();
    env.azcopy_script("init\nend Failed 0 11 0 1 1\nexit 1\n");
    let source = "https://a.blob.core.windows.net/c?sv=1&sig=CANARY5A5";
    drop(env.run(&["custom", "create", "--name", "my-model", "--source", source]).fails_with(7));
    let list = env.run(&["custom", "uploads", "list"]).success();
    assert!(list.stdout.contains("https://a.blob.core.windows.net/c\n"), "{list}");
    let output = env.run(&["custom", "uploads", "resume", &id(&env)]).fails_with(2);
    assert!(output.stderr.contains("custom create --name my-model --version 1 --source-file FILE"), "{output}");
}

/// The journal records the registration before the wait begins: the next run polls the operation itself.
#[test]
fn unfinished_registration_is_resumed() {
    let env = env_with_model();
    env.emulator().add_fault(Fault::new(Route::Poll, FaultKind::status(400)).times(1));
    drop(env.run(&["custom", "create", "--name", "my-model", "--source", "model"]).fails_with(8));
    let list = env.run(&["custom", "uploads", "list", "-o", "json"]).success().json();
    assert_eq!(list[0]["state"], "registering");
    drop(env.run(&["custom", "uploads", "resume", &id(&env)]).success());
    assert_eq!(env.azcopy_starts().len(), 1);
}
