//! Checksums on the Hub: SHA-256 of files in large storage, and git's SHA-1 of the others.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha1::Sha1;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest, Sha256};

use crate::model::{ContentHash, from_hex};

/// Checksum of a file's content, as listed by the Hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HubSum {
    /// SHA-256 of the content: files in large storage.
    Sha256(ContentHash),
    /// SHA-1 of git's header and the content: files in the repository itself.
    GitSha1([u8; 20]),
}

impl HubSum {
    /// Parses the git id of a blob: 40 hex digits.
    #[must_use]
    pub fn of_git(text: &str) -> Option<Self> {
        from_hex(text).map(Self::GitSha1)
    }

    /// True for files in large storage, which are downloaded from a signed URL.
    #[must_use]
    pub fn is_large_storage(&self) -> bool {
        matches!(self, Self::Sha256(_))
    }

    /// SHA-256 of the content; `None` for files in the repository itself.
    #[must_use]
    pub fn sha256(self) -> Option<ContentHash> {
        match self {
            Self::Sha256(hash) => Some(hash),
            Self::GitSha1(_) => None,
        }
    }

    /// First 64 bits, used as the modification time where files are compared by size and time.
    #[must_use]
    pub(crate) fn stamp(&self) -> u64 {
        let text = self.to_string();
        u64::from_str_radix(&text[..16], 16).unwrap_or_default()
    }
}

/// Writes lower-case hex digits.
impl fmt::Display for HubSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256(hash) => hash.fmt(f),
            Self::GitSha1(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

/// Writes hex digits; their number identifies the kind.
impl Serialize for HubSum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HubSum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let of_git = Self::of_git(&text);
        of_git.or_else(|| text.parse().ok().map(Self::Sha256)).ok_or_else(|| serde::de::Error::custom("it is no sum"))
    }
}

/// State of the checksum of a content that is read in order.
#[derive(Clone)]
pub struct SumState {
    expected: HubSum,
    state: HashState,
}

#[derive(Clone)]
enum HashState {
    Sha256(Sha256),
    Sha1(Sha1),
}

/// Content with a different checksum than the Hub lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SumMismatch {
    /// Checksum that the Hub lists.
    pub expected: HubSum,
    /// Checksum of the received content.
    pub found: HubSum,
}

impl SumState {
    /// Starts the checksum of a content with this length in bytes and this expected value.
    #[must_use]
    pub fn new(expected: HubSum, bytes: u64) -> Self {
        let state = match expected {
            HubSum::Sha256(_) => HashState::Sha256(Sha256::new()),
            HubSum::GitSha1(_) => {
                let mut state = Sha1::new();
                state.update(format!("blob {bytes}\0"));
                HashState::Sha1(state)
            }
        };
        Self { expected, state }
    }

    /// Continues from [`SumState::save`] of a content with this checksum; `None` for another kind of checksum.
    pub(crate) fn resume(expected: HubSum, saved: &[u8]) -> Option<Self> {
        let state = match expected {
            HubSum::Sha256(_) => HashState::Sha256(restored(saved)?),
            HubSum::GitSha1(_) => HashState::Sha1(restored(saved)?),
        };
        Some(Self { expected, state })
    }

    /// State after the bytes so far: about 110 bytes, regardless of their number.
    pub(crate) fn save(&self) -> Vec<u8> {
        match &self.state {
            HashState::Sha256(state) => state.serialize().to_vec(),
            HashState::Sha1(state) => state.serialize().to_vec(),
        }
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            HashState::Sha256(state) => state.update(bytes),
            HashState::Sha1(state) => state.update(bytes),
        }
    }

    /// Compares the checksums at the end.
    ///
    /// # Errors
    /// Both checksums, if they differ.
    pub fn finish(self) -> Result<HubSum, SumMismatch> {
        let found = match self.state {
            HashState::Sha256(state) => HubSum::Sha256(<[u8; 32]>::from(state.finalize()).into()),
            HashState::Sha1(state) => HubSum::GitSha1(state.finalize().into()),
        };
        if found == self.expected { Ok(found) } else { Err(SumMismatch { expected: self.expected, found }) }
    }
}

fn restored<T: SerializableState>(saved: &[u8]) -> Option<T> {
    let state = SerializedState::<T>::try_from(saved).ok()?;
    T::deserialize(&state).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checksum that `git hash-object` and `sha256sum` print for `hello
    /// `.
    const GIT: &str = "ce013625030ba8dba906f756967f9e9ca394464a";
    const SHA256: &str = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

    #[test]
    fn both_checksums_match_git_and_sha256sum() {
        let sums = [HubSum::of_git(GIT).expect("a sum"), HubSum::Sha256(SHA256.parse().expect("a sum"))];
        for sum in sums {
            let mut state = SumState::new(sum, 6);
            state.update(b"hel");
            let saved = state.save();
            let mut resumed = SumState::resume(sum, &saved).expect("a state");
            resumed.update(b"lo\n");
            assert_eq!(resumed.finish(), Ok(sum));
            assert!(SumState::resume(sum, &saved[1..]).is_none());
            state.update(b"lo\n");
            assert_eq!(state.clone().finish(), Ok(sum));
            state.update(b"!");
            assert_eq!(state.finish().expect_err("other content").expected, sum);
            let json = serde_json::to_string(&sum).expect("JSON");
            assert_eq!(serde_json::from_str::<HubSum>(&json).expect("a sum"), sum);
        }
        assert_eq!(sums.map(|sum| sum.is_large_storage()), [false, true]);
        assert_eq!(sums[0].stamp(), 0xce01_3625_030b_a8db);
        for odd in ["", "ce01", &"g".repeat(40), &"ü".repeat(20)] {
            assert_eq!(HubSum::of_git(odd), None, "{odd}");
        }
    }
}
