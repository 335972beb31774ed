//! The local model check: finds in moments what would make an upload of hours worthless.
//!
//! Reads headers, indexes and `config.json`, never weights, so time and memory do not grow with their size. Knows no
//! network and changes nothing.

mod index;
mod layout;
mod links;
mod safetensors;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use self::index::{Index, and_more};
use self::safetensors::{Fault, Header};
use crate::model::{FileKind, Finding, FindingCode, SourceFile, WeightType};
use crate::source::{PlanError, UploadSource};
use crate::units;

/// A pointer is shorter (git-lfs, docs/spec.md), and its first line is this.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";
const POINTER_BYTES: std::ops::RangeInclusive<u64> = 100..=1024;
/// More is no configuration, and no index of any model.
const CONFIG_LIMIT: u64 = 16 << 20;
const INDEX_LIMIT: u64 = 100 << 20;
/// So many warnings of one code are told one by one; the last one counts the rest.
const TOLD_WARNINGS: usize = 20;

/// A file that the check cannot read.
#[derive(Debug, Error)]
#[error("cannot read {}: {why}", .path.display())]
pub struct CheckError {
    /// The file.
    pub path: PathBuf,
    /// The system's words.
    pub why: io::Error,
}

/// The weight type by which a plan is judged when nobody named one; `None` for a remote source.
#[must_use]
pub fn weight_type(source: &UploadSource) -> Option<WeightType> {
    match source {
        UploadSource::Local { files, .. } => Some(layout::derive(files)),
        UploadSource::Remote { .. } => None,
    }
}

/// Looks for what is wrong with the planned files, errors first. A remote source is not looked at.
///
/// # Errors
/// When a file cannot be read.
pub fn check(source: &UploadSource, weight_type: Option<WeightType>) -> Result<Vec<Finding>, CheckError> {
    let UploadSource::Local { directory, files, links, whole_directory, .. } = source else { return Ok(Vec::new()) };
    let mut check = Check { directory, files, findings: Vec::new(), headers: BTreeMap::new() };
    for file in files.iter() {
        check.file(file)?;
    }
    if *whole_directory {
        let weight_type = weight_type.unwrap_or_else(|| layout::derive(files));
        check.findings.extend(layout::folder(files, weight_type));
        check.config(weight_type)?;
        check.shards()?;
        check.findings.extend(links::outside(directory, links));
    } else if let [file] = &files[..]
        && !FileKind::of(&file.path).is_weights()
    {
        check.findings.push(layout::no_weights(&file.path, "the file holds no weights"));
    }
    Ok(sorted(check.findings))
}

/// A walk that failed, as a finding; `None` for what is no fault of the files.
#[must_use]
pub fn of_walk(error: &PlanError) -> Option<Finding> {
    let (code, path, remedy) = match error {
        PlanError::Empty { path, excluded: 0 } => {
            (FindingCode::EmptySource, path.display().to_string(), "Give the folder that holds the weights.".into())
        }
        PlanError::Empty { path, excluded } => {
            let count = units::count(*excluded as u64, "path", "paths");
            (FindingCode::EmptySource, path.display().to_string(), format!("All that is there is left out ({count})."))
        }
        PlanError::LinkLoop(path) => (FindingCode::LinkLoop, path.display().to_string(), "Remove the link.".into()),
        PlanError::BrokenLink(path) => (
            FindingCode::BrokenLink,
            path.display().to_string(),
            "Remove the link, or bring back what it points to.".into(),
        ),
        PlanError::SpecialFile(path) => {
            (FindingCode::SpecialFile, path.display().to_string(), "Remove it from the source.".into())
        }
        PlanError::BadName { name, fault } => (FindingCode::BadFileName, name.clone(), fault.remedy().into()),
        PlanError::NotUnicode(path) => {
            (FindingCode::BadFileName, path.display().to_string(), "Rename the file.".into())
        }
        PlanError::NotFound(_) | PlanError::Unreadable { .. } | PlanError::NothingToSelect(_) => return None,
    };
    Some(Finding::error(code, &path, error.to_string(), remedy))
}

struct Check<'a> {
    directory: &'a Path,
    files: &'a [SourceFile],
    findings: Vec<Finding>,
    /// Keys of the tensors by file.
    headers: BTreeMap<String, Vec<u64>>,
}

