//! Numbered shards, such as `model-00001-of-00003.safetensors`. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{FileKind, file_name};
use crate::units;

/// Maximum number of shards: larger numbers in names count something else.
const MAX_SHARDS: u32 = 10_000;
/// Minimum number of digits that mark a shard number in any name; fewer count only in names of weights.
const SURE_DIGITS: usize = 5;

/// Files numbered up to the same total.
#[derive(Debug)]
pub(super) struct Series<'a> {
    /// Path before the number: `sub/model`.
    pub(super) stem: &'a str,
    total: &'a str,
    /// Path after the total: `.safetensors`.
    pub(super) ending: &'a str,
    /// Files by number.
    pub(super) files: BTreeMap<u32, &'a str>,
    /// Digits of a zero-padded number; 0 without padding.
    width: usize,
}

/// Finds the series among the files.
pub(super) fn series<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<Series<'a>> {
    let mut found: BTreeMap<(&str, &str, &str), Series<'a>> = BTreeMap::new();
    for path in paths {
        let Some((stem, number, total, ending)) = counted(path) else { continue };
        let width = if number.len() >= SURE_DIGITS || number.starts_with('0') { number.len() } else { 0 };
        let series = found.entry((stem, total, ending)).or_insert_with(|| Series {
            stem,
            total,
            ending,
            files: BTreeMap::new(),
            width,
        });
        series.width = series.width.max(width);
        if let Ok(number) = number.parse() {
            series.files.insert(number, path);
        }
    }
    found.into_values().collect()
}

impl Series<'_> {
    /// Missing shards, each with a message.
    pub(super) fn missing(&self) -> impl Iterator<Item = (String, String)> + '_ {
        let count = self.total.parse().ok().filter(|count| *count <= MAX_SHARDS).unwrap_or(0);
        let first = u32::from(!self.files.contains_key(&0));
        let numbers: BTreeSet<u32> = (first..first + count).collect();
        numbers.into_iter().filter(|number| !self.files.contains_key(number)).map(move |number| {
            let Self { stem, total, ending, width, .. } = self;
            let message = format!(
                "the file does not exist, but the other names count {}",
                units::count(count.into(), "file", "files")
            );
            (format!("{stem}-{number:0width$}-of-{total}{ending}"), message)
        })
    }

    /// True for weights that are loaded through an index.
    pub(super) fn needs_index(&self) -> bool {
        let path = self.files.values().next().copied().unwrap_or_default();
        FileKind::of(path) == FileKind::Safetensors
            || (self.ending.ends_with(".bin") && FileKind::of(path).is_weights())
    }
}

/// Splits `model-00001-of-00003.safetensors` into `model`, `00001`, `00003` and `.safetensors`.
fn counted(path: &str) -> Option<(&str, &str, &str, &str)> {
    let name_at = path.len() - file_name(path).len();
    let name = path.get(name_at..)?;
    // Searching for a word costs more than searching for a letter, which most of 100,000 names do not contain.
    let of = name_at + name.contains('-').then(|| name.rfind("-of-"))??;
    let (stem, number) = path[..of].rsplit_once('-').filter(|(stem, _)| stem.len() > name_at)?;
    let rest = &path[of + "-of-".len()..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (total, ending) = rest.split_at(digits);
    let is_number = |text: &str| (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_sure = number.len() >= SURE_DIGITS && total.len() >= SURE_DIGITS && ending.starts_with('.');
    let is_weights = (ending.is_empty() || ending.starts_with('.')) && FileKind::of(path).is_weights();
    (is_number(number) && is_number(total) && (is_sure || is_weights)).then_some((stem, number, total, ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_found_in_every_numbering_scheme() {
        let table: [(&[&str], &[&str]); 9] = [
            (&["m-00001-of-00003.gguf", "m-00003-of-00003.gguf"], &["m-00002-of-00003.gguf"]),
            (
                &["model-00001-of-000003.safetensors", "model-00003-of-000003.safetensors"],
                &["model-00002-of-000003.safetensors"],
            ),
            (&["model-1-of-3.safetensors", "model-3-of-3.safetensors"], &["model-2-of-3.safetensors"]),
            (
                &["s/model-9-of-11.safetensors", "s/model-10-of-11.safetensors"],
                &[
                    "s/model-1-of-11.safetensors",
                    "s/model-2-of-11.safetensors",
                    "s/model-3-of-11.safetensors",
                    "s/model-4-of-11.safetensors",
                    "s/model-5-of-11.safetensors",
                    "s/model-6-of-11.safetensors",
                    "s/model-7-of-11.safetensors",
                    "s/model-8-of-11.safetensors",
                    "s/model-11-of-11.safetensors",
                ],
            ),
            (&["model.safetensors-00001-of-00002"], &["model.safetensors-00002-of-00002"]),
            (&["m-00001-of-00002.fp16.safetensors"], &["m-00002-of-00002.fp16.safetensors"]),
            (&["m-00000-of-00002.bin", "m-00001-of-00002.bin"], &[]),
            (&["m-01-of-02.bin"], &["m-02-of-02.bin"]),
            (
                &["page-1-of-3.txt", "1-of-3.bin", "x-of-3.bin", "a-1-of-2x.bin", "plain.bin", "m-00001-of-99999.bin"],
                &[],
            ),
        ];
        for (there, missing) in table {
            let found: BTreeSet<String> =
                series(there.iter().copied()).iter().flat_map(Series::missing).map(|(path, _)| path).collect();
            assert_eq!(found, missing.iter().map(|path| (*path).to_owned()).collect(), "{there:?}");
        }
    }
}
