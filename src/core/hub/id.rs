//! Ids of repositories and of commits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::address::HubAddressError;

/// Maximum length of each part of an id, in characters.
const MAX_PART: usize = 96;
/// Number of hex digits of a commit, and of its short form.
const COMMIT: usize = 40;
const SHORT: usize = 7;

/// Id of a repository, `ORG/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoId(String);

/// Commit of a repository: 40 lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitId(String);

impl RepoId {
    /// Text of the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RepoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RepoId {
    type Err = HubAddressError;

    fn from_str(text: &str) -> Result<Self, HubAddressError> {
        let (owner, name) = text.split_once('/').ok_or_else(|| HubAddressError::OnePart(text.to_owned()))?;
        if [owner, name].iter().all(|part| is_part(part)) && !text.contains("..") && !text.contains("--") {
            Ok(Self(text.to_owned()))
        } else {
            Err(HubAddressError::BadId(text.to_owned()))
        }
    }
}

fn is_part(part: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (1..=MAX_PART).contains(&part.len())
        && part.chars().all(allowed)
        && !part.starts_with(['-', '.'])
        && !part.ends_with(['-', '.'])
}

impl Serialize for RepoId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RepoId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl CommitId {
    /// Text of the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// First seven digits.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..SHORT]
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for CommitId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_commit = text.len() == COMMIT && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        if is_commit { Ok(Self(text.to_ascii_lowercase())) } else { Err(()) }
    }
}

impl Serialize for CommitId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for CommitId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(|()| serde::de::Error::custom("it is no commit"))
    }
}
