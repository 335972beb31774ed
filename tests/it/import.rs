//! Imports from a model hub on this machine: output for the user, and the traffic.

mod copying;
mod faults;
mod resume;
mod soak;

use std::fs;
use std::path::PathBuf;

use fake_hub::{Config as HubConfig, FakeHub, RepoConfig, SIGNATURE_MARK, Side};
use foundry_emulator::Config;
use serde_json::{Value, json};

use crate::support::{BlockStore, CANARY, Output, Received, TestEnv, extend_varied, sha256};

const MIB: usize = 1 << 20;
/// Three blocks and a part of a fourth.
const LARGE: usize = 25 * MIB;
const TOKEN: &str = "hf_CANARYTOKEN";
const CREATE: [&str; 6] = ["custom", "create", "--name", "my-model", "--source", "hf://org/model"];

/// Environment with a repository of a large file and small ones, a store, and a Foundry project.
struct Fixture {
    env: TestEnv,
    store: BlockStore,
    hub: FakeHub,
}

/// Weights of this many bytes with a header that the check accepts; no two parts are equal.
fn weights(bytes: usize, seed: u64) -> Vec<u8> {
    let header = format!(r#"{{"w{seed}":{{"dtype":"U8","shape":[{0}],"data_offsets":[0,{0}]}}}}"#, bytes - 108);
    let mut content = 100_u64.to_le_bytes().to_vec();
    content.extend_from_slice(format!("{header:<100}").as_bytes());
    extend_varied(content, bytes, seed)
}

fn fixture(change: impl FnOnce(&mut HubConfig)) -> Fixture {
    fixture_with(Config::default(), change)
}

fn fixture_with(config: Config, change: impl FnOnce(&mut HubConfig)) -> Fixture {
    let store = BlockStore::start();
    let mut env = TestEnv::with_store(config, &store);
    let repo = env.root().join("repo");
    fs::create_dir_all(repo.join("onnx")).expect("made");
    for (name, content) in [
        ("config.json", format!("{:<50}", "{}").into_bytes()),
        ("tokenizer.json", b"{\"model\":{}}".to_vec()),
        ("model.safetensors", weights(LARGE, 1)),
        ("onnx/model.onnx", vec![1; 1000]),
        ("README.md", b"# A model".to_vec()),
    ] {
        fs::write(repo.join(name), content).expect("written");
    }
    let mut hub = HubConfig { repos: vec![RepoConfig::new("org/model", repo)], ..HubConfig::default() };
    change(&mut hub);
    let hub = FakeHub::start(hub).expect("a hub");
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.1/1").set("HF_ENDPOINT", hub.endpoint());
    Fixture { env, store, hub }
}

impl Fixture {
    fn create(&self, more: &[&str]) -> Output {
        self.env.run(&[&CREATE, more].concat())
    }

    fn source(&self, name: &str) -> Vec<u8> {
        fs::read(self.repo().join(name)).expect("a file")
    }

    fn repo(&self) -> PathBuf {
        self.env.root().join("repo")
    }

    /// Checks that every model file is in the store as in the repository, and no other file is.
    fn assert_uploaded(&self) {
        assert_eq!(self.store.names(), ["config.json", "model.safetensors", "tokenizer.json"]);
        for name in self.store.names() {
            assert!(self.store.blob(&name).expect("a blob").content == self.source(&name), "{name} differs");
        }
        assert!(!self.hub.has_leaked_token());
    }

    fn large(&self) -> Received {
        self.store.take_received("model.safetensors")
    }

    /// Checks that neither the output nor a file of the program contains a secret.
    fn assert_no_secret(&self, output: &Output) {
        let mut texts = vec![output.to_string()];
        for entry in walkdir::WalkDir::new(self.env.home()).into_iter().filter_map(Result::ok) {
            if entry.file_type().is_file() {
                texts.push(String::from_utf8_lossy(&fs::read(entry.path()).expect("read")).into_owned());
            }
        }
        for secret in [CANARY, TOKEN, SIGNATURE_MARK] {
            assert!(texts.iter().all(|text| !text.contains(secret)), "{secret} is in {output}");
        }
    }
}

/// Output without the lines that appear only on a slow machine, and without the address of the hub.
fn steady(fixture: &Fixture, output: &Output) -> String {
    let moving = |line: &&str| !line.contains("% (") && !line.contains("Still ");
    let lines = output.stderr.lines().filter(moving);
    let text: String = lines.map(|line| line.split(" in ").next().unwrap_or(line).to_owned() + "\n").collect();
    let sha = fixture.hub.sha("org/model").expect("a commit");
    text.replace(&sha[..7], "[SHA]").replace(fixture.hub.endpoint(), "[HUB]")
}

#[test]
fn hub_model_is_imported_without_disk_writes() {
    let fixture = fixture(|_| {});
    let output = fixture.create(&["--debug"]).success();
    fixture.assert_uploaded();
    fixture.assert_no_secret(&output);
    let large = fixture.large();
    let mut blocks = large.blocks.clone();
    blocks.sort_unstable();
    assert_eq!((blocks, large.copied, large.with_checksum, large.commits), (vec![0, 1, 2, 3], 0, 4, 1));
    // The header is read for the check, and each byte is sent once.
    let fetched = fixture.hub.file("model.safetensors").bytes;
    assert!((LARGE as u64..LARGE as u64 + (1 << 17)).contains(&fetched), "{fetched}");
}

#[test]
fn page_of_an_import_shows_selection_and_mode() {
    let fixture = fixture(|config| config.repos[0].license = Some("mit".to_owned()));
    let output = fixture.create(&[]).success();
    insta::assert_snapshot!(steady(&fixture, &output));
}

#[test]
fn json_has_the_sums_of_all_files_and_events_name_the_mode() {
    let fixture = fixture(|_| {});
    let output = fixture.create(&["-o", "json", "--progress", "json"]).success();
    let file = |name: &str| json!({ "path": name, "bytes": fixture.source(name).len(), "sha256": sha256(&fixture.source(name)) });
    let files = ["config.json", "model.safetensors", "tokenizer.json"].map(file);
    assert_eq!(output.json()["files"], json!(files));
    let events: Vec<Value> = output.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let of = |name: &str| events.iter().filter(|event| event["event"] == name).collect::<Vec<_>>();
    let resolved = of("import.resolved");
    assert_eq!((resolved.len(), &resolved[0]["files"]), (1, &json!(3)), "{output}");
    let mode = of("import.mode");
    assert_eq!((mode.len(), &mode[0]["mode"]), (1, &json!("client")), "{output}");
    let last = of("upload.progress").last().copied().cloned().unwrap_or_default();
    assert_eq!(last["bytesRemote"], json!(0), "{output}");
}

#[test]
fn private_model_needs_the_token_which_is_sent_only_to_the_hub() {
    let mut fixture = fixture(|config| {
        config.repos[0].is_private = true;
        config.token = Some(TOKEN.to_owned());
    });
    fixture.create(&[]).fails_with(4);
    fixture.env.set("HF_TOKEN", TOKEN);
    let output = fixture.create(&["--debug"]).success();
    fixture.assert_uploaded();
    fixture.assert_no_secret(&output);
    let requests = fixture.hub.requests();
    assert!(requests.iter().any(|request| request.side == Side::Cdn && !request.has_authorization));
}
