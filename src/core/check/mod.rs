//! The model check: finds, within seconds, defects that would make hours of upload worthless.
//!
//! Reads headers, indexes and other JSON, never weights, so that time and memory do not grow with their size. Local
//! files and files on the Hub share one implementation and differ only in `content`. Changes nothing.

mod content;
mod documents;
mod gguf;
mod index;
mod json;
mod layout;
mod links;
mod nested;
mod reading;
mod safetensors;
mod series;
mod shards;
mod signature;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use thiserror::Error;
use tokio::runtime::Handle;

pub use self::json::read as read_json;

use self::content::{ContentSource, FileContent};
use self::index::and_more;
use self::reading::{FileFindings, PlannedFiles};
use crate::hub::{HubError, HubReader, HubSource};
use crate::model::{FileKind, FileList, Finding, FindingCode, SourceFile, WeightType};
use crate::source::{PlanError, UploadSource};
use crate::units;

const RESAVE_SUGGESTION: &str = "Download or save the file again.";
/// Maximum number of warnings with one code that are listed individually; the last one counts the rest.
const MAX_WARNINGS_PER_CODE: usize = 20;

/// Maximum number of files of the Hub that are read concurrently.
const CONCURRENT_FILES: usize = 16;

/// A file that the check cannot read.
#[derive(Debug, Error)]
pub enum CheckError {
    /// A file on this machine.
    #[error("cannot read {}: {why}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Message of the operating system.
        why: io::Error,
    },
    /// A file on the Hub.
    #[error(transparent)]
    Hub(HubError),
}

/// Weight type used for the check when none was given; `None` for a remote source.
#[must_use]
pub fn weight_type(source: &UploadSource) -> Option<WeightType> {
    match source {
        UploadSource::Local { files, .. } => Some(layout::derive(files)),
        UploadSource::Hub(hub) => Some(layout::derive(hub.list())),
        UploadSource::Remote { .. } => None,
    }
}

/// Checks the planned files on this machine, errors first. Other sources are not checked.
///
/// # Errors
/// When a file cannot be read.
pub fn check(source: &UploadSource, weight_type: Option<WeightType>) -> Result<Vec<Finding>, CheckError> {
    let UploadSource::Local { directory, files, excluded, links, whole_directory } = source else {
        return Ok(Vec::new());
    };
    let weight_type = weight_type.unwrap_or_else(|| layout::derive(files));
    let reading = PlannedFiles { contents: ContentSource::Directory(directory.clone()), weight_type };
    let mut check = Check { reading, files, findings: Vec::new(), headers: BTreeMap::new() };
    for file in files.iter() {
        check.add(&file.path, check.reading.file(file)?);
    }
    if *whole_directory {
        check.folder()?;
        check.findings.extend(layout::unfinished(files, excluded));
        check.findings.extend(links::outside(directory, links));
        let message =
            |folder: &str| format!("{} contains the model: use that directory", directory.join(folder).display());
        nested::suggest_folder(message, files, weight_type, &mut check.findings);
    } else if let [file] = &files[..] {
        check.single(file);
        let marks = layout::UNFINISHED.iter().map(|ending| format!("{}.{ending}", file.path));
        let mark = marks.into_iter().find(|mark| directory.join(mark).exists());
        check.findings.extend(mark.map(|mark| layout::unfinished_file(&file.path, &mark)));
    }
    Ok(sorted(check.findings))
}

/// Checks the files of an import, errors first, before any weights are transferred: reads and verifies documents, and
/// reads the headers of weights.
///
/// # Errors
/// When a file cannot be read.
pub async fn check_hub(
    source: &Arc<HubSource>,
    reader: &Arc<HubReader>,
    weight_type: Option<WeightType>,
) -> Result<Vec<Finding>, CheckError> {
    let files = source.list().clone();
    let weight_type = weight_type.unwrap_or_else(|| layout::derive(&files));
    let (source, reader, runtime) = (Arc::clone(source), Arc::clone(reader), Handle::current());
    let reading =
        PlannedFiles { contents: ContentSource::Hub { source: Arc::clone(&source), reader, runtime }, weight_type };
    let look = |at: usize| {
        let (reading, files) = (reading.clone(), files.clone());
        blocking(move || reading.file(&files[at]))
    };
    let file_findings: Vec<FileFindings> =
        stream::iter(0..files.len()).map(look).buffered(CONCURRENT_FILES).try_collect().await?;
    blocking(move || whole_import(reading, &files, file_findings, &source)).await
}

