//! Detection of a model in a subfolder of the selected folder. Pure.

use std::collections::BTreeSet;

use super::layout::{ADAPTER_CONFIG, CONFIG, WHOLE_SOURCE};
use crate::model::{FileKind, Finding, FindingCode, SourceFile, WeightType, file_name};

/// Suggests the only nested folder that has what the whole source lacks; `message` returns the option for it.
pub(super) fn suggest_folder(
    message: impl Fn(&str) -> String,
    files: &[SourceFile],
    weight_type: WeightType,
    findings: &mut [Finding],
) {
    let is_missing = |finding: &&mut Finding| {
        let codes = [FindingCode::MissingConfig, FindingCode::MissingAdapterWeights, FindingCode::NoWeights];
        finding.file == WHOLE_SOURCE && codes.contains(&finding.code)
    };
    let Some(finding) = findings.iter_mut().find(is_missing) else { return };
    let Some((folder, found)) = only_model(files) else { return };
    let option = if found == weight_type { String::new() } else { format!(" with --weight-type {found}") };
    finding.suggestion = format!("{}{option}.", message(folder));
}

/// The only nested folder with a configuration and weights, and its weight type.
fn only_model(files: &[SourceFile]) -> Option<(&str, WeightType)> {
    let folders_with = |fits: &dyn Fn(&str) -> bool| -> BTreeSet<&str> {
        let fitting = files.iter().filter(|file| fits(file_name(&file.path)));
        fitting.filter_map(|file| Some(file.path.rsplit_once('/')?.0)).collect()
    };
    let weights = folders_with(&|name| FileKind::of(name).is_weights());
    let of = |config: &str, weight_type| {
        let configured = folders_with(&|name| name == config);
        configured.intersection(&weights).map(|folder| (*folder, weight_type)).collect::<Vec<_>>()
    };
    let found = [of(CONFIG, WeightType::FullWeight), of(ADAPTER_CONFIG, WeightType::LoRA)].concat();
    match found.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}
