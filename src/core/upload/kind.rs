//! What a file of a model is, told by its name (cli.md 8). Pure.

const PICKLES: [&str; 5] = ["bin", "pt", "pth", "pkl", "ckpt"];
const DATA: [&str; 9] = ["json", "jsonl", "txt", "md", "model", "tiktoken", "jinja", "vocab", "merges"];
const TEXTS: [&str; 2] = ["LICENSE", "README"];

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Weights whose header can be read.
    Safetensors,
    /// Weights with their configuration inside.
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

impl Kind {
    pub(super) fn of(path: &str) -> Self {
        let name = name(path);
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        match ending.as_deref() {
            Some("safetensors") => Self::Safetensors,
            Some("gguf") => Self::Gguf,
            Some("py") => Self::Code,
            Some(ending) if PICKLES.contains(&ending) => Self::Pickle,
            Some(ending) if DATA.contains(&ending) => Self::Data,
            _ if TEXTS.iter().any(|text| name.starts_with(text)) => Self::Data,
            _ => Self::Unknown,
        }
    }

    pub(super) fn is_weights(self) -> bool {
        matches!(self, Self::Safetensors | Self::Gguf | Self::Pickle)
    }
}

/// The last part of a path.
pub(super) fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The ending of a weight file as it is written: `SafeTensors`.
pub(super) fn weight_ending(path: &str) -> Option<&str> {
    let (_, ending) = path.rsplit_once('.')?;
    Kind::of(path).is_weights().then_some(ending)
}
