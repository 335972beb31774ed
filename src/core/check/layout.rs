//! What the names and sizes of the files alone tell: what is missing, what is odd. Pure.

use crate::model::{FileKind, Finding, FindingCode, SourceFile, WeightType, file_name};

pub(super) const CONFIG: &str = "config.json";
const ADAPTER_CONFIG: &str = "adapter_config.json";
const WHOLE: &str = ".";

/// The weight type of a folder of which nobody said it.
pub(super) fn derive(files: &[SourceFile]) -> WeightType {
    if files.iter().any(|file| file.path == ADAPTER_CONFIG || is_adapter(&file.path)) {
        WeightType::LoRA
    } else {
        WeightType::FullWeight
    }
}

/// `adapter_model.safetensors` and its like, at the root.
fn is_adapter(path: &str) -> bool {
    path.starts_with("adapter_model") && !path.contains('/') && FileKind::of(path).is_weights()
}

/// What a folder of this weight type must hold.
pub(super) fn folder(files: &[SourceFile], weight_type: WeightType) -> Vec<Finding> {
    let is_there = |wanted: &str| files.iter().any(|file| file.path == wanted);
    let mut findings = Vec::new();
    if weight_type == WeightType::LoRA {
        if !files.iter().any(|file| is_adapter(&file.path)) {
            findings.push(Finding::error(
                FindingCode::MissingAdapterWeights,
                WHOLE,
                "there are no adapter weights: adapter_model.safetensors",
                "Save the adapter again, or say with --weight-type that these are other weights.",
            ));
        } else if !is_there(ADAPTER_CONFIG) {
            findings.push(Finding::warning(
                FindingCode::MissingAdapterConfig,
                WHOLE,
                "there is no adapter_config.json, which says how the adapter is applied",
                "Add the adapter_config.json that was saved with the adapter.",
            ));
        }
        return findings;
    }
    if !files.iter().any(|file| FileKind::of(&file.path).is_weights()) {
        findings.push(no_weights(WHOLE, "there are no weights"));
        return findings;
    }
    // A gguf file holds its configuration and its tokenizer.
    if !files.iter().any(|file| matches!(FileKind::of(&file.path), FileKind::Safetensors | FileKind::Pickle)) {
        return findings;
    }
    if !is_there(CONFIG) {
        findings.push(Finding::error(
            FindingCode::MissingConfig,
            WHOLE,
            "there is no config.json, which says how the model is built",
            "Add the model's config.json beside the weights.",
        ));
    }
    if !has_tokenizer(files) {
        findings.push(Finding::warning(
            FindingCode::MissingTokenizer,
            WHOLE,
            "there is no tokenizer, and the base model's may not fit",
            "Add the model's tokenizer.json, or tokenizer.model.",
        ));
    }
    findings
}

pub(super) fn no_weights(file: &str, what: &str) -> Finding {
    let remedy = "Give the folder that holds the weights: .safetensors, .gguf, .bin, .pt, .pth, .pkl or .ckpt.";
    Finding::error(FindingCode::NoWeights, file, what, remedy)
}

fn has_tokenizer(files: &[SourceFile]) -> bool {
    let has = |wanted: &str| files.iter().any(|file| file_name(&file.path) == wanted);
    ["tokenizer.json", "tokenizer.model", "tokenizer_config.json"].into_iter().any(has)
        || files.iter().any(|file| file.path.ends_with(".tiktoken"))
        || (has("vocab.json") && has("merges.txt"))
}

/// What a file's name and size tell.
pub(super) fn file(file: &SourceFile) -> Vec<Finding> {
    let kind = FileKind::of(&file.path);
    let mut findings = Vec::new();
    if file.bytes == 0 && kind.is_weights() {
        let remedy = "Download or save the file again.";
        findings.push(Finding::error(FindingCode::EmptyFile, &file.path, "the file is empty", remedy));
    } else if file.bytes == 0 && file.path != CONFIG {
        let remedy = "Fill it, or leave it out with --exclude.";
        findings.push(Finding::warning(FindingCode::EmptyFile, &file.path, "the file is empty", remedy));
    }
    let (code, what, remedy) = match kind {
        FileKind::Pickle => (
            FindingCode::PickleWeights,
            "the file may run code when it is loaded, and the service may refuse it",
            "Convert the weights to safetensors.",
        ),
        FileKind::Code => (
            FindingCode::CodeFile,
            "the file is code, which the service does not run and may refuse",
            "Leave it out with --exclude '*.py' if the model does not need it.",
        ),
        FileKind::Unknown => (
            FindingCode::UnknownFile,
            "the file is none that a model is known to need",
            "Leave it out with --exclude if the model does not need it.",
        ),
        FileKind::Safetensors | FileKind::Gguf | FileKind::Data => return findings,
    };
    findings.push(Finding::warning(code, &file.path, what, remedy));
    findings
}
