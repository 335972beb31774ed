//! One folder for each finding, written by a generator; each has exactly that finding.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::model::{FindingLevel, Source};
use crate::source::{Selection, plan};

mod kinds;

/// A folder in the making.
struct TestFolder(TempDir);

impl TestFolder {
    fn empty() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    /// A sound model of two shards.
    fn sound() -> Self {
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

    /// A sound adapter.
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

    /// A GGUF file and nothing else.
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
fn sound_folders_have_no_findings() {
    assert_eq!(TestFolder::sound().codes(), [""; 0]);
    assert_eq!(TestFolder::adapter().codes(), [""; 0]);
    assert_eq!(codes(&TestFolder::sound().check_as(Some(WeightType::DraftModel))), [""; 0]);
    let alone = TestFolder::empty();
    assert_eq!(alone.write("model.gguf", gguf()).write("README.md", "x").write("LICENSE", "x").codes(), [""; 0]);
    let slow = TestFolder::sound();
    slow.remove("tokenizer.json").write("vocab.json", "{}").write("merges.txt", "a b");
    assert_eq!(slow.codes(), [""; 0]);
}

#[test]
fn every_fault_is_found_under_its_code_and_no_other() {
    type Make = fn() -> TestFolder;
    const SHARD: &str = "model-00002-of-00002.safetensors";
    let table: Vec<(&str, Make)> = vec![
        ("error empty-source", TestFolder::empty),
        ("error no-weights", || {
            let folder = TestFolder::empty();
            folder.write("config.json", "{}");
            folder
        }),
        ("error missing-adapter-weights", || {
            let folder = TestFolder::adapter();
            folder.remove("adapter_model.safetensors");
            folder
        }),
        ("error missing-config", || changed(|f| _ = f.remove("config.json"))),
        ("error invalid-config", || changed(|f| _ = f.write("config.json", "{\"a\":"))),
        ("error invalid-config", || changed(|f| _ = f.write("config.json", ""))),
        ("error invalid-config", || changed(|f| _ = f.write("config.json", "[]"))),
        ("error invalid-index", || changed(|f| _ = f.write("model.safetensors.index.json", "{}"))),
        ("error bad-index-path", || {
            changed(|f| {
                _ = f.write("pytorch_model.bin.index.json", json!({"weight_map": {"a": "../a.bin"}}).to_string());
            })
        }),
        ("error missing-shard", || changed(|f| _ = f.remove(SHARD))),
        ("error missing-shard", || changed(|f| _ = f.remove(SHARD).remove("model.safetensors.index.json"))),
        ("error lfs-pointer", || changed(|f| _ = f.write(SHARD, pointer()))),
        ("error lfs-pointer", || changed(|f| _ = f.write("config.json", pointer()))),
        ("error lfs-pointer", || changed(|f| _ = f.write("model.safetensors.index.json", pointer()))),
        ("error truncated-shard", || TestFolder::with_header(&json!({"a": tensor("F32", &[2], 0, 8)}), 7)),
        ("error truncated-shard", || TestFolder::single([1, 0, 0])),
        ("error trailing-data", || TestFolder::with_header(&json!({"a": tensor("F32", &[2], 0, 8)}), 9)),
        ("error bad-header", || TestFolder::with_header(&json!({"a": 1}), 0)),
        ("error bad-header", || TestFolder::single("<html>Sign in</html>")),
        ("error bad-offsets", || TestFolder::with_header(&json!({"a": tensor("F32", &[3], 0, 8)}), 8)),
        ("error tensor-not-in-shard", || {
            let first = "model-00001-of-00002.safetensors";
            changed(|f| _ = f.index(&json!({"layer.1": first, "layer.2": SHARD, "layer.3": SHARD})))
        }),
        ("error empty-file", || TestFolder::single("")),
        ("warning empty-file", || changed(|f| _ = f.write("notes.txt", ""))),
        ("warning missing-adapter-config", || {
            let folder = TestFolder::adapter();
            folder.remove("adapter_config.json");
            folder
        }),
        ("warning missing-tokenizer", || changed(|f| _ = f.remove("tokenizer.json"))),
        ("warning unknown-dtype", || TestFolder::with_header(&json!({"a": tensor("F2", &[4], 0, 1)}), 1)),
        ("warning pickle-weights", || changed(|f| _ = f.write("training_args.bin", "x"))),
        ("warning code-file", || changed(|f| _ = f.write("modeling.py", "x"))),
        ("warning unknown-file", || changed(|f| _ = f.write("events.out.tfevents", "x"))),
    ];
    for (expected, make) in table {
        assert_eq!(make().codes(), [expected]);
    }
}

fn changed_adapter(change: impl FnOnce(&TestFolder)) -> TestFolder {
    let folder = TestFolder::adapter();
    change(&folder);
    folder
}

fn changed(change: impl FnOnce(&TestFolder)) -> TestFolder {
    let folder = TestFolder::sound();
    change(&folder);
    folder
}

#[cfg(unix)]
#[test]
fn links_and_special_files_have_their_codes() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().expect("a directory");
    fs::write(outside.path().join("x.json"), "{}").expect("a file");
    type Make<'a> = Box<dyn Fn(&Path) + 'a>;
    let table: Vec<(&[&str], Make<'_>)> = vec![
        (&["error link-loop"], Box::new(|home| symlink(home, home.join("up")).expect("a link"))),
        (&["error broken-link"], Box::new(|home| symlink("gone", home.join("x.json")).expect("a link"))),
        (
            &["error special-file"],
            Box::new(|home| {
                drop(std::os::unix::net::UnixListener::bind(home.join("socket")).expect("a socket"));
            }),
        ),
        (&["error bad-file-name"], Box::new(|home| fs::write(home.join("a\nb.json"), "{}").expect("a file"))),
        (
            &["warning link-outside"],
            Box::new(|home| {
                symlink(outside.path().join("x.json"), home.join("x.json")).expect("a link");
            }),
        ),
        (&["warning link-outside"], Box::new(|home| symlink(outside.path(), home.join("sub")).expect("a link"))),
        (&[], Box::new(|home| symlink("config.json", home.join("x.json")).expect("a link"))),
    ];
    for (expected, make) in table {
        let folder = TestFolder::sound();
        make(folder.0.path());
        assert_eq!(folder.codes(), expected);
    }
}

#[cfg(unix)]
#[test]
fn a_hugging_face_cache_is_no_link_outside() {
    let cache = tempfile::tempdir().expect("a directory");
    let (blobs, snapshot) = (cache.path().join("m/blobs"), cache.path().join("m/snapshots/1"));
    fs::create_dir_all(&blobs).expect("a directory");
    fs::create_dir_all(&snapshot).expect("a directory");
    let sound = TestFolder::sound();
    for entry in fs::read_dir(sound.0.path()).expect("a directory") {
        let entry = entry.expect("an entry");
        fs::rename(entry.path(), blobs.join(entry.file_name())).expect("moved");
        let target = Path::new("../../blobs").join(entry.file_name());
        std::os::unix::fs::symlink(target, snapshot.join(entry.file_name())).expect("a link");
    }
    assert_eq!(found(&snapshot, None), []);
}

#[test]
fn the_weight_type_decides_what_a_folder_must_hold() {
    let as_type = |folder: &TestFolder, weight_type| codes(&folder.check_as(Some(weight_type)));
    let adapter = TestFolder::adapter();
    assert_eq!(as_type(&adapter, WeightType::FullWeight), ["error missing-config", "warning missing-tokenizer"]);
    assert_eq!(as_type(&TestFolder::sound(), WeightType::LoRA), ["error missing-adapter-weights"]);
    for name in ["lora", "LoRA", "LORA"] {
        adapter.write("adapter_config.json", format!("{{\"peft_type\": \"{name}\"}}"));
        assert_eq!(as_type(&adapter, WeightType::LoRA), [""; 0], "{name}");
    }
    let beside = TestFolder::sound();
    beside.write("adapter_model/a.safetensors", safetensors(&json!({"a": tensor("F32", &[1], 0, 4)}), 4));
    assert!(!codes(&beside.check_as(None)).iter().any(|code| code.contains("adapter")), "{:?}", beside.codes());
}

#[test]
fn a_mark_of_a_download_counts_beside_its_file_alone() {
    let mark = |path: &str| changed(|folder| _ = folder.write(path, "x")).codes();
    assert!(mark("config.json.part").contains(&"error unfinished-download".to_owned()));
    assert!(!mark("elsewhere.json.part").iter().any(|code| code.contains("unfinished-download")));
}

#[test]
fn a_model_in_a_folder_of_another_kind_is_suggested_with_its_weight_type() {
    let adapter = TestFolder::empty();
    adapter.write("sub/adapter_config.json", "{}");
    adapter.write("sub/adapter_model.safetensors", safetensors(&json!({"a": tensor("F32", &[1], 0, 4)}), 4));
    let suggestion = |weight_type| adapter.check_as(Some(weight_type))[0].suggestion.clone();
    assert!(suggestion(WeightType::FullWeight).ends_with("use that directory with --weight-type LoRA."));
    assert!(suggestion(WeightType::LoRA).ends_with("use that directory."));
}

#[test]
fn one_file_gets_the_checks_of_that_file_alone() {
    let folder = TestFolder::sound();
    folder.write("cut.safetensors", [1, 0]).write("notes.txt", "x");
    let one = |name: &str| codes(&found(&folder.0.path().join(name), None));
    assert_eq!(one("model-00001-of-00002.safetensors"), [""; 0]);
    assert_eq!(one("cut.safetensors"), ["error truncated-shard"]);
    assert_eq!(one("notes.txt"), ["error no-weights"]);
}

#[test]
fn many_warnings_of_one_code_are_counted_and_no_error_is_left_out() {
    let folder = TestFolder::sound();
    for number in 0..25 {
        folder.write(&format!("{number:02}.npy"), "x").write(&format!("{number:02}.gguf"), "");
    }
    let findings = folder.check_as(None);
    let (errors, warnings): (Vec<_>, Vec<_>) = findings.iter().partition(|f| f.level == FindingLevel::Error);
    assert_eq!((errors.len(), warnings.len()), (25, 20));
    assert!(warnings[19].message.ends_with(" and 5 more files like it"), "{:?}", warnings[19]);
}

/// The headers take a million bytes, and the 700 GB behind them are never read: the files are sparse.
#[cfg(unix)]
#[test]
fn seven_hundred_gigabytes_are_judged_by_their_headers() {
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

/// Unreadable alone is a matter of permissions; among other faults it is reported with them.
#[test]
fn an_unreadable_file_is_a_finding_only_among_others() {
    let unreadable = || {
        let why = io::ErrorKind::PermissionDenied.into();
        PlanError::Unreadable { path: "/m/shut".into(), why, exclude: None }
    };
    let broken = || PlanError::BrokenLink("/m/gone".into());
    for (error, expected) in [
        (unreadable(), &[][..]),
        (PlanError::Several(vec![unreadable(), unreadable()]), &[]),
        (PlanError::Several(vec![broken(), unreadable()]), &["error unreadable", "error broken-link"]),
        (broken(), &["error broken-link"]),
    ] {
        assert_eq!(codes(&of_walk(&error)), expected, "{error:?}");
    }
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