/// Findings of an import: those of each file, and those of all files together.
fn whole_import(
    reading: PlannedFiles,
    files: &FileList,
    file_findings: Vec<FileFindings>,
    source: &HubSource,
) -> Result<Vec<Finding>, CheckError> {
    let weight_type = reading.weight_type;
    let mut check = Check { reading, files, findings: Vec::new(), headers: BTreeMap::new() };
    for (file, file_findings) in files.iter().zip(file_findings) {
        check.add(&file.path, file_findings);
    }
    if source.whole_directory {
        check.folder()?;
        check.findings.extend(shards::multiple_weight_files(files));
        let message = |folder: &str| format!("{} contains the model: use that address", source.below(folder));
        nested::suggest_folder(message, files, weight_type, &mut check.findings);
    } else if let [file] = &files[..] {
        check.single(file);
    }
    Ok(sorted(check.findings))
}

/// Runs blocking work on a separate thread.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is shutting down, and the result is no longer needed.
        Err(_) => std::future::pending().await,
    }
}

/// Findings of a failed walk; none for faults outside the files.
#[must_use]
pub fn of_walk(error: &PlanError) -> Vec<Finding> {
    let PlanError::Several(faults) = error else { return of_fault_of_walk(error).into_iter().collect() };
    let findings: Vec<Finding> = faults.iter().filter_map(of_fault_of_walk).collect();
    if findings.is_empty() {
        return findings;
    }
    sorted(findings.into_iter().chain(faults.iter().filter_map(of_unreadable)).collect())
}

/// Finding for a file that cannot be read; `None` if that is the only fault.
fn of_unreadable(error: &PlanError) -> Option<Finding> {
    let PlanError::Unreadable { path, .. } = error else { return None };
    let suggestion = "Change its permissions, or exclude it with --exclude.";
    Some(Finding::error(FindingCode::Unreadable, &path.display().to_string(), error.to_string(), suggestion))
}

fn of_fault_of_walk(error: &PlanError) -> Option<Finding> {
    let (code, path, suggestion) = match error {
        PlanError::Empty { path, excluded: 0, .. } => {
            (FindingCode::EmptySource, path.display().to_string(), "Use the folder that contains the weights.".into())
        }
        PlanError::Empty { path, excluded, .. } => {
            let count = units::count(*excluded as u64, "path", "paths");
            (FindingCode::EmptySource, path.display().to_string(), format!("All files are excluded ({count})."))
        }
        PlanError::LinkLoop(path) => (FindingCode::LinkLoop, path.display().to_string(), "Remove the link.".into()),
        PlanError::BrokenLink(path) => {
            (FindingCode::BrokenLink, path.display().to_string(), "Remove the link, or restore its target.".into())
        }
        PlanError::SpecialFile(path) => {
            (FindingCode::SpecialFile, path.display().to_string(), "Remove it from the source.".into())
        }
        PlanError::BadName { name, fault } => (FindingCode::BadFileName, name.clone(), fault.suggestion().into()),
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
    Some(Finding::error(code, &path, error.to_string(), suggestion))
}

struct Check<'a> {
    reading: PlannedFiles,
    files: &'a [SourceFile],
    findings: Vec<Finding>,
    /// Keys of the tensors by file.
    headers: BTreeMap<String, Vec<u64>>,
}

impl Check<'_> {
    fn add(&mut self, path: &str, file_findings: FileFindings) {
        self.findings.extend(file_findings.findings);
        if let Some(tensors) = file_findings.tensors {
            self.headers.insert(path.to_owned(), tensors);
        }
    }

    /// Adds the findings that concern all files together.
    fn folder(&mut self) -> Result<(), CheckError> {
        self.findings.extend(layout::folder(self.files, self.reading.weight_type));
        self.shards()
    }

    /// Checks a source that is a single file.
    fn single(&mut self, file: &SourceFile) {
        if !FileKind::of(&file.path).is_weights() {
            self.findings.push(layout::no_weights(&file.path, "the file contains no weights"));
        }
    }

    fn has_finding(&self, code: FindingCode, file: &str) -> bool {
        self.findings.iter().any(|finding| finding.code == code && finding.file == file)
    }

    fn read<T>(
        &self,
        planned: &SourceFile,
        how: impl FnOnce(&mut FileContent) -> io::Result<T>,
    ) -> Result<T, CheckError> {
        self.reading.contents.read(planned, how)
    }
}

/// Sorts errors first, then by code and file; keeps the first of many equal warnings.
fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|left, right| (left.level, left.code, &left.file).cmp(&(right.level, right.code, &right.file)));
    let mut reported = Vec::new();
    for group in findings.chunk_by(|left, right| (left.level, left.code) == (right.level, right.code)) {
        let most = if group[0].is_error() { group.len() } else { MAX_WARNINGS_PER_CODE };
        reported.extend(group.iter().take(most).cloned());
        if let Some(last) = reported.last_mut() {
            last.message += &and_more(group.len().saturating_sub(most), "file like it", "files like it");
        }
    }
    reported
}
