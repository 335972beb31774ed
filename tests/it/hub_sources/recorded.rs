//! Records of an import: the tags of the model, and the commit in the journal.

use fake_hub::{Config, FakeHub, RepoConfig};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Fixture, valid_model};
use crate::support::{Behaviour, BlockStore, Output, TestEnv};

const CREATE: [&str; 6] = ["custom", "create", "--name", "my-model", "--source", "hf://org/model"];
const OTHER: &str = "9b7c000000000000000000000000000000000002";

/// Environment with a project and a store, in which an import can finish.
fn fixture() -> (Fixture, BlockStore) {
    let store = BlockStore::start();
    let mut env = TestEnv::with_store(foundry_emulator::Config::default(), &store);
    for (path, content) in valid_model() {
        env.write(&format!("repo/{path}"), content);
    }
    let mut repo = RepoConfig::new("org/model", env.work().join("repo"));
    repo.license = Some("apache-2.0".to_owned());
    repo.base_models = vec!["org/base".to_owned()];
    let hub = FakeHub::start(Config { repos: vec![repo], ..Config::default() }).expect("a Hub");
    env.set("HF_ENDPOINT", hub.endpoint());
    (Fixture { env, hub }, store)
}

fn create(fixture: &Fixture, more: &[&str]) -> Output {
    fixture.run(&[&CREATE[..], more].concat())
}

/// Makes an import fail after two content requests.
fn interrupt_import(fixture: &Fixture, store: &BlockStore) {
    store.behaves(Behaviour { refuses_all_after: Some(2), ..Behaviour::default() });
    create(fixture, &[]).fails_with(7);
    store.behaves(Behaviour::default());
}

/// Content digest of the files that an import selects, computed from its definition.
fn digest(fixture: &Fixture) -> String {
    let hex = |content: &[u8]| Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let plan = create(fixture, &["--dry-run", "-o", "json"]).success().json();
    let line = |file: &Value| {
        let path = file["path"].as_str().expect("a path");
        let content = std::fs::read(fixture.directory().join(path)).expect("a file");
        format!("{path}\0{}\0{}\n", content.len(), hex(&content))
    };
    hex(plan["files"].as_array().expect("files").iter().map(line).collect::<String>().as_bytes())
}

/// The Hub lists the checksums of weights, and the small files are read: identical content is detected before anything
/// is sent.
#[test]
fn same_content_is_imported_once() {
    let (fixture, _store) = fixture();
    let model = create(&fixture, &["--if-changed", "-o", "json"]).success().json();
    assert_eq!(model["tags"]["contentDigest"], digest(&fixture));
    let again = create(&fixture, &["--version", "auto", "--if-changed", "-o", "json"]).success().json();
    assert_eq!((&again["version"], &again["created"]), (&json!("1"), &json!(false)));
}

#[test]
fn plan_pins_the_commit() {
    let (fixture, _store) = fixture();
    let sha = fixture.hub.sha("org/model").expect("a commit");
    let plan = create(&fixture, &["--dry-run", "-o", "json"]).success();
    assert_eq!(plan.json()["import"]["sha"], sha);
    let authority = fixture.hub.endpoint().trim_start_matches("http://").to_owned();
    fixture.env.write("plan.json", plan.stdout.replace("[HUB]", &authority).replace("[ROOT]", "/"));
    fixture.hub.configure(|config| config.moved_to = Some(OTHER.to_owned()));
    let model = fixture.run(&["create", "--plan", "plan.json", "-o", "json"]).success().json();
    assert_eq!(model["tags"]["hf.revision"], sha);
}

#[test]
fn tags_record_the_origin_of_a_model() {
    let (fixture, _store) = fixture();
    let output = create(&fixture, &["--tag", "license=mine", "--progress", "json", "-o", "json"]).success();
    let sha = fixture.hub.sha("org/model").expect("a commit").to_owned();
    let tags = &output.json()["tags"];
    let expected = json!({
        "contentDigest": digest(&fixture), "base_model": "org/base", "hf.ref": "main", "hf.repo": "org/model", "hf.revision": sha, "license": "mine"
    });
    assert_eq!(*tags, expected, "{output}");
    let events: Vec<Value> = output.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let resolved = events.iter().find(|event| event["event"] == "import.resolved").expect("an event");
    let bytes: usize = [2, 94, 2].iter().sum::<usize>() + 2 * super::shard("a", 300_000).len();
    assert_eq!(
        (&resolved["repo"], &resolved["sha"], &resolved["ref"], &resolved["files"], &resolved["bytes"]),
        (&json!("org/model"), &json!(sha), &json!("main"), &json!(5), &json!(bytes))
    );
    let page = fixture.run(&["custom", "show", "--name", "my-model"]).success().stdout;
    for words in ["Imported From", "Hugging Face Hub", "org/model", &sha] {
        assert!(page.contains(words), "{words}: {page}");
    }
}

