//! Result of a comparison. Its words are part of the interface: `custom verify -o json` prints them.

use serde::Serialize;

use crate::model::ContentHash;

/// Outcome for one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum FileStatus {
    /// Only in the source.
    #[serde(rename = "missing")]
    Missing,
    /// Only in the store.
    #[serde(rename = "extra")]
    Extra,
    /// In both with different sizes.
    #[serde(rename = "other size")]
    OtherSize,
    /// Different SHA-256.
    #[serde(rename = "other content")]
    OtherContent,
    /// No difference found, but no checksum to compare.
    #[serde(rename = "unproved")]
    Unproved,
    /// Verified.
    #[serde(rename = "ok")]
    Ok,
}

impl FileStatus {
    /// Value in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::OtherSize => "other size",
            Self::OtherContent => "other content",
            Self::Unproved => "unproved",
            Self::Ok => "ok",
        }
    }

    /// True for a difference.
    #[must_use]
    pub fn is_difference(self) -> bool {
        !matches!(self, Self::Unproved | Self::Ok)
    }
}

/// Proof of equality of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// Content that was read, from the source or from the store, has the expected SHA-256.
    Hashed,
    /// Name and size are equal.
    Sized,
    /// The store lists the file, but there is nothing to compare with.
    Listed,
}

impl Proof {
    /// Value in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hashed => "hashed",
            Self::Sized => "sized",
            Self::Listed => "listed",
        }
    }
}

/// Result for one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedFile {
    /// Name relative to the location of the model.
    pub path: String,
    /// Outcome.
    pub status: FileStatus,
    /// Proof of equality; `None` for a difference.
    pub proof: Option<Proof>,
    /// Size in the store in bytes; `None` if it is missing there.
    pub bytes: Option<u64>,
    /// Size in the source in bytes; `None` without a source, or if it is missing there.
    pub source_bytes: Option<u64>,
    /// Expected SHA-256: that of the source, otherwise the recorded one.
    pub sha256: Option<ContentHash>,
}

/// Outcome for the digest of the whole content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum DigestStatus {
    /// Equal to the recorded digest.
    #[serde(rename = "ok")]
    Ok,
    /// Different from the recorded digest.
    #[serde(rename = "other content")]
    OtherContent,
    /// Not recorded, not computable for lack of a checksum, or irrelevant because files differ.
    #[serde(rename = "unproved")]
    Unproved,
}

/// Comparison of all files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Files of the source and of the store, sorted by name.
    pub files: Vec<VerifiedFile>,
    /// Outcome for the digest.
    pub digest: DigestStatus,
}

impl Verification {
    /// Number of files with this status.
    #[must_use]
    pub fn count(&self, status: FileStatus) -> u64 {
        self.files.iter().filter(|file| file.status == status).count() as u64
    }

    /// Number of files with this proof.
    #[must_use]
    pub fn proved(&self, proof: Proof) -> u64 {
        self.files.iter().filter(|file| file.proof == Some(proof)).count() as u64
    }

    /// True if there is a difference.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.digest == DigestStatus::OtherContent || self.files.iter().any(|file| file.status.is_difference())
    }
}
