//! Test setup: a local Foundry project over the real Azurite, and the real AzCopy on `PATH`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use foundry_emulator::{BlobStore, Config, Emulator};
use serde_json::{Value, json};
use url::Url;

/// Environment of one test.
pub(crate) struct Stage {
    root: tempfile::TempDir,
    pub(crate) emulator: Emulator,
}

/// Variable that ci/test.sh sets for the tests; without it they cannot run.
pub(crate) fn required_var(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run these tests through ci/test.sh"))
}

/// A blob store at this base address.
pub(crate) fn store(address: &str) -> BlobStore {
    BlobStore::Azurite { endpoint: address.parse().expect("a URL") }
}

/// Base address of the real Azurite.
pub(crate) fn azurite() -> String {
    required_var("E2E_AZURITE_URL")
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(Config { blobs: store(&azurite()), ..Config::default() })
    }

    pub(crate) fn with(config: Config) -> Self {
        let root = tempfile::tempdir().expect("a directory");
        for directory in ["home", "work"] {
            fs::create_dir(root.path().join(directory)).expect("a directory");
        }
        Self { root, emulator: Emulator::start(config).expect("an emulator") }
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    pub(crate) fn write(&self, path: &str, content: &[u8]) {
        let path = self.work().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(path, content).expect("a file");
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let azcopy = PathBuf::from(required_var("E2E_AZCOPY"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_azure-ai-models"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.home())
            .env("PATH", format!("{}:/usr/bin:/bin", azcopy.parent().expect("a directory").display()))
            .env("AZURE_PROJECT_ENDPOINT", self.emulator.endpoint())
            .env("AZURE_AI_MODELS_CREDENTIAL", "emulator")
            .current_dir(self.work())
            .stdin(Stdio::null());
        command
    }

    /// Runs the program; it must succeed.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        let output = self.command(args).output().expect("the program runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// Runs the program; its standard output must be one JSON document.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        serde_json::from_slice(&self.run(args).stdout).expect("JSON")
    }

    /// Content in the container of a registered model, by path.
    pub(crate) fn blobs(&self, model: &Value) -> BTreeMap<String, Vec<u8>> {
        blocking(async {
            let sas = self.read_sas_of(model).await;
            let mut list = sas.clone();
            list.query_pairs_mut().append_pair("restype", "container").append_pair("comp", "list");
            let names = client().get(list).send().await.expect("a list").text().await.expect("a list");
            let mut found = BTreeMap::new();
            for name in names.split("<Name>").skip(1).filter_map(|rest| rest.split("</Name>").next()) {
                let name = name.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").replace("&apos;", "'");
                let mut blob = sas.clone();
                blob.path_segments_mut().expect("a path").extend(name.split('/'));
                let response = client().get(blob).send().await.expect("a blob");
                assert!(response.status().is_success(), "{name}: {}", response.status());
                found.insert(name, response.bytes().await.expect("a blob").to_vec());
            }
            found
        })
    }

    /// SAS that can read a registered model.
    pub(crate) fn read_sas(&self, model: &Value) -> Url {
        blocking(self.read_sas_of(model))
    }

    async fn read_sas_of(&self, model: &Value) -> Url {
        let (name, version) = (model["name"].as_str().expect("a name"), model["version"].as_str().expect("a version"));
        let url = format!("{}/models/{name}/versions/{version}/credentials", self.emulator.endpoint());
        let response = client()
            .post(format!("{url}?api-version=2025-11-15-preview"))
            .bearer_auth("test")
            .json(&json!({ "blobUri": model["blobUri"] }))
            .send()
            .await
            .expect("a response");
        let response: Value = response.json().await.expect("JSON");
        response["blobReference"]["credential"]["sasUri"].as_str().expect("a SAS").parse().expect("a URL")
    }

    /// Checks that no upload directory is left.
    pub(crate) fn assert_no_upload_left(&self) {
        let uploads = self.home().join(".azd/ai-models/uploads");
        let left: Vec<PathBuf> = fs::read_dir(uploads)
            .map(|entries| entries.map(|entry| entry.expect("an entry").path()).collect())
            .unwrap_or_default();
        assert!(left.is_empty(), "left behind: {left:?}");
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

fn blocking<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

/// Content of the files below a directory, by path.
pub(crate) fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(directory).follow_links(true) {
        let entry = entry.expect("an entry");
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(directory).expect("below").to_string_lossy().into_owned();
            found.insert(path, fs::read(entry.path()).expect("a file"));
        }
    }
    found
}
