//! The local model check: finds in moments what would make an upload of hours worthless.
//!
//! Reads headers, indexes and other JSON, never weights, so time and memory do not grow with their size. Knows no
//! network and changes nothing.

mod below;
mod documents;
mod gguf;
mod index;
mod json;
mod layout;
mod links;
mod looks;
mod safetensors;
mod series;
mod shards;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

pub use self::json::read as read_json;

use self::index::and_more;
use self::safetensors::{Fault, Header};
use crate::model::{FileKind, Finding, FindingCode, SourceFile, WeightType};
use crate::source::{PlanError, UploadSource};
use crate::units;

/// Sizes of a Git LFS pointer, in bytes: its specification allows less than 1,024.
const POINTER_BYTES: std::ops::RangeInclusive<u64> = 50..=1024;
/// More is no document of any model.
const DOCUMENT_LIMIT: u64 = 4 << 30;
const AGAIN: &str = "Download or save the file again.";
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
    let UploadSource::Local { directory, files, excluded, links, whole_directory } = source else {
        return Ok(Vec::new());
    };
    let weight_type = weight_type.unwrap_or_else(|| layout::derive(files));
    let mut check = Check { directory, files, weight_type, findings: Vec::new(), headers: BTreeMap::new() };
    for file in files.iter() {
        check.file(file)?;
    }
    if *whole_directory {
        check.findings.extend(layout::folder(files, weight_type));
        check.findings.extend(layout::unfinished(files, excluded));
        check.shards()?;
        check.findings.extend(links::outside(directory, links));
        below::advise(directory, files, weight_type, &mut check.findings);
    } else if let [file] = &files[..] {
        if !FileKind::of(&file.path).is_weights() {
            check.findings.push(layout::no_weights(&file.path, "the file holds no weights"));
        }
        let marks = layout::UNFINISHED.iter().map(|ending| format!("{}.{ending}", file.path));
        let mark = marks.into_iter().find(|mark| directory.join(mark).exists());
        check.findings.extend(mark.map(|mark| layout::unfinished_file(&file.path, &mark)));
    }
    Ok(sorted(check.findings))
}

/// A walk that failed, as findings; none for what is no fault of the files.
#[must_use]
pub fn of_walk(error: &PlanError) -> Vec<Finding> {
    let PlanError::Several(faults) = error else { return of_fault_of_walk(error).into_iter().collect() };
    let findings: Vec<Finding> = faults.iter().filter_map(of_fault_of_walk).collect();
    if findings.is_empty() {
        return findings;
    }
    sorted(findings.into_iter().chain(faults.iter().filter_map(of_unreadable)).collect())
}

/// What cannot be read is told among other findings, and is no finding where it is all.
fn of_unreadable(error: &PlanError) -> Option<Finding> {
    let PlanError::Unreadable { path, .. } = error else { return None };
    let remedy = "Change its permissions, or omit it with --exclude.";
    Some(Finding::error(FindingCode::Unreadable, &path.display().to_string(), error.to_string(), remedy))
}

fn of_fault_of_walk(error: &PlanError) -> Option<Finding> {
    let (code, path, remedy) = match error {
        PlanError::Empty { path, excluded: 0, .. } => {
            (FindingCode::EmptySource, path.display().to_string(), "Give the folder that holds the weights.".into())
        }
        PlanError::Empty { path, excluded, .. } => {
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
        PlanError::NotFound(_)
        | PlanError::Unreadable { .. }
        | PlanError::NothingToSelect(_)
        | PlanError::Several(_) => {
            return None;
        }
    };
    Some(Finding::error(code, &path, error.to_string(), remedy))
}

struct Check<'a> {
    directory: &'a Path,
    files: &'a [SourceFile],
    weight_type: WeightType,
    findings: Vec<Finding>,
    /// Keys of the tensors by file.
    headers: BTreeMap<String, Vec<u64>>,
}

