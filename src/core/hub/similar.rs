//! Suggestions for a mistyped name. Pure.

use crate::model::file_name;

/// Maximum number of suggested names.
const MAX_SIMILAR: usize = 3;
/// Maximum length of names that are compared letter by letter.
const MAX_LENGTH: usize = 256;

/// Returns the files and folders whose names are most similar to this path, the most similar first.
pub(super) fn similar_paths<'a>(wanted: &str, paths: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<&str> = Vec::new();
    for path in paths {
        names.push(path);
        names.extend(path.match_indices('/').map(|(at, _)| &path[..at]));
    }
    names.sort_unstable();
    names.dedup();
    let mut ranked: Vec<(usize, &str)> =
        names.into_iter().filter_map(|name| Some((similarity_rank(wanted, name)?, name))).collect();
    ranked.sort_unstable();
    ranked.into_iter().take(MAX_SIMILAR).map(|(_, name)| name.to_owned()).collect()
}

/// Distance of a name from the wanted one; `None` if it is too large.
fn similarity_rank(wanted: &str, name: &str) -> Option<usize> {
    let (left, right) = (wanted.to_lowercase(), name.to_lowercase());
    if left == right {
        return Some(0);
    }
    if file_name(&left) == file_name(&right) {
        return Some(1);
    }
    if left.len().max(right.len()) > MAX_LENGTH {
        return None;
    }
    let distance = distance(&left, &right);
    let length = left.chars().count();
    let most = (length / 3).max(2).min(length.saturating_sub(1));
    (distance <= most).then_some(distance + 1)
}

/// Levenshtein distance.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, one) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, other) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(one != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_has_suggestions() {
        let paths = ["config.json", "fp8/model.safetensors", "model.safetensors", "onnx/model.onnx", "README.md"];
        for (wanted, names) in [
            ("Config.json", &["config.json"][..]),
            ("confg.json", &["config.json"]),
            ("sub/model.safetensors", &["fp8/model.safetensors", "model.safetensors"]),
            ("fp16", &["fp8"]),
            ("onx", &["onnx"]),
            ("weights", &[]),
        ] {
            assert_eq!(similar_paths(wanted, paths.into_iter()), names, "{wanted}");
        }
    }
}