#[test]
fn user_defined_tag_is_kept_with_a_warning() {
    let (fixture, _store) = fixture();
    let output = create(&fixture, &["--tag", "license=mine", "--tag", "hf.ref=main"]).success();
    let warning = "WARNING: The tag license=mine is kept; the Hugging Face Hub has apache-2.0.";
    assert_eq!(output.stderr.matches(" is kept; ").count(), 1, "{output}");
    assert!(output.stderr.contains(warning), "{output}");
}

#[test]
fn printed_command_has_only_the_users_options() {
    let (fixture, store) = fixture();
    store.behaves(Behaviour { refuses_all_after: Some(2), ..Behaviour::default() });
    let output = create(&fixture, &["--copy", "client", "--verify", "off"]).fails_with(7);
    let line = "custom create --name my-model --source hf://org/model --copy client --verify off\n";
    assert!(output.stderr.contains(line), "{output}");
}

#[test]
fn moved_branch_is_reported_and_the_pinned_commit_is_imported() {
    let (fixture, store) = fixture();
    interrupt_import(&fixture, &store);
    fixture.hub.configure(|config| config.moved_to = Some(OTHER.to_owned()));
    let output = create(&fixture, &["-o", "json"]).success();
    let sha = fixture.hub.sha("org/model").expect("a commit");
    let words = format!(
        "'main' of org/model now points to 9b7c000. The import that started with {} continues with that commit.",
        &sha[..7]
    );
    assert!(output.stderr.contains(&words), "{output}");
    assert_eq!(output.json()["tags"]["hf.revision"], sha);
}

#[test]
fn another_selection_or_revision_starts_over() {
    for (before, now) in [(&["--exclude", "tokenizer.json"][..], &[][..]), (&[], &["--source", "hf://org/model@main"])]
    {
        let (fixture, store) = fixture();
        store.behaves(Behaviour { refuses_all_after: Some(2), ..Behaviour::default() });
        create(&fixture, before).fails_with(7);
        store.behaves(Behaviour::default());
        let output = create(&fixture, now).success();
        assert!(output.stderr.contains("Starting fresh upload..."), "{now:?}: {output}");
    }
}

#[test]
fn unfinished_import_is_listed_and_resumed_from_its_hub() {
    let (mut fixture, store) = fixture();
    interrupt_import(&fixture, &store);
    let uploads = fixture.run(&["custom", "uploads", "list", "-o", "json"]).success().json();
    assert_eq!((&uploads[0]["source"], &uploads[0]["files"]), (&json!("hf://org/model"), &json!(5)));
    let id = uploads[0]["id"].as_str().expect("an id").to_owned();
    let endpoint = fixture.hub.endpoint().to_owned();
    fixture.env.set("HF_ENDPOINT", "http://127.0.0.1:9");
    let error = fixture.run(&["uploads", "resume", &id, "-o", "json"]).fails_with(2).json_error();
    assert_eq!(error["code"], "bad_variable", "{error}");
    fixture.env.set("HF_ENDPOINT", &endpoint);
    let model = fixture.run(&["custom", "uploads", "resume", &id, "-o", "json"]).success().json();
    assert_eq!(model["tags"]["hf.repo"], "org/model");
}

#[test]
fn missing_commit_cannot_be_resumed() {
    let (fixture, store) = fixture();
    interrupt_import(&fixture, &store);
    fixture.hub.configure(|config| config.moved_to = Some(OTHER.to_owned()));
    // Only requests that name the commit itself are rejected.
    let fault = fake_hub::FaultKind::Status {
        status: 404,
        code: Some("RevisionNotFound".into()),
        message: None,
        retry_after: None,
    };
    fixture.hub.add_fault(fake_hub::Fault::new(fake_hub::Route::Revision, fault).after(1));
    let output = create(&fixture, &[]).fails_with(3);
    assert!(output.stderr.contains("has no revision"), "{output}");
}