impl Check<'_> {
    /// What one file tells, whatever stands beside it.
    fn file(&mut self, planned: &SourceFile) -> Result<(), CheckError> {
        if POINTER_BYTES.contains(&planned.bytes) && self.is_pointer(planned)? {
            self.findings.push(Finding::error(
                FindingCode::LfsPointer,
                &planned.path,
                "the file is a git-LFS pointer, not the file itself",
                "Run 'git lfs pull' in the model's repository, or download the file.",
            ));
            return Ok(());
        }
        self.findings.extend(layout::file(planned));
        if FileKind::of(&planned.path) == FileKind::Safetensors && planned.bytes > 0 {
            let header = self.read(planned, |file| safetensors::read(file, planned.bytes))?;
            self.judged(&planned.path, header);
        }
        Ok(())
    }

    fn judged(&mut self, path: &str, header: Header) {
        self.findings.extend(header.faults.iter().map(|fault| of_fault(path, fault)));
        if let Some(tensors) = header.tensors {
            self.headers.insert(path.to_owned(), tensors);
        }
    }

    fn is_pointer(&self, planned: &SourceFile) -> Result<bool, CheckError> {
        let mut start = [0; POINTER.len()];
        self.read(planned, |file| file.read_exact(&mut start).map(|()| start == POINTER))
    }

    /// `config.json` is an object.
    fn config(&mut self, weight_type: WeightType) -> Result<(), CheckError> {
        let Some(config) = self.files.iter().find(|file| file.path == layout::CONFIG) else { return Ok(()) };
        if weight_type == WeightType::LoRA || self.has_finding(FindingCode::LfsPointer, &config.path) {
            return Ok(());
        }
        let invalid = match self.json(config, CONFIG_LIMIT)? {
            None => Some("the file is too large for a configuration".to_owned()),
            Some(json) => match serde_json::from_slice::<HashMap<String, serde::de::IgnoredAny>>(&json) {
                Ok(_) => None,
                Err(error) => Some(format!("the file cannot be read: {error}")),
            },
        };
        self.findings.extend(invalid.map(|what| {
            Finding::error(FindingCode::InvalidConfig, &config.path, what, "Download or save the file again.")
        }));
        Ok(())
    }

    /// What is missing of sharded weights, by every index and by the names that count.
    fn shards(&mut self) -> Result<(), CheckError> {
        let paths: HashSet<&str> = self.files.iter().map(|file| file.path.as_str()).collect();
        let mut missing =
            index::missing_by_name(self.files.iter().map(|file| file.path.as_str()), |path| paths.contains(path));
        for file in self.files.iter().filter(|file| index::is_index(&file.path)) {
            if self.has_finding(FindingCode::LfsPointer, &file.path) {
                continue;
            }
            if file.bytes > INDEX_LIMIT {
                self.findings.push(index::invalid(&file.path, "the file is too large for an index"));
                continue;
            }
            let mut found = Vec::new();
            let index = self.read(file, |json| Ok(Index::parse(&file.path, BufReader::new(json), &mut found)))?;
            if let Some(index) = index {
                missing.extend(index.missing(|path| paths.contains(path)));
                found.extend(self.read(file, |json| Ok(index.compare(&self.headers, BufReader::new(json))))?);
            }
            self.findings.extend(found);
        }
        self.findings.extend(missing.into_iter().map(|(shard, what)| {
            let remedy = "Download or save the file again; see also that --include and --exclude do not leave it out.";
            Finding::error(FindingCode::MissingShard, &shard, what, remedy)
        }));
        Ok(())
    }

    fn has_finding(&self, code: FindingCode, file: &str) -> bool {
        self.findings.iter().any(|finding| finding.code == code && finding.file == file)
    }

    /// A whole small file; `None` when it is larger than that.
    fn json(&self, planned: &SourceFile, limit: u64) -> Result<Option<Vec<u8>>, CheckError> {
        if planned.bytes > limit {
            return Ok(None);
        }
        self.read(planned, |file| {
            let mut text = Vec::new();
            file.take(limit).read_to_end(&mut text).map(|_| Some(text))
        })
    }

    fn read<T>(&self, planned: &SourceFile, how: impl FnOnce(&mut File) -> io::Result<T>) -> Result<T, CheckError> {
        let path = planned.path.below(self.directory);
        File::open(&path).and_then(|mut file| how(&mut file)).map_err(|why| CheckError { path, why })
    }
}

fn of_fault(path: &str, fault: &Fault) -> Finding {
    const AGAIN: &str = "Download or save the file again.";
    match fault {
        Fault::Truncated { size, needed } => {
            let (size, needed) = (units::grouped(*size), units::grouped(*needed));
            let what = format!("the file is cut off: it has {size} of {needed} bytes");
            Finding::error(FindingCode::TruncatedShard, path, what, AGAIN)
        }
        Fault::Trailing { extra } => {
            let count = units::count(*extra, "byte", "bytes");
            Finding::error(
                FindingCode::TrailingData,
                path,
                format!("the file has {count} after its last tensor"),
                AGAIN,
            )
        }
        Fault::BadHeader(why) => Finding::error(
            FindingCode::BadHeader,
            path,
            format!("the file is no safetensors file: its header {why}"),
            AGAIN,
        ),
        Fault::BadOffsets { why, more } => {
            let more = and_more(*more, "fault like it", "faults like it");
            Finding::error(FindingCode::BadOffsets, path, format!("the header is wrong: {why}{more}"), AGAIN)
        }
        Fault::UnknownDtype { tensor, dtype, more } => {
            let more = and_more(*more, "tensor", "tensors");
            let what = format!("the file holds the tensor '{tensor}' of the unknown type {dtype}{more}");
            let remedy = "See whether the service takes weights of that type.";
            Finding::warning(FindingCode::UnknownDtype, path, what, remedy)
        }
    }
}

/// Errors first, then by code and file; of many equal warnings the first ones.
fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|left, right| (left.level, left.code, &left.file).cmp(&(right.level, right.code, &right.file)));
    let mut told = Vec::new();
    for group in findings.chunk_by(|left, right| (left.level, left.code) == (right.level, right.code)) {
        let most = if group[0].is_error() { group.len() } else { TOLD_WARNINGS };
        told.extend(group.iter().take(most).cloned());
        if let Some(last) = told.last_mut() {
            last.message += &and_more(group.len().saturating_sub(most), "file like it", "files like it");
        }
    }
    told
}
