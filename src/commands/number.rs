//! Parser for numbers on the command line.

use std::str::FromStr;

/// Parses a whole number of 1 or more.
///
/// # Errors
/// A sentence with the accepted values: clap's own message has the limits of the type.
pub(super) fn one_or_more<T: FromStr + PartialOrd + From<u8>>(text: &str) -> Result<T, String> {
    match text.parse() {
        Ok(number) if number >= T::from(1) => Ok(number),
        _ => Err("must be a whole number of 1 or more".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_positive_integer() {
        for (text, number) in [("1", Some(1)), ("80", Some(80)), ("0", None), ("-1", None), ("1.5", None), ("", None)] {
            assert_eq!(one_or_more::<u64>(text).ok(), number, "{text}");
        }
        assert_eq!(one_or_more::<u32>("4294967296").ok(), None);
    }
}
