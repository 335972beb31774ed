//! Selection of entries in a directory: default excludes, `--exclude`, `--include`. Pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::defaults;
use crate::platform::Platform;

/// Glob over paths relative to the source, with `/` between components. `*` stays within a component, `**` does not.
/// Without a `/` it matches a name at any depth, with a trailing one a directory. A directory includes its content.
/// Names are compared in the way of the platform's file systems.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    /// Normalized like file names.
    glob: String,
    directories_only: bool,
    platform: Platform,
}

impl Pattern {
    /// True if the entry itself or one of its parent directories matches.
    pub(super) fn matches(&self, path: &str, is_directory: bool) -> bool {
        let path = &*self.platform.fold_name(path);
        let parents = path.match_indices('/').map(|(at, _)| &path[..at]);
        let itself = (is_directory || !self.directories_only).then_some(path);
        parents.chain(itself).any(|path| fast_glob::glob_match(&self.glob, path))
    }

    fn parse(text: &str, platform: Platform) -> Result<Self, String> {
        // On Windows a '\' separates components, as in the shell's completion; elsewhere it escapes.
        let slashed = if platform == Platform::Windows { text.replace('\\', "/") } else { text.to_owned() };
        let whole = slashed.strip_prefix("./").unwrap_or(&slashed);
        let body = whole.strip_suffix('/').unwrap_or(whole);
        let glob = match body.strip_prefix('/') {
            // A leading `!` would negate the pattern.
            Some(anchored) if anchored.starts_with('!') => format!("\\{anchored}"),
            Some(anchored) => anchored.to_owned(),
            None if body.starts_with('!') && body.contains('/') => format!("\\{body}"),
            None if body.contains('/') => body.to_owned(),
            None => format!("**/{body}"),
        };
        if matches!(body, "" | "/") {
            return Err("a glob cannot be empty".into());
        }
        // In the original form, since the message counts its bytes.
        fast_glob::validate(&slashed).map_err(|error| error.to_string())?;
        let glob = platform.fold_name(&glob).into_owned();
        Ok(Self { text: text.to_owned(), glob, directories_only: body.len() < whole.len(), platform })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text, Platform::CURRENT)
    }
}

/// Reason why an entry is excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExcludeReason {
    /// Never belongs to a model.
    Default,
    /// Never belongs to a model, and may hold a secret.
    MaySecret,
    /// Belongs to this program: the record of an upload, which changes during the upload.
    Own,
    /// Not read by any model loader; only for repositories, which contain more than a model.
    NotOfModel,
    /// Weights in another format, next to safetensors.
    OtherFormat,
    /// Matched by `--exclude`.
    Excluded,
    /// `--include` was given and does not match.
    NotIncluded,
}

impl fmt::Display for ExcludeReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default exclude",
            Self::MaySecret => "default exclude, may contain secrets",
            Self::Own => "this program's own files",
            Self::NotOfModel => "not needed for a model",
            Self::OtherFormat => "safetensors are used instead",
            Self::Excluded => "--exclude",
            Self::NotIncluded => "not in --include",
        })
    }
}

/// Selection of entries in a directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Selection {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    default_excludes: bool,
}

impl Default for Selection {
    /// Selects everything except the default excludes.
    fn default() -> Self {
        Self::new(Vec::new(), Vec::new(), true)
    }
}

impl Selection {
    /// Selects entries that match `include`, or everything if it is empty; without those that match `exclude`, and with
    /// `default_excludes` without files that never belong to a model.
    #[must_use]
    pub fn new(include: Vec<Pattern>, exclude: Vec<Pattern>, default_excludes: bool) -> Self {
        Self { include, exclude, default_excludes }
    }

    /// Patterns of `--include`.
    #[must_use]
    pub fn include(&self) -> &[Pattern] {
        &self.include
    }

    /// Patterns of `--exclude`.
    #[must_use]
    pub fn exclude(&self) -> &[Pattern] {
        &self.exclude
    }

    /// True if files that never belong to a model are excluded.
    #[must_use]
    pub fn has_default_excludes(&self) -> bool {
        self.default_excludes
    }

    /// First given pattern: it requires the source to be a directory.
    pub(crate) fn first_pattern(&self) -> Option<&Pattern> {
        self.include.iter().chain(&self.exclude).next()
    }

    /// Reason why a file never belongs to a model, according to its name or a parent folder; `None` if it may, or if
    /// such files are included.
    pub(crate) fn default_reason(&self, path: &str) -> Option<ExcludeReason> {
        if !self.default_excludes {
            return None;
        }
        let mut parents = path.match_indices('/').map(|(at, _)| &path[..at]);
        parents.find_map(|parent| defaults::reason(parent, true)).or_else(|| defaults::reason(path, false))
    }

    /// True for a file that matches `--exclude`.
    pub(crate) fn excludes(&self, path: &str) -> bool {
        self.exclude.iter().any(|pattern| pattern.matches(path, false))
    }

    /// True for a file that matches `--include`, or for every file if that is empty.
    pub(crate) fn includes(&self, path: &str) -> bool {
        self.include.is_empty() || self.include.iter().any(|pattern| pattern.matches(path, false))
    }

