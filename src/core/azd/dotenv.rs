//! Names of variables in an environment's `.env`, in every way in which azd may parse it. Pure.
//!
//! azd parses the file with godotenv. Its rules for quotes, escapes and comments determine where a value ends, and an
//! inexact copy of them would miss names. No rule for values is needed here: every text before a separator counts as a
//! name. A surplus name only costs a variable that would have been the user's own.

/// Names before a `=` or a `:`, anywhere in the file. Covers every name of ASCII letters, digits, `_` and `.` that
/// godotenv 1.5.1 finds (`ci/dotenv.sh` compares them); no program reads a variable with another name.
pub(super) fn names(text: &[u8]) -> Vec<String> {
    let separators = text.iter().enumerate().filter(|(_, byte)| matches!(byte, b'=' | b':'));
    separators.filter_map(|(end, _)| name_before(&text[..end])).collect()
}

fn name_before(text: &[u8]) -> Option<String> {
    let end = text.iter().rposition(|&byte| !is_space(byte))? + 1;
    let start = text[..end].iter().rposition(|&byte| !is_name(byte)).map_or(0, |before| before + 1);
    std::str::from_utf8(&text[start..end]).ok().filter(|name| !name.is_empty()).map(str::to_owned)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')
}

/// True for whitespace that godotenv allows between a name and its separator: Latin-1, as single bytes and as UTF-8.
fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x0b | 0x0c | b'\r' | b' ' | 0x85 | 0xa0 | 0xc2)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use serde::Deserialize;

    use super::*;

    /// Generated file and the names that godotenv reads from it.
    #[derive(Deserialize)]
    struct GeneratedFile {
        text: String,
        names: Vec<String>,
    }

    #[test]
    fn names_are_found_in_every_notation() {
        for (text, expected) in [
            ("A=1\r\n  B = \"x\"\n", &["A", "B"][..]),
            ("export\tD='y'\nE: z\n\u{feff}F=1", &["D", "E", "F"]),
            ("A=\"1\"PATH=/evil", &["A", "PATH"]),
            ("A='1\nPATH=x'", &["A", "PATH"]),
            ("\rPATH\u{a0}=x", &["PATH"]),
            ("=no\nG", &[]),
        ] {
            assert_eq!(names(text.as_bytes()), expected, "{text:?}");
        }
    }

    /// Cases of `ci/dotenv.sh`: a fixed selection, and more if `DOTENV_CASES` names a file of them.
    #[test]
    #[expect(clippy::print_stdout, reason = "number of comparisons, for the user of the script")]
    fn no_name_that_azd_sees_is_missed() {
        let kept = include_str!("../../../tests/data/dotenv.jsonl").to_owned();
        let text = match std::env::var("DOTENV_CASES") {
            Ok(file) => std::fs::read_to_string(file).expect("the cases"),
            Err(_) => kept,
        };
        let (mut cases, mut seen) = (0, 0);
        for line in text.lines() {
            let case: GeneratedFile = serde_json::from_str(line).expect("a case");
            let file = BASE64_STANDARD.decode(&case.text).expect("base64");
            let found = names(&file);
            for name in &case.names {
                assert!(found.contains(name), "{name} is missed in {:?}", String::from_utf8_lossy(&file));
            }
            cases += 1;
            seen += case.names.len();
        }
        println!("{cases} files, {seen} names");
        assert!(cases >= 500 && seen >= 500, "{cases} files with {seen} names are too few");
    }

    #[test]
    fn file_survives_mutation() {
        let text = b"A=1\nexport B = \"x\\\"y\"\n# C\nD: 'z'PATH=1\r\n";
        crate::fuzz::fuzz("dotenv", &[text], |input| {
            let found = names(input);
            assert!(found.len() <= input.len());
        });
    }
}
