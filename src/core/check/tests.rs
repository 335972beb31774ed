//! One folder for each finding, written by a generator; each has exactly that finding.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::model::{FindingLevel, Source};
use crate::source::{Selection, plan};

mod faults;
mod kinds;
mod links;
mod weight_types;

/// A folder under construction.
struct TestFolder(TempDir);

impl TestFolder {
    fn empty() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    /// A valid model of two shards.
    fn valid() -> Self {
        let folder = Self::empty();
        folder.write("config.json", "{}").write("tokenizer.json", "{}");
        for number in 1..=2 {
            let shard = format!("model-0000{number}-of-00002.safetensors");
            folder.write(&shard, safetensors(&json!({format!("layer.{number}"): tensor("BF16", &[4], 0, 8)}), 8));
        }
        folder.index(&json!({
            "layer.1": "model-00001-of-00002.safetensors", "layer.2": "model-00002-of-00002.safetensors"
        }));
        folder
    }

    /// A valid adapter.
    fn adapter() -> Self {
        let folder = Self::empty();
        folder.write("adapter_config.json", "{}");
        folder.write("adapter_model.safetensors", safetensors(&json!({"a": tensor("F32", &[1], 0, 4)}), 4));
        folder
    }

    /// A model of one weight file with this header before this many bytes.
    fn with_header(header: &Value, data: usize) -> Self {
        Self::single(safetensors(header, data))
    }

    /// A model of one weight file.
    fn single(weights: impl AsRef<[u8]>) -> Self {
        let folder = Self::empty();
        folder.write("config.json", "{}").write("tokenizer.json", "{}").write("model.safetensors", weights);
        folder
    }

    /// A GGUF file and no other file.
    fn with_gguf(change: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut file = gguf();
        change(&mut file);
        let folder = Self::empty();
        folder.write("model.gguf", file);
        folder
    }

    fn index(&self, weight_map: &Value) -> &Self {
        let index = json!({"metadata": {"total_size": 16}, "weight_map": weight_map});
        self.write("model.safetensors.index.json", index.to_string())
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(path, content).expect("a file");
        self
    }

    fn remove(&self, path: &str) -> &Self {
        fs::remove_file(self.0.path().join(path)).expect("removed");
        self
    }

    fn check_as(&self, weight_type: Option<WeightType>) -> Vec<Finding> {
        found(self.0.path(), weight_type)
    }

    /// Level and code of the findings.
    fn codes(&self) -> Vec<String> {
        codes(&self.check_as(None))
    }
}

fn found(path: &Path, weight_type: Option<WeightType>) -> Vec<Finding> {
    match plan(&Source::Local(path.to_owned()), Path::new("/"), &Selection::default(), None) {
        Ok(plan) => check(&plan, weight_type).expect("readable files"),
        Err(error) => of_walk(&error),
    }
}

fn codes(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{} {}", finding.level, finding.code)).collect()
}

fn tensor(dtype: &str, shape: &[u64], from: u64, to: u64) -> Value {
    json!({"dtype": dtype, "shape": shape, "data_offsets": [from, to]})
}

fn safetensors(header: &Value, data: usize) -> Vec<u8> {
    let header = header.to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.resize(file.len() + data, 7);
    file
}

/// A GGUF file of one tensor with four elements.
fn gguf() -> Vec<u8> {
    let text = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let mut file = [&b"GGUF"[..], &3_u32.to_le_bytes(), &1_u64.to_le_bytes(), &2_u64.to_le_bytes()].concat();
    file.extend([text("general.architecture"), 8_u32.to_le_bytes().to_vec(), text("llama")].concat());
    let tokens =
        [text("tokens"), [9_u32, 8].map(u32::to_le_bytes).concat(), 2_u64.to_le_bytes().to_vec(), text("a"), text("b")];
    file.extend(tokens.concat());
    let tensor = [text("w"), 1_u32.to_le_bytes().to_vec(), 4_u64.to_le_bytes().to_vec(), 0_u32.to_le_bytes().to_vec()];
    file.extend([tensor.concat(), 0_u64.to_le_bytes().to_vec()].concat());
    file.resize(file.len().next_multiple_of(32) + 16, 7);
    file
}

fn pointer() -> String {
    let hash = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{hash}\nsize 12345\n")
}

#[test]
fn valid_folders_have_no_findings() {
    assert_eq!(TestFolder::valid().codes(), [""; 0]);
    assert_eq!(TestFolder::adapter().codes(), [""; 0]);
    assert_eq!(codes(&TestFolder::valid().check_as(Some(WeightType::DraftModel))), [""; 0]);
    let alone = TestFolder::empty();
    assert_eq!(alone.write("model.gguf", gguf()).write("README.md", "x").write("LICENSE", "x").codes(), [""; 0]);
    let slow = TestFolder::valid();
    slow.remove("tokenizer.json").write("vocab.json", "{}").write("merges.txt", "a b");
    assert_eq!(slow.codes(), [""; 0]);
}

