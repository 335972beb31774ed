//! Quoting of command lines for the shells of this platform. Pure.

use azure_ai_models_core::platform::Platform;

/// Arguments for an option and its value; a value that looks like an option is attached with `=`.
pub(crate) fn option_arguments(option: &str, value: &str) -> Vec<String> {
    match value.starts_with('-') {
        true => vec![format!("{option}={value}")],
        false => vec![option.to_owned(), value.to_owned()],
    }
}

/// Quotes a word for the shells of this platform.
pub(crate) fn quoted(word: &str) -> String {
    quoted_for(word, Platform::CURRENT)
}

/// Quotes a word for the shells of a platform. cmd.exe and PowerShell agree only on double quotes, and on the
/// characters that need none.
fn quoted_for(word: &str, platform: Platform) -> String {
    if platform != Platform::Windows {
        return shell_words::quote(word).into_owned();
    }
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | '\\' | '=' | '+');
    // PowerShell splits `-x.y` and `-x:y`.
    let is_taken_apart = word.starts_with('-') && word.contains(['.', ':']);
    if !word.is_empty() && word.chars().all(is_plain) && !is_taken_apart {
        return word.to_owned();
    }
    // Programs read a backslash before a quote as part of it.
    let backslashes = word.len() - word.trim_end_matches('\\').len();
    format!("\"{}{}\"", word.replace('"', "\\\""), "\\".repeat(backslashes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_cmd_and_powershell() {
        for (word, shown) in [
            ("my-model", "my-model"),
            ("--model-version", "--model-version"),
            (r"C:\models\a", r"C:\models\a"),
            ("a b", "\"a b\""),
            (r"C:\my models\", r#""C:\my models\\""#),
            ("*.bin", "\"*.bin\""),
            ("", "\"\""),
            ("a\"b", "\"a\\\"b\""),
            ("https://h/p?a=1&b", "\"https://h/p?a=1&b\""),
            ("--description=-1.5", "\"--description=-1.5\""),
            ("a,b", "\"a,b\""),
            ("@me", "\"@me\""),
            ("it's", "\"it's\""),
        ] {
            assert_eq!(quoted_for(word, Platform::Windows), shown);
        }
    }

    #[test]
    fn words_are_quoted_for_sh() {
        for platform in [Platform::Linux, Platform::MacOs] {
            for (word, shown) in [("my-model", "my-model"), ("a b", "'a b'"), ("it's", r#"'it'\''s'"#), ("", "''")] {
                assert_eq!(quoted_for(word, platform), shown);
            }
        }
    }

    #[test]
    fn a_value_that_looks_like_an_option_stays_a_value() {
        assert_eq!(option_arguments("--description", "-x"), ["--description=-x"]);
        assert_eq!(option_arguments("--description", "x"), ["--description", "x"]);
    }
}
