//! JSON documents of a model that are recognized by name, and the rules for each.

use std::fmt;
use std::io::{self, Read};

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::RESAVE_SUGGESTION;
use super::json::{self, AnyArray, AnyObject};
use super::layout::ADAPTER_CONFIG;
use crate::model::{Finding, FindingCode, file_name};

const OBJECTS: [&str; 20] = [
    "config.json",
    ADAPTER_CONFIG,
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "preprocessor_config.json",
    "processor_config.json",
    "video_preprocessor_config.json",
    "image_processor_config.json",
    "chat_template.json",
    "tekken.json",
    "model_index.json",
    "params.json",
    "quantize_config.json",
    "quant_config.json",
    "quantization_config.json",
    "hf_quant_config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
];
const ARRAYS: [&str; 1] = ["modules.json"];
/// Documents whose libraries accept more than one shape.
const OTHERS: [&str; 2] = ["vocab.json", "added_tokens.json"];
/// Type of an adapter that is registered as `LoRA`.
const LORA: &str = "LORA";

/// Required shape of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DocumentShape {
    Object,
    Array,
    Any,
}

/// Required shape of a file that must be JSON according to its name.
pub(super) fn shape(path: &str) -> Option<DocumentShape> {
    let name = path.ends_with(".json").then(|| file_name(path))?;
    if OBJECTS.contains(&name) {
        Some(DocumentShape::Object)
    } else if ARRAYS.contains(&name) {
        Some(DocumentShape::Array)
    } else {
        OTHERS.contains(&name).then_some(DocumentShape::Any)
    }
}

/// Returns the fault of a document that must have that shape.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn check_document(path: &str, shape: DocumentShape, bytes: impl Read) -> io::Result<Option<Finding>> {
    let read = match shape {
        DocumentShape::Object => json::read::<AnyObject>(bytes)?.map(drop),
        DocumentShape::Array => json::read::<AnyArray>(bytes)?.map(drop),
        DocumentShape::Any => json::read::<IgnoredAny>(bytes)?.map(drop),
    };
    let finding =
        |what| Finding::error(FindingCode::InvalidConfig, path, format!("the file {what}"), RESAVE_SUGGESTION);
    Ok(read.err().map(finding))
}

/// Returns a finding for an adapter that is not a `LoRA`, according to its valid configuration.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn peft_type(path: &str, bytes: impl Read) -> io::Result<Option<Finding>> {
    let Ok(PeftType(Some(found))) = json::read::<PeftType>(bytes)? else { return Ok(None) };
    if found.eq_ignore_ascii_case(LORA) {
        return Ok(None);
    }
    let what = format!("the adapter type is {found}, but weight type LoRA requires adapter type LORA");
    let suggestion = "Train or save the adapter as LoRA, or merge it into its base model and upload that.";
    Ok(Some(Finding::error(FindingCode::WrongPeftType, path, what, suggestion)))
}

/// Returns warnings about a model's valid configuration: features that a host may not support.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn config(path: &str, bytes: impl Read) -> io::Result<Vec<Finding>> {
    let Ok(config) = json::read::<Config>(bytes)? else { return Ok(Vec::new()) };
    let mut findings = Vec::new();
    if let Value::Object(quantization) = &config.quantization {
        let method = quantization.get("quant_method").and_then(Value::as_str);
        let method = method.map(|method| format!(" ({method})")).unwrap_or_default();
        let what = format!("the weights are quantized{method}, but the service may accept only FP16 and BF16");
        let suggestion = "Use the weights before quantization if available. Deployments quantize on their own.";
        findings.push(Finding::warning(FindingCode::QuantizedWeights, path, what, suggestion));
    }
    if config.has_code {
        let what = "the configuration refers to custom code (auto_map), which the service does not run";
        let suggestion = "Check whether the service supports the model's architecture without that code.";
        findings.push(Finding::warning(FindingCode::CodeIgnored, path, what, suggestion));
    }
    Ok(findings)
}

/// Fields of a model's configuration; the last one of each name counts.
#[derive(Default)]
struct Config {
    quantization: Value,
    has_code: bool,
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Config;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Config, A::Error> {
                let mut found = Config::default();
                while let Some(field) = map.next_key::<String>()? {
                    match field.as_str() {
                        "quantization_config" => found.quantization = map.next_value()?,
                        "auto_map" => found.has_code = map.next_value::<Option<IgnoredAny>>()?.is_some(),
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(found)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// `peft_type` of an adapter's configuration; the last duplicate counts.
struct PeftType(Option<String>);

impl<'de> Deserialize<'de> for PeftType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = PeftType;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PeftType, A::Error> {
                let mut found = PeftType(None);
                while let Some(field) = map.next_key::<String>()? {
                    if field == "peft_type" {
                        found.0 = map.next_value::<Value>()?.as_str().map(str::to_owned);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(found)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}
