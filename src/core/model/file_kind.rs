//! Kinds of files in a model folder, according to their names. Pure.

const PICKLES: [&str; 5] = ["bin", "pt", "pth", "pkl", "ckpt"];
const DATA: [&str; 10] = ["json", "jsonl", "txt", "md", "model", "tiktoken", "jinja", "vocab", "merges", "spm"];
const TEXTS: [&str; 2] = ["LICENSE", "README"];

/// Kind of a file in a model folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// Weights whose header can be read.
    Safetensors,
    /// Weights that include their configuration.
    Gguf,
    /// Weights that may run code when they are loaded.
    Pickle,
    /// Code.
    Code,
    /// Configuration, tokenizer, text.
    Data,
    /// Anything else.
    Unknown,
}

impl FileKind {
    /// Kind according to the extension, case-insensitively; nothing is read.
    pub(crate) fn of(path: &str) -> Self {
        // Most small files end here, and each is classified several times.
        if path.ends_with(".json") {
            return Self::Data;
        }
        let name = uncounted(file_name(path));
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        match ending.as_deref() {
            Some("safetensors") => Self::Safetensors,
            Some("gguf") => Self::Gguf,
            Some("py") => Self::Code,
            Some(ending) if PICKLES.contains(&ending) => Self::Pickle,
            Some(ending) if DATA.contains(&ending) => Self::Data,
            // `tokenizer.model.v3`.
            _ if name.starts_with("tokenizer.model") => Self::Data,
            _ if TEXTS.iter().any(|text| name.starts_with(text)) => Self::Data,
            _ => Self::Unknown,
        }
    }

    /// True for weights.
    pub(crate) fn is_weights(self) -> bool {
        matches!(self, Self::Safetensors | Self::Gguf | Self::Pickle)
    }
}

/// `model.safetensors` for `model.safetensors-00001-of-00005`: some numbers follow the extension.
fn uncounted(name: &str) -> &str {
    // Few names end like this.
    if !name.ends_with(|last: char| last.is_ascii_digit()) {
        return name;
    }
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let stem =
        name.rsplit_once("-of-").filter(|(_, total)| is_number(total)).and_then(|(start, _)| start.rsplit_once('-'));
    stem.filter(|(_, number)| is_number(number)).map_or(name, |(stem, _)| stem)
}

/// Last component of a path.
pub(crate) fn file_name(path: &str) -> &str {
    // Called several times for each of 100,000 files.
    memchr::memrchr(b'/', path.as_bytes()).map_or(path, |slash| &path[slash + 1..])
}

/// Extension of a weight file in its usual spelling: `SafeTensors`.
pub(crate) fn weight_extension(path: &str) -> Option<&str> {
    let (_, ending) = uncounted(file_name(path)).rsplit_once('.')?;
    FileKind::of(path).is_weights().then_some(ending)
}