impl Check<'_> {
    /// What one file tells, whatever lies beside it.
    fn file(&mut self, planned: &SourceFile) -> Result<(), CheckError> {
        let path = &planned.path;
        let start = if POINTER_BYTES.contains(&planned.bytes) || (planned.bytes > 0 && looks::is_looked_at(path)) {
            self.read(planned, |file| start(file, planned.bytes))?
        } else {
            Vec::new()
        };
        if POINTER_BYTES.contains(&planned.bytes) && looks::is_pointer(&start) {
            self.findings.push(Finding::error(
                FindingCode::LfsPointer,
                path,
                "the file is a git-LFS or git-xet pointer, not the file itself",
                "Run 'git lfs pull' in the model's repository, or download the file.",
            ));
            return Ok(());
        }
        self.findings.extend(layout::file(planned));
        if let Some(shape) = documents::shape(path) {
            return self.document(planned, shape);
        }
        if let Some(what) = looks::wrong(path, &start) {
            self.findings.push(Finding::error(FindingCode::BadHeader, path, format!("the file {what}"), AGAIN));
        } else if planned.bytes > 0 {
            self.header(planned)?;
        }
        Ok(())
    }

    /// A file that has to be JSON.
    fn document(&mut self, planned: &SourceFile, shape: documents::Shape) -> Result<(), CheckError> {
        let path = &planned.path;
        if planned.bytes > DOCUMENT_LIMIT {
            let what = "the file is too large for a document of a model";
            self.findings.push(Finding::error(FindingCode::InvalidConfig, path, what, AGAIN));
            return Ok(());
        }
        let mut found = self.read(planned, |file| documents::look(path, shape, file))?;
        if found.is_none() && self.weight_type == WeightType::LoRA && *path == layout::ADAPTER_CONFIG {
            found = self.read(planned, |file| documents::peft_type(path, file))?;
        }
        self.findings.extend(found);
        Ok(())
    }

    /// Weights whose header tells what they hold.
    fn header(&mut self, planned: &SourceFile) -> Result<(), CheckError> {
        let path = &planned.path;
        match FileKind::of(path) {
            FileKind::Safetensors => {
                let header = self.read(planned, |file| safetensors::read(file, planned.bytes))?;
                self.judged(path, header);
            }
            FileKind::Gguf => {
                let fault = self.read(planned, |file| gguf::read(file, planned.bytes))?;
                // The first part of a split model may hold its metadata alone.
                let is_part = || !series::series(std::iter::once(path.as_str())).is_empty();
                let fault = fault.filter(|fault| *fault != gguf::Fault::NoTensors || !is_part());
                self.findings.extend(fault.map(|fault| match fault {
                    gguf::Fault::Truncated { size, needed } => truncated(path, size, needed),
                    gguf::Fault::BadHeader(what) => {
                        Finding::error(FindingCode::BadHeader, path, format!("the file {what}"), AGAIN)
                    }
                    gguf::Fault::NoTensors => no_tensors(path),
                }));
            }
            _ => {}
        }
        Ok(())
    }

    fn judged(&mut self, path: &str, header: Header) {
        self.findings.extend(header.faults.iter().map(|fault| of_fault(path, fault)));
        if let Some(tensors) = header.tensors {
            self.headers.insert(path.to_owned(), tensors);
        }
    }

    fn has_finding(&self, code: FindingCode, file: &str) -> bool {
        self.findings.iter().any(|finding| finding.code == code && finding.file == file)
    }

    fn read<T>(&self, planned: &SourceFile, how: impl FnOnce(&mut File) -> io::Result<T>) -> Result<T, CheckError> {
        let path = planned.path.below(self.directory);
        File::open(&path).and_then(|mut file| how(&mut file)).map_err(|why| CheckError { path, why })
    }
}

/// The first bytes of a file, of which the plan knows the size: most are read at once.
fn start(file: &mut File, planned: u64) -> io::Result<Vec<u8>> {
    let mut start = vec![0; usize::try_from(planned).map_or(looks::LOOKED_AT, |size| size.min(looks::LOOKED_AT))];
    let mut filled = 0;
    while filled < start.len() {
        match file.read(&mut start[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    start.truncate(filled);
    Ok(start)
}

fn truncated(path: &str, size: u64, needed: u64) -> Finding {
    let (size, needed) = (units::grouped(size), units::grouped(needed));
    let what = format!("the file is cut off: it has {size} of {needed} bytes");
    Finding::error(FindingCode::TruncatedShard, path, what, AGAIN)
}

fn no_tensors(path: &str) -> Finding {
    let what = "the file holds no tensor with data: loaded, it changes nothing";
    let remedy = "Save the weights again. DeepSpeed ZeRO-3 writes such files unless the weights are gathered first.";
    Finding::error(FindingCode::NoTensors, path, what, remedy)
}

fn of_fault(path: &str, fault: &Fault) -> Finding {
    match fault {
        Fault::Truncated { size, needed } => truncated(path, *size, *needed),
        Fault::NoTensors => no_tensors(path),
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
