//! Contents that each weight type requires.

use serde_json::json;

use super::*;

#[test]
fn the_weight_type_determines_the_required_files() {
    let as_type = |folder: &TestFolder, weight_type| codes(&folder.check_as(Some(weight_type)));
    let adapter = TestFolder::adapter();
    assert_eq!(as_type(&adapter, WeightType::FullWeight), ["error missing-config", "warning missing-tokenizer"]);
    assert_eq!(as_type(&TestFolder::valid(), WeightType::LoRA), ["error missing-adapter-weights"]);
    for name in ["lora", "LoRA", "LORA"] {
        adapter.write("adapter_config.json", format!("{{\"peft_type\": \"{name}\"}}"));
        assert_eq!(as_type(&adapter, WeightType::LoRA), [""; 0], "{name}");
    }
    let beside = TestFolder::valid();
    beside.write("adapter_model/a.safetensors", safetensors(&json!({"a": tensor("F32", &[1], 0, 4)}), 4));
    assert!(!codes(&beside.check_as(None)).iter().any(|code| code.contains("adapter")), "{:?}", beside.codes());
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
