//! Sources on the Hugging Face Hub, before any weights are read: plans, checks, output, and traffic.

mod errors;
mod findings;
#[cfg(unix)]
mod interrupted;
mod options;
mod pages;
#[cfg(unix)]
mod recorded;

use std::fs;
use std::path::PathBuf;

use fake_hub::{Config, FakeHub, RepoConfig};

use crate::support::{Output, TestEnv};

/// Token that no output may contain.
pub(crate) const TOKEN: &str = "hf_CANARYCANARYCANARY";

/// Environment with a Hub, whose only repository consists of the files written below `repo`.
pub(crate) struct Fixture {
    pub(crate) env: TestEnv,
    pub(crate) hub: FakeHub,
}

impl Fixture {
    /// Creates the repository `org/model` with these files.
    pub(crate) fn with(files: &[(&str, Vec<u8>)], change: impl FnOnce(&mut Config)) -> Self {
        let mut env = TestEnv::new();
        for (path, content) in files {
            env.write(&format!("repo/{path}"), content);
        }
        let mut config = Config::default();
        config.repos.push(RepoConfig::new("org/model", env.work().join("repo")));
        change(&mut config);
        let hub = FakeHub::start(config).expect("a Hub");
        env.set("HF_ENDPOINT", hub.endpoint());
        // A check needs neither a project nor a sign-in.
        env.unset("AZURE_PROJECT_ENDPOINT").unset("AZURE_AI_MODELS_CREDENTIAL");
        Self { env, hub }
    }

    /// A valid model in a repository that contains other files too.
    pub(crate) fn valid() -> Self {
        Self::with(&valid_model(), |_| {})
    }

    /// Directory of the repository's files.
    pub(crate) fn directory(&self) -> PathBuf {
        self.env.work().join("repo")
    }

    /// Runs the program, with the Hub's address in the output replaced by `[HUB]`.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        let mut output = self.env.run(args);
        let authority = self.hub.endpoint().trim_start_matches("http://").to_owned();
        for text in [&mut output.stdout, &mut output.stderr] {
            *text = text.replace(&authority, "[HUB]");
            // The date of the response differs between runs.
            let id = "Request id: Root=1-fake-hub, ";
            if let Some(at) = text.find(id) {
                let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
                text.replace_range(at + id.len()..end, "[TIME]");
            }
            assert!(!text.contains("CANARY"), "a secret in {text}");
        }
        assert!(!self.hub.has_leaked_token(), "the token reached the CDN");
        output
    }

    /// Number of requests for file content, and number of bytes sent.
    pub(crate) fn traffic(&self) -> (u64, u64) {
        let files = fs::read_dir(self.directory()).expect("a directory").filter_map(Result::ok);
        let counts = files.map(|file| self.hub.file(&file.file_name().to_string_lossy()));
        counts.fold((0, 0), |(requests, bytes), count| (requests + count.requests, bytes + count.bytes))
    }
}

/// Safetensors file with one tensor of this many bytes.
pub(crate) fn shard(tensor: &str, bytes: usize) -> Vec<u8> {
    let header = format!(r#"{{"{tensor}":{{"dtype":"U8","shape":[{bytes}],"data_offsets":[0,{bytes}]}}}}"#);
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.resize(file.len() + bytes, 7);
    file
}

/// Files of a valid model of two shards with 300,000 bytes each, and of others that repositories contain.
pub(crate) fn valid_model() -> Vec<(&'static str, Vec<u8>)> {
    let index = r#"{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}"#;
    vec![
        (".gitattributes", b"* lfs".to_vec()),
        ("README.md", b"# A model".to_vec()),
        ("config.json", b"{}".to_vec()),
        ("model-00001-of-00002.safetensors", shard("a", 300_000)),
        ("model-00002-of-00002.safetensors", shard("b", 300_000)),
        ("model.safetensors.index.json", index.into()),
        ("onnx/model.onnx", vec![8; 1000]),
        ("pytorch_model.bin", vec![0x80; 2000]),
        ("tokenizer.json", b"{}".to_vec()),
    ]
}
