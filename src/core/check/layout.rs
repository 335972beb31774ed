//! Findings from the names and sizes of the files alone: missing and unusual files. Pure.

use super::{RESAVE_SUGGESTION, documents};
use crate::model::{FileKind, Finding, FindingCode, SourceFile, WeightType, file_name};
use crate::source::Excluded;

/// File name of a model's configuration.
pub(super) const CONFIG: &str = "config.json";
/// File name of an adapter's configuration.
pub(super) const ADAPTER_CONFIG: &str = "adapter_config.json";
/// File name of findings that are about the whole source.
pub(super) const WHOLE_SOURCE: &str = ".";

/// Default weight type of a folder.
pub(super) fn derive(files: &[SourceFile]) -> WeightType {
    if files.iter().any(|file| file.path == ADAPTER_CONFIG || is_adapter(&file.path)) {
        WeightType::LoRA
    } else {
        WeightType::FullWeight
    }
}

/// True for `adapter_model.safetensors` and similar names in the root directory.
fn is_adapter(path: &str) -> bool {
    path.starts_with("adapter_model") && !path.contains('/') && FileKind::of(path).is_weights()
}

/// Checks for the files that a weight type requires.
pub(super) fn folder(files: &[SourceFile], weight_type: WeightType) -> Vec<Finding> {
    let exists = |wanted: &str| files.iter().any(|file| file.path == wanted);
    let mut findings = Vec::new();
    if weight_type == WeightType::LoRA {
        if !files.iter().any(|file| is_adapter(&file.path)) {
            findings.push(Finding::error(
                FindingCode::MissingAdapterWeights,
                WHOLE_SOURCE,
                "adapter weights not found: adapter_model.safetensors",
                "Save the adapter again, or use --weight-type if these are not adapter weights.",
            ));
        } else if !exists(ADAPTER_CONFIG) {
            findings.push(Finding::warning(
                FindingCode::MissingAdapterConfig,
                WHOLE_SOURCE,
                "adapter_config.json not found; it describes how the adapter is applied",
                "Add the adapter_config.json that was saved with the adapter.",
            ));
        }
        return findings;
    }
    if !files.iter().any(|file| FileKind::of(&file.path).is_weights()) {
        findings.push(no_weights(WHOLE_SOURCE, "no weights found"));
        return findings;
    }
    // A gguf file contains its configuration and tokenizer.
    if !files.iter().any(|file| matches!(FileKind::of(&file.path), FileKind::Safetensors | FileKind::Pickle)) {
        return findings;
    }
    if !exists(CONFIG) {
        findings.push(Finding::error(
            FindingCode::MissingConfig,
            WHOLE_SOURCE,
            "config.json not found; it describes the model architecture",
            "Add the model's config.json next to the weights.",
        ));
    }
    if !has_tokenizer(files) {
        findings.push(Finding::warning(
            FindingCode::MissingTokenizer,
            WHOLE_SOURCE,
            "tokenizer not found; the tokenizer of the base model may not match",
            "Add the model's tokenizer.json or tokenizer.model.",
        ));
    }
    findings
}

/// Finding for missing weights.
pub(super) fn no_weights(file: &str, what: &str) -> Finding {
    let suggestion = "Use the folder that contains the weights: .safetensors, .gguf, .bin, .pt, .pth, .pkl or .ckpt.";
    Finding::error(FindingCode::NoWeights, file, what, suggestion)
}

/// File names of tokenizers; one is sufficient.
const TOKENIZERS: [&str; 8] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "tekken.json",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tiktoken.model",
    "vocab.txt",
    "source.spm",
];

fn has_tokenizer(files: &[SourceFile]) -> bool {
    let full = || files.iter().filter(|file| file.bytes > 0).map(|file| file_name(&file.path));
    let has = |wanted: &str| full().any(|name| name == wanted);
    full().any(is_tokenizer) || (has("vocab.json") && has("merges.txt"))
}

fn is_tokenizer(name: &str) -> bool {
    TOKENIZERS.contains(&name) || name.starts_with("tokenizer.model") || name.ends_with(".tiktoken")
}

/// Extensions of marker files next to a download, or of its partial file, until it is complete.
pub(super) const UNFINISHED: [&str; 8] =
    ["aria2", "part", "partial", "crdownload", "download", "opdownload", "incomplete", "tmp"];

/// Files whose download has not ended, according to marker files next to them, whether those are uploaded or not. Such
/// a file may have its final size and a valid header: aria2 allocates all of it first.
pub(super) fn unfinished(files: &[SourceFile], excluded: &[Excluded]) -> Vec<Finding> {
    let all = files.iter().map(|file| file.path.as_str()).chain(excluded.iter().map(|left| left.path.as_str()));
    let marks = all.filter_map(|mark| {
        let (file, ending) = mark.rsplit_once('.')?;
        UNFINISHED.contains(&ending).then_some((file, mark))
    });
    // The files of a plan are sorted by name.
    let exists = |path: &str| files.binary_search_by(|file| file.path.as_str().cmp(path)).is_ok();
    marks.filter(|(file, _)| exists(file)).map(|(file, mark)| unfinished_file(file, mark)).collect()
}

/// Finding for a file whose download left `mark` next to it.
pub(super) fn unfinished_file(file: &str, mark: &str) -> Finding {
    let what = format!("the download of the file is incomplete: {} exists next to it", file_name(mark));
    let suggestion = "Finish the download, or remove its leftover file and check that this file is complete.";
    Finding::error(FindingCode::UnfinishedDownload, file, what, suggestion)
}

/// Findings from a file's name and size.
pub(super) fn file(file: &SourceFile) -> Vec<Finding> {
    let kind = FileKind::of(&file.path);
    let mut findings = Vec::new();
    if file.bytes == 0 && kind.is_weights() {
        findings.push(Finding::error(FindingCode::EmptyFile, &file.path, "the file is empty", RESAVE_SUGGESTION));
    } else if file.bytes == 0 && documents::shape(&file.path).is_none() {
        let is_needed = is_tokenizer(file_name(&file.path)) || file_name(&file.path) == "merges.txt";
        let suggestion = if is_needed { RESAVE_SUGGESTION } else { "Exclude it with --exclude, or replace it." };
        findings.push(Finding::warning(FindingCode::EmptyFile, &file.path, "the file is empty", suggestion));
    }
    let (code, what, suggestion) = match kind {
        FileKind::Pickle => (
            FindingCode::PickleWeights,
            "the file may run code when loaded, and the service may reject it",
            "Convert the weights to safetensors.",
        ),
        FileKind::Code => (
            FindingCode::CodeFile,
            "the file is code, which the service does not run and may reject",
            "Exclude it with --exclude '*.py' if the model does not need it.",
        ),
        FileKind::Unknown => (
            FindingCode::UnknownFile,
            "the file is not a known part of a model",
            "Exclude it with --exclude if the model does not need it.",
        ),
        FileKind::Safetensors | FileKind::Gguf | FileKind::Data => return findings,
    };
    findings.push(Finding::warning(code, &file.path, what, suggestion));
    findings
}