    /// Reason to exclude this entry; `None` if it is included. A directory is included so that it is walked.
    pub(super) fn exclude_reason(&self, path: &str, is_directory: bool) -> Option<ExcludeReason> {
        let matches_any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(path, is_directory));
        let default = if self.default_excludes { defaults::reason(path, is_directory) } else { None };
        if default.is_some() {
            default
        } else if matches_any(&self.exclude) {
            Some(ExcludeReason::Excluded)
        } else if !is_directory && !self.include.is_empty() && !matches_any(&self.include) {
            Some(ExcludeReason::NotIncluded)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_their_documented_entries() {
        let table: [(&str, &[&str], &[&str]); 14] = [
            ("*.bin", &["a.bin", "sub/deep/b.bin"], &["a.bin.txt", "bin"]),
            ("config.json", &["config.json", "sub/config.json"], &["xconfig.json"]),
            ("/config.json", &["config.json"], &["sub/config.json"]),
            ("./config.json", &["config.json"], &["my-config.json"]),
            ("sub/*.json", &["sub/a.json"], &["sub/deep/a.json", "x/sub/a.json", "a.json"]),
            ("sub/**", &["sub/a", "sub/deep/b"], &["subs/a", "a"]),
            ("**/x/*.txt", &["x/a.txt", "y/x/a.txt"], &["x/y/a.txt"]),
            ("a?c", &["abc", "sub/axc"], &["ac", "a/c"]),
            ("[ab].txt", &["a.txt"], &["c.txt"]),
            ("*.{pt,pth}", &["a.pt", "b.pth"], &["c.pkl"]),
            ("sub", &["sub", "sub/a", "x/sub/a"], &["subs/a"]),
            ("sub/", &["sub/a", "x/sub/deep/a"], &["sub", "x/sub"]),
            ("/!a", &["!a"], &["a", "b"]),
            ("!a/b", &["!a/b"], &["a/b", "c"]),
        ];
        for (pattern, takes, leaves) in table {
            let pattern: Pattern = pattern.parse().expect("a pattern");
            for path in takes {
                assert!(pattern.matches(path, false), "{pattern} should match {path}");
            }
            for path in leaves {
                assert!(!pattern.matches(path, false), "{pattern} should not match {path}");
            }
        }
        let directory: Pattern = "sub/".parse().expect("a pattern");
        assert!(directory.matches("sub", true) && directory.matches("x/sub", true));
    }

    #[test]
    fn a_pattern_compares_names_as_the_file_system_does() {
        let is_match =
            |pattern: &str, platform, path| Pattern::parse(pattern, platform).expect("a glob").matches(path, false);
        for platform in [Platform::Linux, Platform::MacOs, Platform::Windows] {
            let any_case = platform != Platform::Linux;
            assert!(is_match("*.bin", platform, "sub/a.bin") && !is_match("*.bin", platform, "a.bix"));
            assert_eq!(is_match("*.BIN", platform, "sub/a.bin"), any_case, "{platform:?}");
            assert_eq!(is_match("Sub/[A-C]*", platform, "sub/Bert"), any_case, "{platform:?}");
            for (pattern, path) in [("u\u{308}*", "\u{fc}.bin"), ("\u{fc}*", "sub/u\u{308}.bin")] {
                assert!(is_match(pattern, platform, path), "{platform:?}");
            }
        }
        assert!(
            is_match(r"sub\*.bin", Platform::Windows, "sub/a.bin")
                && !is_match(r"sub\*.bin", Platform::Linux, "sub/a.bin")
        );
    }

    #[test]
    fn default_excludes_override_an_include_pattern() {
        let reason = |default_excludes| {
            let include = vec!["*.lock".parse().expect("a pattern"), ".env".parse().expect("a pattern")];
            let selection = Selection::new(include, Vec::new(), default_excludes);
            ["a.lock", ".env", "b"].map(|path| selection.exclude_reason(path, false))
        };
        let excluded = [ExcludeReason::Default, ExcludeReason::MaySecret, ExcludeReason::NotIncluded].map(Some);
        assert_eq!(reason(true), excluded);
        assert_eq!(reason(false), [None, None, Some(ExcludeReason::NotIncluded)]);
    }

    #[test]
    fn an_invalid_pattern_is_refused() {
        for text in ["", "/", "./", "[a", "{a,b", "a]b[", "**a{"] {
            assert!(text.parse::<Pattern>().is_err(), "{text}");
        }
    }

    #[test]
    fn glob_survives_mutation() {
        let seeds: [&[u8]; 4] = [b"**/*.{safetensors,json}", b"[a-z]*/?x/", b"!a/{b,{c,d}}\\*", b"checkpoint-*/**"];
        crate::fuzz::fuzz("glob", &seeds, |input| {
            let text = String::from_utf8_lossy(input);
            let (glob, path) = text.split_at(text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at));
            for glob in [&*text, glob] {
                if let Ok(pattern) = glob.parse::<Pattern>() {
                    let selection = Selection::new(vec![pattern.clone()], vec![pattern], true);
                    let _: Option<ExcludeReason> = selection.exclude_reason(path, false);
                }
            }
        });
    }
}
