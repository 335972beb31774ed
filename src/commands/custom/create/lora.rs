//! Description of an adapter from `adapter_config.json`: shown, but not sent, since the service reads the file itself.

use serde::Deserialize;
use serde_json::Value;

use crate::commands::custom::selection::CheckedPlan;
use crate::console::render;
use azure_ai_models_core::check;
use azure_ai_models_core::model::{Finding, FindingCode, LoraShape, WeightType};
use azure_ai_models_core::source::{UploadSource, open};

const CONFIG: &str = "adapter_config.json";
/// Maximum size of an adapter's configuration, in bytes.
const LIMIT: u64 = 1 << 20;

/// Relevant fields, with the names used by the library that writes them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AdapterConfig {
    r: Option<u32>,
    lora_alpha: Option<Value>,
    target_modules: Option<Value>,
    lora_dropout: Option<f64>,
}

impl AdapterConfig {
    /// Reads the adapter's description; `None` if it cannot be read. The check reports its defects.
    pub(super) async fn read(planned: &CheckedPlan) -> Option<Self> {
        match (&planned.source, &planned.reader) {
            (UploadSource::Local { directory, files, .. }, _) => {
                let config = files.iter().find(|file| file.path == CONFIG && file.bytes <= LIMIT)?;
                check::read_json(open(directory, &config.path).ok()?).ok()?.ok()
            }
            (UploadSource::Hub(hub), Some(reader)) => {
                let config = hub.file(CONFIG).filter(|file| file.bytes <= LIMIT)?;
                check::read_json(&*reader.document(config).await.ok()?).ok()?.ok()
            }
            _ => None,
        }
    }

    /// One line with both: given values take precedence, the rest comes from the adapter.
    pub(super) fn merged_line(&self, given: &LoraShape) -> String {
        let modules = given.target_modules.clone().or_else(|| self.modules());
        let alpha =
            given.alpha.map(|alpha| alpha.to_string()).or_else(|| self.lora_alpha.as_ref().map(Value::to_string));
        render::lora_line(
            given.rank.or(self.r),
            alpha.as_deref(),
            modules.as_deref(),
            given.dropout.or(self.lora_dropout),
        )
    }

    /// Names of the modules, or one expression.
    fn modules(&self) -> Option<Vec<String>> {
        match self.target_modules.as_ref()? {
            Value::String(expression) => Some(vec![expression.clone()]),
            Value::Array(names) => Some(names.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
            _ => None,
        }
    }
}

/// Adds a finding, before all others, for an adapter that is about to be registered as a whole model. A warning if
/// nothing else is wrong or nothing was checked.
pub(super) fn hint(source: &UploadSource, weight_type: WeightType, findings: &mut Vec<Finding>) {
    if weight_type == WeightType::LoRA || check::weight_type(source) != Some(WeightType::LoRA) {
        return;
    }
    match findings.iter_mut().find(|finding| finding.is_error()) {
        Some(first) => {
            first.suggestion = format!("This is an adapter: use --weight-type LoRA. Otherwise: {}", first.suggestion);
        }
        None => findings.push(Finding::warning(
            FindingCode::WeightTypeMismatch,
            ".",
            format!("this is an adapter, but it would be registered as {weight_type}"),
            "Use --weight-type LoRA.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration_of_an_adapter_survives_mutation() {
        let config = br#"{"r":16,"lora_alpha":32.5,"target_modules":["q_proj","v_proj"],"lora_dropout":0.05,"peft_type":"LORA"}"#;
        let other = br#"{"r":null,"lora_alpha":"x","target_modules":"all-linear"}"#;
        crate::fuzz::fuzz("adapter-config", &[config, other], |input| {
            if let Ok(config) = serde_json::from_slice::<AdapterConfig>(input) {
                drop(config.merged_line(&LoraShape::default()));
            }
        });
    }
}
