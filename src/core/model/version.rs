//! Model versions: text for the service, numbers if all of them are numbers.

use std::fmt;
use std::str::FromStr;

/// Version of a model; usually `1`, `2`, ..., but any text without `/` is accepted, since the service may have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelVersion(String);

impl ModelVersion {
    /// Version of a model that does not exist yet.
    #[must_use]
    pub fn first() -> Self {
        Self("1".to_owned())
    }

    /// Version as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Version as a number, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.0.parse().ok()
    }

    /// Version after the highest of these; `None` if none of them is a number.
    #[must_use]
    pub fn after<'a>(versions: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let highest = versions.into_iter().filter_map(|version| version.parse::<u64>().ok()).max()?;
        Some(Self(highest.checked_add(1)?.to_string()))
    }
}

impl FromStr for ModelVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let length = text.chars().count();
        if !(1..=255).contains(&length)
            || text.contains('/')
            || text.chars().any(char::is_control)
            || text == "."
            || text == ".."
        {
            return Err("must have 1 to 255 characters and no '/'".into());
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ModelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_version_follows_the_highest_number() {
        assert_eq!(ModelVersion::after(["1", "10", "9", "beta"]).map(|v| v.to_string()), Some("11".into()));
        assert_eq!(ModelVersion::after(["beta"]), None);
    }

    #[test]
    fn versions_cannot_change_the_path() {
        for bad in ["", "a/b", "..", "1\n"] {
            assert!(bad.parse::<ModelVersion>().is_err(), "{bad:?}");
        }
    }
}
