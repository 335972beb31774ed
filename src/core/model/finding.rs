//! Findings of the model check.

use std::fmt;

use serde::Serialize;

/// Severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingLevel {
    /// The upload would be useless.
    Error,
    /// Informational.
    Warning,
}

impl fmt::Display for FindingLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// Code of a finding. Codes are stable, since scripts rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingCode {
    // Errors of the walk, in the order in which a user would fix them; then of the whole folder, then of files.
    /// The source has no files, or all are excluded.
    EmptySource,
    /// A file or directory cannot be read.
    Unreadable,
    /// A link leads back to a directory that contains it.
    LinkLoop,
    /// The target of a link does not exist.
    BrokenLink,
    /// Neither a file nor a directory, such as a socket.
    SpecialFile,
    /// A name that cannot be the name of a blob.
    BadFileName,
    /// No file has weights.
    NoWeights,
    /// An adapter without `adapter_model.safetensors`.
    MissingAdapterWeights,
    /// A model without `config.json`.
    MissingConfig,
    /// A document that is not the JSON that its name promises.
    InvalidConfig,
    /// An adapter whose `peft_type` is not `LORA`.
    WrongPeftType,
    /// An index of shards that cannot be read or lists none.
    InvalidIndex,
    /// An index that refers to a shard outside its folder.
    BadIndexPath,
    /// A shard that an index or the names of the others refer to does not exist.
    MissingShard,
    /// A pointer of git-LFS or git-xet in place of the file.
    LfsPointer,
    /// A file that a download tool has not finished.
    UnfinishedDownload,
    /// Weights that end before their header says.
    TruncatedShard,
    /// Weights with bytes after the last tensor.
    TrailingData,
    /// Weights whose header or first bytes are not of their format.
    BadHeader,
    /// Weights whose header has tensor positions that are wrong, overlap or leave gaps.
    BadOffsets,
    /// Weights without a tensor that has data.
    NoTensors,
    /// A shard without a tensor that the index refers to.
    TensorNotInShard,
    /// An error for weights, a warning for other files.
    EmptyFile,
    // Warnings.
    /// An adapter without `adapter_config.json`.
    MissingAdapterConfig,
    /// A model without a tokenizer.
    MissingTokenizer,
    /// Shards without an index.
    MissingIndex,
    /// Weights that the index does not list.
    UnusedWeights,
    /// More than one set of weights.
    SeveralWeights,
    /// A tensor in two shards.
    DuplicateTensor,
    /// Weights that were quantized (`quantization_config`).
    QuantizedWeights,
    /// Tensors of an unknown data type.
    UnknownDtype,
    /// Weights as a pickle, which may run code when it is loaded.
    PickleWeights,
    /// A configuration that refers to custom code (`auto_map`).
    CodeIgnored,
    /// A file of code.
    CodeFile,
    /// A file that is not a known part of a model.
    UnknownFile,
    /// A link whose target is outside the source.
    LinkOutside,
    /// An adapter that would be registered with another weight type.
    WeightTypeMismatch,
}

impl FindingCode {
    /// The code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EmptySource => "empty-source",
            Self::Unreadable => "unreadable",
            Self::LinkLoop => "link-loop",
            Self::BrokenLink => "broken-link",
            Self::SpecialFile => "special-file",
            Self::BadFileName => "bad-file-name",
            Self::NoWeights => "no-weights",
            Self::MissingAdapterWeights => "missing-adapter-weights",
            Self::MissingConfig => "missing-config",
            Self::InvalidConfig => "invalid-config",
            Self::WrongPeftType => "wrong-peft-type",
            Self::InvalidIndex => "invalid-index",
            Self::BadIndexPath => "bad-index-path",
            Self::MissingShard => "missing-shard",
            Self::LfsPointer => "lfs-pointer",
            Self::UnfinishedDownload => "unfinished-download",
            Self::TruncatedShard => "truncated-shard",
            Self::TrailingData => "trailing-data",
            Self::BadHeader => "bad-header",
            Self::BadOffsets => "bad-offsets",
            Self::NoTensors => "no-tensors",
            Self::TensorNotInShard => "tensor-not-in-shard",
            Self::EmptyFile => "empty-file",
            Self::MissingAdapterConfig => "missing-adapter-config",
            Self::MissingTokenizer => "missing-tokenizer",
            Self::MissingIndex => "missing-index",
            Self::UnusedWeights => "unused-weights",
            Self::SeveralWeights => "several-weights",
            Self::QuantizedWeights => "quantized-weights",
            Self::CodeIgnored => "code-ignored",
            Self::DuplicateTensor => "duplicate-tensor",
            Self::UnknownDtype => "unknown-dtype",
            Self::PickleWeights => "pickle-weights",
            Self::CodeFile => "code-file",
            Self::UnknownFile => "unknown-file",
            Self::LinkOutside => "link-outside",
            Self::WeightTypeMismatch => "weight-type-mismatch",
        }
    }
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One result of the check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Severity.
    pub level: FindingLevel,
    /// Code.
    pub code: FindingCode,
    /// File relative to the source; `.` if the finding is about the whole source.
    pub file: String,
    /// One sentence.
    pub message: String,
    /// Suggestion.
    #[serde(rename = "remedy")]
    pub suggestion: String,
}

impl Finding {
    /// Finding that prevents an upload.
    #[must_use]
    pub fn error(code: FindingCode, file: &str, message: impl Into<String>, suggestion: impl Into<String>) -> Self {
        Self {
            level: FindingLevel::Error,
            code,
            file: file.to_owned(),
            message: message.into(),
            suggestion: suggestion.into(),
        }
    }

    /// Finding that does not prevent an upload.
    #[must_use]
    pub fn warning(code: FindingCode, file: &str, message: impl Into<String>, suggestion: impl Into<String>) -> Self {
        Self { level: FindingLevel::Warning, ..Self::error(code, file, message, suggestion) }
    }

    /// True if it prevents an upload.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.level == FindingLevel::Error
    }
}
