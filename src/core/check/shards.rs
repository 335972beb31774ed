//! Sharded weights: missing, unused and duplicate files. An index defines the set; without one, numbered names do.

use std::collections::BTreeMap;
use std::io::BufReader;

use super::index::{self, Index, and_more};
use super::layout::WHOLE_SOURCE;
use super::series::{Series, series};
use super::{Check, CheckError, safetensors};
use crate::model::{FileKind, Finding, FindingCode, SourceFile, file_name};
use crate::platform::Platform;
use crate::units;

/// Maximum size of an index, in bytes.
const INDEX_LIMIT: u64 = 4 << 30;
/// Directories in which some publishers ship a second copy of their weights.
const SECOND_COPIES: [&str; 2] = ["original/", "metal/"];

impl Check<'_> {
    /// Checks the shards, according to every index and the numbered names.
    pub(super) fn shards(&mut self) -> Result<(), CheckError> {
        let files = self.files;
        // The files of a plan are sorted by name.
        let exists = |path: &str| files.binary_search_by(|file| file.path.as_str().cmp(path)).is_ok();
        let indexes = self.indexes()?;
        let series = series(files.iter().map(|file| file.path.as_str()));
        let mut missing: BTreeMap<String, String> = BTreeMap::new();
        let mut groups: Vec<Vec<&str>> = Vec::new();
        for series in series.iter().filter(|series| !indexes.iter().any(|index| covers(index, series))) {
            let gaps: Vec<_> = series.missing().collect();
            if gaps.is_empty() && series.needs_index() && !has_index(files, series) {
                self.findings.push(without_index(series));
            }
            missing.extend(gaps);
            groups.push(series.files.values().copied().collect());
        }
        for index in &indexes {
            let similar = |shard: &str| {
                let folded = Platform::Windows.fold_name(shard);
                let mut paths = files.iter().map(|file| file.path.as_str());
                paths.find(|path| Platform::Windows.fold_name(path) == folded)
            };
            missing.extend(index.missing(exists, similar));
            if index.has_more(&self.headers) {
                groups.push(index.shards().collect());
            }
        }
        self.findings.extend(missing.into_iter().map(|(shard, what)| {
            let suggestion =
                "Download or save the file again. Also check that --include and --exclude do not exclude it.";
            Finding::error(FindingCode::MissingShard, &shard, what, suggestion)
        }));
        for group in &groups {
            self.duplicates(group)?;
        }
        self.findings.extend(unused(files, &indexes));
        Ok(())
    }

    /// Parses the indexes, and compares each with its shards.
    fn indexes(&mut self) -> Result<Vec<Index>, CheckError> {
        let mut indexes = Vec::new();
        for file in self.files.iter().filter(|file| index::is_index(&file.path)) {
            if self.has_finding(FindingCode::LfsPointer, &file.path) {
                continue;
            }
            if file.bytes > INDEX_LIMIT {
                self.findings.push(index::invalid(&file.path, "the file is too large for an index"));
                continue;
            }
            let mut found = Vec::new();
            let index = self.read(file, |bytes| Index::parse(&file.path, bytes, &mut found))?;
            if let Some(index) = index {
                found.extend(self.read(file, |bytes| index.compare(&self.headers, bytes))?);
                indexes.push(index);
            }
            self.findings.extend(found);
        }
        Ok(indexes)
    }

    /// Finds tensors that are in more than one of these files.
    fn duplicates(&mut self, group: &[&str]) -> Result<(), CheckError> {
        let mut keys: Vec<(u64, &str)> = Vec::new();
        for path in group {
            keys.extend(self.headers.get(*path).into_iter().flatten().map(|key| (*key, *path)));
        }
        keys.sort_unstable();
        let twice: Vec<_> = keys.windows(2).filter(|pair| pair[0].0 == pair[1].0).collect();
        let Some([(key, first), (_, second)]) = twice.first() else { return Ok(()) };
        let Some(file) = self.files.iter().find(|file| file.path == **second) else { return Ok(()) };
        let name = self.read(file, |bytes| safetensors::name_of(&mut BufReader::new(bytes), *key))?.unwrap_or_default();
        let more = and_more(twice.len() - 1, "tensor", "tensors");
        let what = format!("the tensor '{name}'{more} is in {first} too; which one is used depends on the loader");
        let suggestion = "Save the model again to an empty directory, or use the index and shards of one model.";
        self.findings.push(Finding::warning(FindingCode::DuplicateTensor, second, what, suggestion));
        Ok(())
    }
}

