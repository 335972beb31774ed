//! Findings of a single file.

use std::io::{self, Read};

use super::content::{ContentSource, FileContent};
use super::index::and_more;
use super::safetensors::{SafetensorsFault, SafetensorsHeader};
use super::{CheckError, RESAVE_SUGGESTION, documents, gguf, layout, safetensors, series, signature};
use crate::model::{FileKind, Finding, FindingCode, SourceFile, WeightType};
use crate::units;

/// Size range of a Git LFS pointer, in bytes: its specification allows less than 1,024.
const POINTER_BYTES: std::ops::Range<u64> = 50..1024;
/// Maximum size of a document, in bytes.
const DOCUMENT_LIMIT: u64 = 4 << 30;

/// Reader of planned files.
#[derive(Clone)]
pub(super) struct PlannedFiles {
    pub(super) contents: ContentSource,
    pub(super) weight_type: WeightType,
}

/// Findings of one file.
#[derive(Default)]
pub(super) struct FileFindings {
    pub(super) findings: Vec<Finding>,
    /// Keys of its tensors.
    pub(super) tensors: Option<Vec<u64>>,
}

impl From<Finding> for FileFindings {
    fn from(finding: Finding) -> Self {
        Self { findings: vec![finding], tensors: None }
    }
}

impl PlannedFiles {
    /// Checks one file, independently of the others.
    pub(super) fn file(&self, planned: &SourceFile) -> Result<FileFindings, CheckError> {
        let path = &planned.path;
        let start = if POINTER_BYTES.contains(&planned.bytes) || (planned.bytes > 0 && signature::is_checked_file(path))
        {
            self.contents.read(planned, |file| first_bytes(file, planned.bytes))?
        } else {
            Vec::new()
        };
        if POINTER_BYTES.contains(&planned.bytes) && signature::is_pointer(&start) {
            return Ok(Finding::error(
                FindingCode::LfsPointer,
                path,
                "the file is a git-LFS or git-xet pointer, not the file itself",
                "Run 'git lfs pull' in the model's repository, or download the file.",
            )
            .into());
        }
        let mut file_findings = FileFindings { findings: layout::file(planned), tensors: None };
        if let Some(shape) = documents::shape(path) {
            file_findings.findings.extend(self.document(planned, shape)?);
        } else if let Some(what) = signature::mismatch(path, &start) {
            file_findings.findings.push(Finding::error(
                FindingCode::BadHeader,
                path,
                format!("the file {what}"),
                RESAVE_SUGGESTION,
            ));
        } else if planned.bytes > 0 {
            let header = self.header(planned)?;
            file_findings.findings.extend(header.findings);
            file_findings.tensors = header.tensors;
        }
        Ok(file_findings)
    }

    /// Checks a file that must be JSON.
    fn document(&self, planned: &SourceFile, shape: documents::DocumentShape) -> Result<Vec<Finding>, CheckError> {
        let path = &planned.path;
        if planned.bytes > DOCUMENT_LIMIT {
            let what = "the file is too large for a model document";
            return Ok(vec![Finding::error(FindingCode::InvalidConfig, path, what, RESAVE_SUGGESTION)]);
        }
        if let Some(fault) = self.contents.read(planned, |file| documents::check_document(path, shape, file))? {
            return Ok(vec![fault]);
        }
        if self.weight_type == WeightType::LoRA && *path == layout::ADAPTER_CONFIG {
            return Ok(self.contents.read(planned, |file| documents::peft_type(path, file))?.into_iter().collect());
        }
        if *path == layout::CONFIG {
            return self.contents.read(planned, |file| documents::config(path, file));
        }
        Ok(Vec::new())
    }

    /// Checks weights by their header.
    fn header(&self, planned: &SourceFile) -> Result<FileFindings, CheckError> {
        let path = &planned.path;
        match FileKind::of(path) {
            FileKind::Safetensors => {
                let header = self.contents.read(planned, |file| safetensors::read(file, planned.bytes))?;
                Ok(findings_of_header(path, header))
            }
            FileKind::Gguf => {
                let fault = self.contents.read(planned, |file| gguf::read(file, planned.bytes))?;
                // The first part of a split model may contain only its metadata.
                let is_part = || !series::series(std::iter::once(path.as_str())).is_empty();
                let fault = fault.filter(|fault| *fault != gguf::GgufFault::NoTensors || !is_part());
                Ok(fault.map_or_else(FileFindings::default, |fault| {
                    match fault {
                        gguf::GgufFault::Truncated { size, needed } => truncated(path, size, needed),
                        gguf::GgufFault::BadHeader(what) => {
                            Finding::error(FindingCode::BadHeader, path, format!("the file {what}"), RESAVE_SUGGESTION)
                        }
                        gguf::GgufFault::NoTensors => no_tensors(path),
                    }
                    .into()
                }))
            }
            _ => Ok(FileFindings::default()),
        }
    }
}

fn findings_of_header(path: &str, header: SafetensorsHeader) -> FileFindings {
    FileFindings {
        findings: header.faults.iter().map(|fault| of_fault(path, fault)).collect(),
        tensors: header.tensors,
    }
}

/// Reads the first bytes of a file of the planned size: in a single read for most files.
fn first_bytes(file: &mut FileContent, planned: u64) -> io::Result<Vec<u8>> {
    let mut start = vec![
        0;
        usize::try_from(planned)
            .map_or(signature::SIGNATURE_BYTES, |size| size.min(signature::SIGNATURE_BYTES))
    ];
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
    let what = format!("the file is truncated: it has {size} of {needed} bytes");
    Finding::error(FindingCode::TruncatedShard, path, what, RESAVE_SUGGESTION)
}

fn no_tensors(path: &str) -> Finding {
    let what = "the file contains no tensor with data";
    let suggestion =
        "Save the weights again. DeepSpeed ZeRO-3 writes such files unless the weights are gathered first.";
    Finding::error(FindingCode::NoTensors, path, what, suggestion)
}

fn of_fault(path: &str, fault: &SafetensorsFault) -> Finding {
    match fault {
        SafetensorsFault::Truncated { size, needed } => truncated(path, *size, *needed),
        SafetensorsFault::NoTensors => no_tensors(path),
        SafetensorsFault::Trailing { extra } => {
            let count = units::count(*extra, "byte", "bytes");
            Finding::error(
                FindingCode::TrailingData,
                path,
                format!("the file has {count} after its last tensor"),
                RESAVE_SUGGESTION,
            )
        }
        SafetensorsFault::BadHeader(why) => Finding::error(
            FindingCode::BadHeader,
            path,
            format!("the file is not a safetensors file: its header {why}"),
            RESAVE_SUGGESTION,
        ),
        SafetensorsFault::BadOffsets { why, more } => {
            let more = and_more(*more, "fault like it", "faults like it");
            Finding::error(
                FindingCode::BadOffsets,
                path,
                format!("the header is wrong: {why}{more}"),
                RESAVE_SUGGESTION,
            )
        }
        SafetensorsFault::UnknownDtype { tensor, dtype, more } => {
            let more = and_more(*more, "tensor", "tensors");
            let what = format!("the file contains the tensor '{tensor}' of the unknown type {dtype}{more}");
            let suggestion = "Check whether the service accepts weights of that type.";
            Finding::warning(FindingCode::UnknownDtype, path, what, suggestion)
        }
    }
}
