//! Selection of the files of a repository that belong to a model. Pure.

use std::collections::BTreeSet;

use super::source::HubExcluded;
use crate::model::file_name;
use crate::source::{ExcludeReason, Selection};

/// A file of the imported folder.
#[derive(Clone, Copy)]
pub(super) struct RepositoryFile<'a> {
    /// Path relative to that folder.
    pub(super) path: &'a str,
    pub(super) bytes: u64,
}

/// Files that a model loader reads, by their names at the root of the import.
const NEEDED: [&str; 24] = [
    "config.json",
    "generation_config.json",
    "*.safetensors",
    "*.safetensors.index.json",
    "*.bin",
    "*.bin.index.json",
    "*.pt",
    "tokenizer*",
    "vocab.*",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template*",
    "*preprocessor_config.json",
    "processor_config.json",
    "adapter_*",
    // Tokenizers with other names.
    "tekken.json",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tiktoken.model",
    "*.tiktoken",
    "source.spm",
    "target.spm",
    "quantize_config.json",
];
const CODE: &str = "*.py";
/// Files that no model loader reads, by their names in any folder.
const NOT_NEEDED: [&str; 17] = [
    "README*",
    "LICENSE*",
    "*.png",
    "*.jpg",
    "*.jpeg",
    "*.gif",
    "*.webp",
    "*.svg",
    "consolidated*",
    "*.pth",
    "*.gguf",
    "*.onnx*",
    "*.msgpack",
    "*.h5",
    "openvino*",
    "training_args.bin",
    "optimizer*",
];
/// Weights that safetensors files in the same folder replace.
const OTHER_WEIGHTS: [&str; 3] = ["*.bin", "*.bin.index.json", "*.pt"];

/// Returns the files to exclude. `has_code`: the model's configuration refers to its own code.
pub(super) fn select(files: Vec<RepositoryFile<'_>>, selection: &Selection, has_code: bool) -> Vec<HubExcluded> {
    let with_safetensors: BTreeSet<&str> =
        files.iter().filter(|file| file.path.ends_with(".safetensors")).map(|file| folder(file.path)).collect();
    let reason = |path: &str| {
        let is_default = selection.include().is_empty() && selection.has_default_excludes();
        if let Some(reason) = selection.default_reason(path) {
            Some(reason)
        } else if selection.excludes(path) {
            Some(ExcludeReason::Excluded)
        } else if is_default {
            let has_safetensors = with_safetensors.contains(folder(path));
            of_model(path, has_safetensors, has_code)
        } else {
            (!selection.includes(path)).then_some(ExcludeReason::NotIncluded)
        }
    };
    let left = |file: RepositoryFile<'_>| {
        let reason = reason(file.path)?;
        Some(HubExcluded { path: file.path.to_owned(), bytes: file.bytes, reason })
    };
    files.into_iter().filter_map(left).collect()
}

/// Reason to exclude a file if the user selects nothing.
fn of_model(path: &str, has_safetensors: bool, has_code: bool) -> Option<ExcludeReason> {
    let name = file_name(path);
    let is_one_of = |globs: &[&str]| globs.iter().any(|glob| fast_glob::glob_match(glob, name));
    if has_safetensors && is_one_of(&OTHER_WEIGHTS) {
        return Some(ExcludeReason::OtherFormat);
    }
    let is_at_root = !path.contains('/');
    let is_needed = is_at_root && (is_one_of(&NEEDED) || (has_code && is_one_of(&[CODE])));
    (!is_needed || is_one_of(&NOT_NEEDED)).then_some(ExcludeReason::NotOfModel)
}

fn folder(path: &str) -> &str {
    &path[..path.len() - file_name(path).len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(paths: &[&'static str], selection: &Selection, has_code: bool) -> Vec<&'static str> {
        let files = paths.iter().map(|path| RepositoryFile { path, bytes: 1 }).collect();
        let left: Vec<String> = select(files, selection, has_code).into_iter().map(|left| left.path).collect();
        paths.iter().copied().filter(|path| !left.iter().any(|one| one == path)).collect()
    }

    fn reason(paths: &[&str], path: &str) -> Option<ExcludeReason> {
        let files = paths.iter().map(|path| RepositoryFile { path, bytes: 1 }).collect();
        let left = select(files, &Selection::default(), false);
        left.into_iter().find(|left| left.path == path).map(|left| left.reason)
    }

    const REPOSITORY: [&str; 18] = [
        ".gitattributes",
        "LICENSE",
        "README.md",
        "config.json",
        "consolidated.safetensors",
        "generation_config.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.gguf",
        "model.safetensors.index.json",
        "modeling_x.py",
        "onnx/config.json",
        "onnx/model.onnx",
        "original/params.json",
        "plot.png",
        "pytorch_model.bin",
        "tokenizer.json",
        "tokenizer_config.json",
    ];

    #[test]
    fn a_model_is_its_configuration_its_weights_and_its_tokenizer() {
        let model = [
            "config.json",
            "generation_config.json",
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
            "model.safetensors.index.json",
            "tokenizer.json",
            "tokenizer_config.json",
        ];
        assert_eq!(taken(&REPOSITORY, &Selection::default(), false), model);
        let with_code = taken(&REPOSITORY, &Selection::default(), true);
        assert!(with_code.contains(&"modeling_x.py"));
        assert_eq!(reason(&REPOSITORY, "pytorch_model.bin"), Some(ExcludeReason::OtherFormat));
        assert_eq!(reason(&REPOSITORY, "README.md"), Some(ExcludeReason::NotOfModel));
        assert_eq!(reason(&REPOSITORY, ".gitattributes"), Some(ExcludeReason::Default));
    }

    #[test]
    fn other_weights_are_selected_without_safetensors() {
        let old = ["config.json", "pytorch_model.bin", "sub/model.safetensors", "training_args.bin"];
        assert_eq!(taken(&old, &Selection::default(), false), ["config.json", "pytorch_model.bin"]);
    }

    #[test]
    fn options_select_as_in_a_local_folder() {
        let globs = |globs: &[&str]| globs.iter().map(|glob| glob.parse().expect("a glob")).collect();
        let only = Selection::new(globs(&["*.gguf", "README*", ".gitattributes"]), Vec::new(), true);
        assert_eq!(taken(&REPOSITORY, &only, false), ["README.md", "model.gguf"]);
        let without = Selection::new(Vec::new(), globs(&["tokenizer*", "*.safetensors"]), true);
        assert_eq!(
            taken(&REPOSITORY, &without, false),
            ["config.json", "generation_config.json", "model.safetensors.index.json"]
        );
        let all = Selection::new(Vec::new(), globs(&["onnx/"]), false);
        assert_eq!(taken(&REPOSITORY, &all, false).len(), REPOSITORY.len() - 2);
    }
}
