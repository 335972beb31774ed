//! Model names: one rule for new names, a more permissive one for existing names.

use std::fmt;
use std::str::FromStr;

use crate::redact::clean;

/// Maximum length in bytes of a text for which a name is proposed.
const MAX_PROPOSED: usize = 96;

/// Name of an existing model: 1 to 255 characters without `/`. The service may have names that this program would not
/// create.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModelName(String);

impl ModelName {
    /// Name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ModelName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        segment(text, "model").map(Self)
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Name of something that exists, as one segment of a URL path; `kind` is for the error. The service may have names that
/// it would not accept for something new.
pub(super) fn segment(text: &str, kind: &str) -> Result<String, String> {
    let length = text.chars().count();
    if !(1..=255).contains(&length) || text.contains('/') || text.chars().any(char::is_control) {
        return Err("must have 1 to 255 characters and no '/'".into());
    }
    if text == "." || text == ".." {
        return Err(format!("'.' and '..' are not valid {kind} names"));
    }
    Ok(text.to_owned())
}

/// Name of a new model: 2 to 30 characters, beginning with a letter, then letters, digits and `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewModelName(ModelName);

impl NewModelName {
    /// Name as that of any model.
    #[must_use]
    pub fn as_name(&self) -> &ModelName {
        &self.0
    }
}

impl FromStr for NewModelName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ok = (2..=30).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if ok {
            Ok(Self(ModelName(text.to_owned())))
        } else {
            let rule = "a model name has 2 to 30 characters: a letter first, then letters, digits and '-'";
            Err(match proposal(text) {
                Some(name) => format!("{rule}; for example '{name}'"),
                None => rule.to_owned(),
            })
        }
    }
}

/// Valid name that is closest to a rejected one; none for a URL or a secret.
fn proposal(text: &str) -> Option<String> {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ' ');
    if text.len() > MAX_PROPOSED || !text.chars().all(is_name) || clean(text) != text {
        return None;
    }
    let plain = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    let mut name = String::new();
    for c in plain {
        if c != '-' || !(name.is_empty() || name.ends_with('-')) {
            name.push(c);
        }
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name = format!("model-{name}");
    }
    name.truncate(30);
    let name = name.trim_matches('-');
    (name.len() >= 2).then(|| name.to_owned())
}

impl fmt::Display for NewModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_names_follow_the_portal_rule() {
        for good in ["ab", "Llama-3", "a-----------------------------"] {
            assert!(good.parse::<NewModelName>().is_ok(), "{good}");
        }
        for bad in ["", "a", "1ab", "-ab", "a_b", "a b", "ä-model", "a1234567890123456789012345678901", "a/b"] {
            assert!(bad.parse::<NewModelName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_proposal_is_accepted_or_absent() {
        for (refused, proposed) in [
            ("Qwen2.5-7B", Some("Qwen2-5-7B")),
            ("a_b", Some("a-b")),
            ("../x y/", Some("x-y")),
            ("3b", Some("model-3b")),
            ("a--------------------------------b", Some("a-b")),
            ("", None),
            ("ä", None),
            ("x", None),
            ("https://user:secret@host", None),
            ("sig=abc", None),
        ] {
            assert_eq!(proposal(refused).as_deref(), proposed, "{refused}");
            assert!(proposal(refused).is_none_or(|name| name.parse::<NewModelName>().is_ok()), "{refused}");
        }
    }

    #[test]
    fn existing_names_are_accepted_as_they_are() {
        for good in ["a", "1.2_x", "mödel", "with space"] {
            assert!(good.parse::<ModelName>().is_ok(), "{good}");
        }
        for bad in ["", "a/b", "..", "a\nb", &"x".repeat(256)] {
            assert!(bad.parse::<ModelName>().is_err(), "{bad}");
        }
    }
}