/// Weights under several names in the root directory, of which a loader reads one: `model.safetensors` and its `fp16`
/// variant. Unnumbered names may be parts of one set that their index lists.
pub(super) fn multiple_weight_files(files: &[SourceFile]) -> Option<Finding> {
    let at_root = |file: &&SourceFile| {
        FileKind::of(&file.path) == FileKind::Safetensors
            && !file.path.contains('/')
            && !file.path.starts_with("adapter_model")
    };
    let roots: Vec<&str> = files.iter().filter(at_root).map(|file| file.path.as_str()).collect();
    let counted = series(roots.iter().copied());
    let is_counted = |path: &&&str| counted.iter().any(|series| series.files.values().any(|one| one == *path));
    let single: Vec<&&str> = roots.iter().filter(|path| !is_counted(path)).collect();
    let has_index = files.iter().any(|file| index::is_index(&file.path) && !file.path.contains('/'));
    let names: Vec<String> = counted
        .iter()
        .map(|series| format!("{}-...{}", series.stem, series.ending))
        .chain(single.iter().map(|path| (**path).to_owned()))
        .collect();
    if names.len() < 2 || (counted.is_empty() && has_index) {
        return None;
    }
    let what = format!("more than one set of weights found, and all are included: {}", names.join(", "));
    let suggestion =
        "Select one with --include, which replaces the default selection, or exclude the others with --exclude.";
    Some(Finding::warning(FindingCode::SeveralWeights, WHOLE_SOURCE, what, suggestion))
}

/// True if the index lists the files of the series.
fn covers(index: &Index, series: &Series<'_>) -> bool {
    let is_for_it = index::stem(index.path()) == Some(series.stem) && index.shards().next().is_some();
    is_for_it || series.files.values().any(|path| index.names(path))
}

/// True if there is an index in the folder of the series, even one that cannot be parsed.
fn has_index(files: &[SourceFile], series: &Series<'_>) -> bool {
    files.iter().any(|file| index::stem(&file.path).is_some_and(|stem| folder(stem) == folder(series.stem)))
}

fn without_index(series: &Series<'_>) -> Finding {
    let first = series.files.values().next().copied().unwrap_or_default();
    let ending = if FileKind::of(first) == FileKind::Safetensors { "safetensors" } else { "bin" };
    let stem = series.stem.strip_suffix(".safetensors").unwrap_or(series.stem);
    let count = units::count(series.files.len() as u64, "shard", "shards");
    let what = format!("{stem}.{ending}.index.json not found; its {count} cannot be loaded without it");
    let suggestion =
        "Add the index that was saved with the shards. Also check that --include and --exclude do not exclude it.";
    Finding::warning(FindingCode::MissingIndex, first, what, suggestion)
}

/// Finds uploaded weights that no model loader reads.
fn unused(files: &[SourceFile], indexes: &[Index]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| FileKind::of(&file.path).is_weights() && file.bytes > 0) {
        let size = units::bytes(file.bytes);
        let why = if is_second_copy(file, files) {
            format!("the file contains the weights of the other files again, and its {size} are uploaded too")
        } else if let Some(index) = not_named(file, indexes) {
            format!("{index} does not list the file, so loaders do not read it, but its {size} are uploaded too")
        } else {
            continue;
        };
        let suggestion = "Exclude it with --exclude if it is from an older save or a second copy.";
        findings.push(Finding::warning(FindingCode::UnusedWeights, &file.path, why, suggestion));
    }
    findings
}

/// True for weights in the format of a publisher, next to those that libraries load.
fn is_second_copy(file: &SourceFile, files: &[SourceFile]) -> bool {
    let is_consolidated = |path: &str| file_name(path).starts_with("consolidated");
    let is_first_copy = |other: &SourceFile, kind: FileKind| {
        FileKind::of(&other.path) == kind
            && !is_consolidated(&other.path)
            && !file_name(&other.path).starts_with("adapter_model")
    };
    if is_consolidated(&file.path) && FileKind::of(&file.path) == FileKind::Safetensors {
        let here = folder(&file.path);
        return files.iter().any(|other| folder(&other.path) == here && is_first_copy(other, FileKind::Safetensors));
    }
    SECOND_COPIES.iter().any(|directory| file.path.starts_with(directory))
        && files.iter().any(|other| folder(&other.path).is_empty() && is_first_copy(other, FileKind::Safetensors))
}

/// Index next to a file that is of the kind of its shards but not listed in it.
fn not_named<'a>(file: &SourceFile, indexes: &'a [Index]) -> Option<&'a str> {
    let kind = FileKind::of(&file.path);
    let name = file_name(&file.path);
    // Trainers store other data in pickles.
    let may_be_shard = match kind {
        FileKind::Safetensors => !name.starts_with("adapter_model"),
        FileKind::Pickle => name.starts_with("pytorch_model"),
        _ => false,
    };
    let beside = |index: &&Index| {
        folder(index.path()) == folder(&file.path) && index.shards().any(|shard| FileKind::of(shard) == kind)
    };
    let is_named = indexes.iter().any(|index| index.names(&file.path));
    if !may_be_shard || is_named { None } else { indexes.iter().find(beside).map(Index::path) }
}

/// Directory of a path, with its trailing slash.
fn folder(path: &str) -> &str {
    &path[..path.len() - file_name(path).len()]
}
