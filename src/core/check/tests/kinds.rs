//! Files that are recognized by name, and weights of every kind.

use serde_json::json;

use super::*;

const SHARD: &str = "model-00002-of-00002.safetensors";

type Make = fn() -> TestFolder;

fn assert_all(table: Vec<(&str, Make)>) {
    for (expected, make) in table {
        assert_eq!(make().codes(), [expected]);
    }
}

fn one_tensor() -> Vec<u8> {
    safetensors(&json!({"a": tensor("F32", &[1], 0, 4)}), 4)
}

#[test]
fn documents_with_known_names_are_read_completely() {
    assert_all(vec![
        ("error invalid-config", || {
            changed_adapter(|f| _ = f.write("adapter_config.json", "{\"peft_type\": \"LORA\", \"r\": 8,"))
        }),
        ("error invalid-config", || changed_adapter(|f| _ = f.write("adapter_config.json", ""))),
        ("error wrong-peft-type", || {
            changed_adapter(|f| _ = f.write("adapter_config.json", "{\"peft_type\": \"IA3\"}"))
        }),
        ("error invalid-config", || changed(|f| _ = f.write("tokenizer.json", "<!DOCTYPE html><html></html>"))),
        ("error invalid-config", || changed(|f| _ = f.write("generation_config.json", "[1]"))),
        ("error invalid-config", || changed(|f| _ = f.write("sub/preprocessor_config.json", "{}}"))),
        ("error invalid-config", || changed(|f| _ = f.write("chat_template.json", "\u{feff}{}"))),
        ("error invalid-config", || changed(|f| _ = f.write("modules.json", "{}"))),
        ("error invalid-config", || changed(|f| _ = f.write("config.json", b"{\"a\": \"caf\xE9\"}"))),
        ("error invalid-index", || {
            changed(|f| _ = f.write("model.safetensors.index.json", b"{\"x\": \"\xE9\", \"weight_map\": {}}"))
        }),
    ]);
}

#[test]
fn content_must_match_the_name() {
    assert_all(vec![
        ("error lfs-pointer", || changed(|f| _ = f.write(SHARD, pointer().replace('\n', "\r\n")))),
        ("error lfs-pointer", || {
            changed(|f| _ = f.write(SHARD, format!("# xet version 0\nfilesize = 5\nhash = '{}'\n", "a".repeat(64))))
        }),
        ("error unfinished-download", || changed(|f| _ = f.write(&format!("{SHARD}.incomplete"), "x"))),
        ("error truncated-shard", || TestFolder::with_gguf(|file| file.truncate(file.len() - 1))),
        ("error truncated-shard", || TestFolder::with_gguf(|file| file.truncate(60))),
        ("error bad-header", || TestFolder::with_gguf(|file| file[0] = b'g')),
        ("error bad-header", || TestFolder::with_gguf(|file| file[4] = 9)),
        ("error no-tensors", || TestFolder::with_gguf(|file| file[8] = 0)),
        ("error bad-header", || changed(|f| _ = f.write("chat_template.jinja", "<html>"))),
        ("error no-tensors", || {
            changed_adapter(|f| _ = f.write("adapter_model.safetensors", safetensors(&json!({}), 0)))
        }),
        ("error no-tensors", || TestFolder::with_header(&json!({"a": tensor("F32", &[0], 0, 0)}), 0)),
    ]);
}

#[test]
fn files_that_a_loader_misses_or_ignores_are_warnings() {
    assert_all(vec![
        ("warning missing-tokenizer", || changed(|f| _ = f.remove("tokenizer.json").write("merges.txt", "a b"))),
        ("warning missing-tokenizer", || changed(|f| _ = f.remove("tokenizer.json").write("vocab.json", "{}"))),
        ("warning missing-index", || changed(|f| _ = f.remove("model.safetensors.index.json"))),
        ("warning unused-weights", || changed(|f| _ = f.write("model-00001-of-00004.safetensors", one_tensor()))),
        ("warning unused-weights", || changed(|f| _ = f.write("consolidated.safetensors", one_tensor()))),
        ("warning duplicate-tensor", || {
            let header = json!({"layer.1": tensor("BF16", &[4], 0, 8), "layer.2": tensor("BF16", &[4], 8, 16)});
            changed(|f| _ = f.write(SHARD, safetensors(&header, 16)))
        }),
    ]);
}

/// Unusual files, each alone in a valid folder.
#[test]
fn valid_files_of_all_kinds_have_no_findings() {
    for name in [
        "tekken.json",
        "spiece.model",
        "sentencepiece.bpe.model",
        "tokenizer.model",
        "tokenizer.model.v3",
        "tiktoken.model",
        "qwen.tiktoken",
        "vocab.txt",
    ] {
        let folder = changed(|f| _ = f.remove("tokenizer.json").write(name, "{}"));
        assert_eq!(folder.codes(), [""; 0], "{name}");
        let empty = changed(|f| _ = f.remove("tokenizer.json").write(name, ""));
        assert!(empty.codes().contains(&"warning missing-tokenizer".to_owned()), "{name}");
    }
    let numbers = "{\"a\": [NaN, Infinity, -Infinity], \"b\": \"\\ud800\", \"b\": 1}";
    let index = json!({"layer.1": "model-00001-of-00002.safetensors", "layer.2": "model-00002-of-00002.safetensors"});
    let index = format!("{{\"metadata\": {{\"x\": NaN}}, \"weight_map\": {index}}}");
    let odd = changed(|f| _ = f.write("config.json", numbers).write("model.safetensors.index.json", index));
    assert_eq!(odd.codes(), [""; 0]);
    let counted = TestFolder::empty();
    counted.write("config.json", "{}").write("tokenizer.json", "{}");
    let mut weight_map = serde_json::Map::new();
    for (name, tensor_name) in [("model-1-of-2.safetensors", "a"), ("model-2-of-2.safetensors", "b")] {
        counted.write(name, safetensors(&json!({tensor_name: tensor("F32", &[1], 0, 4)}), 4));
        weight_map.insert(tensor_name.into(), name.into());
    }
    counted.index(&weight_map.into());
    assert_eq!(counted.codes(), [""; 0]);
    // A big-endian file, and a part that contains only the metadata.
    let split = TestFolder::empty();
    let mut first = gguf();
    first[8] = 0;
    split.write("m-00001-of-00002.gguf", first).write("m-00002-of-00002.gguf", gguf());
    assert_eq!(split.codes(), [""; 0]);
}

#[test]
fn a_second_copy_of_the_weights_is_reported_with_its_size() {
    let folder = TestFolder::valid();
    folder.write("original/consolidated.00.pth", [b"PK\x03\x04".as_slice(), &[0; 2044]].concat());
    let findings = folder.check_as(None);
    assert_eq!(codes(&findings), ["warning unused-weights", "warning pickle-weights"]);
    assert_eq!(
        findings[0].message,
        "the file contains the weights of the other files again, and its 2.0 KB are uploaded too"
    );
}

#[test]
fn an_empty_index_is_ignored() {
    let folder = changed(|f| _ = f.index(&json!({})).remove(SHARD));
    assert_eq!(folder.codes(), ["error missing-shard"]);
}
