//! Globs of `--include` and `--exclude` that match nothing: misspelled, or with the separators of another program.
//! Pure.

use std::fmt;

use super::Excluded;
use super::selection::{ExcludeReason, Pattern, Selection};
use crate::model::SourceFile;

/// A glob that matches nothing in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnmatchedGlob {
    option: &'static str,
    glob: String,
}

impl fmt::Display for UnmatchedGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { option, glob } = self;
        write!(f, "{option} '{glob}' matches nothing in the source.")?;
        let is_ending = glob.starts_with('.') && !glob.contains(['*', '/']);
        if glob.contains([';', ',']) && !glob.contains('{') {
            f.write_str(" Give one glob per option.")
        } else if is_ending {
            write!(f, " For all files with that ending: {option} '*{glob}'")
        } else {
            Ok(())
        }
    }
}

/// Globs of the selection that match neither a planned file nor an excluded entry.
pub(crate) fn unmatched(selection: &Selection, files: &[SourceFile], excluded: &[Excluded]) -> Vec<UnmatchedGlob> {
    let matches = |pattern: &Pattern| {
        let is_left_out = |entry: &Excluded| {
            let path = entry.path.trim_end_matches('/');
            pattern.matches(path, path.len() < entry.path.len())
        };
        files.iter().any(|file| pattern.matches(&file.path, false)) || excluded.iter().any(is_left_out)
    };
    // The content of an excluded directory is not walked.
    let is_hidden = |pattern: &Pattern| {
        let text = pattern.to_string();
        let text = text.strip_prefix("./").or(text.strip_prefix('/')).unwrap_or(&text).to_owned();
        let mut directories = excluded.iter().filter(|entry| entry.path.ends_with('/'));
        directories.any(|entry| entry.reason != ExcludeReason::NotIncluded && text.starts_with(&entry.path))
    };
    let of = |option, patterns: &[Pattern]| -> Vec<UnmatchedGlob> {
        let without = patterns.iter().filter(|pattern| !matches(pattern) && !is_hidden(pattern));
        without.map(|pattern| UnmatchedGlob { option, glob: pattern.to_string() }).collect()
    };
    [of("--include", selection.include()), of("--exclude", selection.exclude())].concat()
}
