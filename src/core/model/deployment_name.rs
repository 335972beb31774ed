//! Names of deployments: one rule for new names, a more permissive one for existing names.

use std::fmt;
use std::str::FromStr;

use super::name::segment;

/// Name of a possibly existing deployment: 1 to 255 characters without `/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeploymentName(String);

impl DeploymentName {
    /// Name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DeploymentName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        segment(text, "deployment").map(Self)
    }
}

impl fmt::Display for DeploymentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Name of a new deployment: 2 to 64 letters, digits, `.`, `_` and `-`, beginning with a letter or digit. The service
/// publishes no rule; names with dots exist, since catalog models have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDeploymentName(DeploymentName);

impl NewDeploymentName {
    /// Name as that of any deployment.
    #[must_use]
    pub fn as_name(&self) -> &DeploymentName {
        &self.0
    }
}

impl FromStr for NewDeploymentName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_valid = (2..=64).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if is_valid {
            Ok(Self(DeploymentName(text.to_owned())))
        } else {
            Err("must have 2 to 64 letters, digits, '.', '_' or '-', and start with a letter or digit".into())
        }
    }
}

impl fmt::Display for NewDeploymentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_names_follow_the_rule_and_other_names_are_accepted_as_they_are() {
        for valid in ["ab", "gpt-4.1", "4o_mini", &"a".repeat(64)] {
            assert!(valid.parse::<NewDeploymentName>().is_ok(), "{valid}");
        }
        for refused in ["", "a", "-ab", ".ab", "a b", "ä-b", "a/b", &"a".repeat(65)] {
            assert!(refused.parse::<NewDeploymentName>().is_err(), "{refused}");
        }
        for valid in ["a", "-x", "with blank"] {
            assert!(valid.parse::<DeploymentName>().is_ok(), "{valid}");
        }
        for refused in ["", "a/b", "..", "a\nb", &"x".repeat(256)] {
            assert!(refused.parse::<DeploymentName>().is_err(), "{refused}");
        }
    }
}
