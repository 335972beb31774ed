//! Words of a command as the shells of this platform read them. Pure.

/// An option and its value; a value that looks like an option is one, unless it is tied to its own.
pub(crate) fn option_words(option: &str, value: &str) -> Vec<String> {
    match value.starts_with('-') {
        true => vec![format!("{option}={value}")],
        false => vec![option.to_owned(), value.to_owned()],
    }
}

/// A word as the shells of this platform read it; cmd.exe and PowerShell agree on double quotes alone.
pub(crate) fn quoted(word: &str) -> String {
    if cfg!(windows) { double_quoted(word) } else { shell_words::quote(word).into_owned() }
}

fn double_quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | '\\' | '=' | '+');
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("\"{}\"", word.replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_cmd_and_powershell() {
        for (word, shown) in [
            ("my-model", "my-model"),
            (r"C:\models\a", r"C:\models\a"),
            ("a b", "\"a b\""),
            ("*.bin", "\"*.bin\""),
            ("", "\"\""),
            ("a\"b", "\"a\\\"b\""),
            ("https://h/p?a=1&b", "\"https://h/p?a=1&b\""),
        ] {
            assert_eq!(double_quoted(word), shown);
        }
    }

    #[test]
    fn a_value_that_looks_like_an_option_stays_a_value() {
        assert_eq!(option_words("--description", "-x"), ["--description=-x"]);
        assert_eq!(option_words("--description", "x"), ["--description", "x"]);
    }
}
