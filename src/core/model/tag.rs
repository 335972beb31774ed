//! Tags of a model, as given on the command line.

use std::str::FromStr;

/// One tag: `key=value`. The value may be empty and may contain further `=`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    /// Key; never empty.
    pub key: String,
    /// Value.
    pub value: String,
}

impl FromStr for Tag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok(Self { key: key.to_owned(), value: value.to_owned() }),
            _ => Err("must have the form KEY=VALUE".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_equals_sign_separates_key_and_value() {
        for (text, key, value) in
            [("a=b", "a", "b"), ("a=", "a", ""), ("url=x?y=z", "url", "x?y=z"), (" k =v", " k ", "v")]
        {
            assert_eq!(text.parse(), Ok(Tag { key: key.into(), value: value.into() }), "{text}");
        }
        for text in ["", "a", "=b", "="] {
            assert!(text.parse::<Tag>().is_err(), "{text:?}");
        }
    }
}