fn changed_adapter(change: impl FnOnce(&TestFolder)) -> TestFolder {
    let folder = TestFolder::adapter();
    change(&folder);
    folder
}

fn changed(change: impl FnOnce(&TestFolder)) -> TestFolder {
    let folder = TestFolder::valid();
    change(&folder);
    folder
}

#[test]
fn a_download_marker_applies_only_next_to_its_file() {
    let mark = |path: &str| changed(|folder| _ = folder.write(path, "x")).codes();
    assert!(mark("config.json.part").contains(&"error unfinished-download".to_owned()));
    assert!(!mark("elsewhere.json.part").iter().any(|code| code.contains("unfinished-download")));
}

#[test]
fn a_single_file_gets_only_its_own_checks() {
    let folder = TestFolder::valid();
    folder.write("cut.safetensors", [1, 0]).write("notes.txt", "x");
    let one = |name: &str| codes(&found(&folder.0.path().join(name), None));
    assert_eq!(one("model-00001-of-00002.safetensors"), [""; 0]);
    assert_eq!(one("cut.safetensors"), ["error truncated-shard"]);
    assert_eq!(one("notes.txt"), ["error no-weights"]);
}

#[test]
fn many_warnings_of_one_code_are_counted_and_no_error_is_omitted() {
    let folder = TestFolder::valid();
    for number in 0..25 {
        folder.write(&format!("{number:02}.npy"), "x").write(&format!("{number:02}.gguf"), "");
    }
    let findings = folder.check_as(None);
    let (errors, warnings): (Vec<_>, Vec<_>) = findings.iter().partition(|f| f.level == FindingLevel::Error);
    assert_eq!((errors.len(), warnings.len()), (25, 20));
    assert!(warnings[19].message.ends_with(" and 5 more files like it"), "{:?}", warnings[19]);
}

/// The headers contain a million bytes, and the 700 GB after them are never read: the files are sparse.
#[cfg(unix)]
#[test]
fn seven_hundred_gigabytes_are_checked_by_their_headers() {
    use std::os::unix::fs::MetadataExt;
    const SHARDS: u64 = 150;
    const TENSORS: u64 = 20;
    const BYTES: u64 = 700_000_000_000 / SHARDS / TENSORS / 2 * 2;
    let folder = TestFolder::empty();
    folder.write("config.json", "{}").write("tokenizer.json", "{}");
    let mut weight_map = serde_json::Map::new();
    for shard in 1..=SHARDS {
        let name = format!("model-{shard:05}-of-{SHARDS:05}.safetensors");
        let mut header = serde_json::Map::new();
        for number in 0..TENSORS {
            let (tensor_name, from) = (format!("model.layers.{shard}.{number}.weight"), number * BYTES);
            header.insert(tensor_name.clone(), tensor("BF16", &[BYTES / 2], from, from + BYTES));
            weight_map.insert(tensor_name, name.clone().into());
        }
        let start = safetensors(&header.into(), 0);
        folder.write(&name, &start);
        let file = fs::File::options().append(true).open(folder.0.path().join(&name)).expect("a file");
        file.set_len(start.len() as u64 + TENSORS * BYTES).expect("a hole");
    }
    folder.index(&weight_map.into());
    let plan =
        plan(&Source::Local(folder.0.path().to_owned()), Path::new("/"), &Selection::default(), None).expect("a plan");
    assert!(plan.bytes().is_some_and(|bytes| bytes > 699_000_000_000));
    assert_eq!(check(&plan, None).expect("readable files"), []);

    let last = folder.0.path().join(format!("model-{SHARDS:05}-of-{SHARDS:05}.safetensors"));
    let length = last.metadata().expect("a file");
    assert!(length.blocks() * 512 < 1 << 20, "the file is a hole");
    fs::File::options().append(true).open(&last).and_then(|file| file.set_len(length.len() - 1)).expect("cut");
    assert_eq!(folder.codes(), ["error truncated-shard"]);
}

#[test]
fn a_shard_with_another_spelling_is_missing_and_suggested() {
    for (file, shard, expected) in [
        ("Weights.safetensors", "weights.safetensors", "with a name that differs in case"),
        ("u\u{308}.safetensors", "\u{fc}.safetensors", "other Unicode characters (NFC or NFD)"),
    ] {
        let folder = TestFolder::empty();
        folder.write("config.json", "{}").write("tokenizer.json", "{}");
        folder.write(file, safetensors(&json!({"a": tensor("F32", &[1], 0, 4)}), 4)).index(&json!({ "a": shard }));
        let findings = folder.check_as(None);
        let missing = findings.iter().find(|finding| finding.code == FindingCode::MissingShard).expect("found");
        assert!(missing.message.contains(expected), "{}", missing.message);
    }
}
