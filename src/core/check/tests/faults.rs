//! Faults of a folder, each found under its code only.

use serde_json::json;

use super::*;

#[test]
fn every_fault_is_found_under_its_code_only() {
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
