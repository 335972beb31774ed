//! Kind of weights of a model.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Kinds that the service supports, in its own spelling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum WeightType {
    /// All weights of the model.
    #[default]
    FullWeight,
    /// An adapter for a base model.
    LoRA,
    /// A small model for speculative decoding.
    DraftModel,
}

impl WeightType {
    /// Spelling of the service.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FullWeight => "FullWeight",
            Self::LoRA => "LoRA",
            Self::DraftModel => "DraftModel",
        }
    }
}

impl fmt::Display for WeightType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for WeightType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::FullWeight, Self::LoRA, Self::DraftModel]
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| "must be FullWeight, LoRA or DraftModel".into())
    }
}
