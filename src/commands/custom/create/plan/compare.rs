//! Comparison of a plan with the current files.

use std::collections::HashSet;

use super::{PlannedFile, SavedPlan, blobs, planned_files};
use crate::app::App;
use crate::error::{CliError, ErrorCode, ErrorKind};
use azure_ai_models_core::display::printable;
use azure_ai_models_core::model::BlobPath;
use azure_ai_models_core::source::{FileSums, UploadSource};
use azure_ai_models_core::store::BlobListing;
use azure_ai_models_core::units;

impl SavedPlan {
    /// Fails if a file differs from the plan, by size and time, or by the checksum of an import. `newer` are files that
    /// the plan does not list; they are reported.
    pub(in crate::commands::custom::create) fn check_files(
        &self,
        app: &App,
        source: &UploadSource,
        newer: &[BlobPath],
    ) -> Result<(), CliError> {
        let now: Vec<PlannedFile> = planned_files(source, None);
        if let UploadSource::Remote { .. } = source {
            return Ok(());
        }
        self.compare(&now)?;
        for path in newer {
            app.console.status(&format!("{} is not in the plan and is not uploaded.", printable(path)));
        }
        Ok(())
    }

    /// Fails if the content of a file differs from the plan.
    pub(in crate::commands::custom::create) fn check_sums(&self, sums: &FileSums) -> Result<(), CliError> {
        let is_other = |file: &&PlannedFile| file.sha256.is_some_and(|sum| sums.get(&file.path) != Some(sum));
        let changed = self.files.iter().filter(is_other);
        self.refuse(changed.map(|file| format!("{}: content differs (same size and time)", file.path)).collect())
    }

    /// Fails if the blobs differ from the plan: AzCopy copies all blobs.
    pub(in crate::commands::custom::create) fn check_blobs(&self, listing: &BlobListing) -> Result<(), CliError> {
        if self.files.is_empty() {
            return Err(CliError::usage("the plan does not list the blobs of the source")
                .with_code(ErrorCode::BadPlan)
                .with_suggestion("Create the plan with a SAS that allows listing or reading the source."));
        }
        let planned: HashSet<&str> = self.files.iter().map(|file| file.path.as_str()).collect();
        let mut changed = differences(&self.files, &blobs(listing));
        let new = listing.keys().filter(|path| !planned.contains(path.as_str()));
        changed.extend(new.map(|path| format!("{path}: not in the plan")));
        self.refuse(changed)
    }

    fn compare(&self, now: &[PlannedFile]) -> Result<(), CliError> {
        self.refuse(differences(&self.files, now))
    }

    fn refuse(&self, changed: Vec<String>) -> Result<(), CliError> {
        if changed.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = changed.iter().map(|line| format!("  {}", printable(line))).collect();
        let what = units::count(changed.len() as u64, "file has", "files have");
        Err(CliError::new(
            ErrorKind::Conflict,
            format!("{what} changed since the plan was made:\n{}", lines.join("\n")),
        )
        .with_code(ErrorCode::PlanChanged)
        .with_suggestion("Create the plan again and review it. Nothing was sent."))
    }
}

/// Planned files that are missing, or whose size, time, checksum or blob version has changed. Both lists are sorted by
/// path.
fn differences(planned: &[PlannedFile], now: &[PlannedFile]) -> Vec<String> {
    let difference = |file: &PlannedFile| {
        let at = now.binary_search_by(|other| other.path.cmp(&file.path)).ok();
        let Some(now) = at.map(|at| &now[at]) else { return Some("gone".to_owned()) };
        if now.bytes != file.bytes {
            return Some(format!("{} now, {} in the plan", byte_count(now.bytes), byte_count(file.bytes)));
        }
        if now.mtime_ns != file.mtime_ns {
            return Some("modification time differs".to_owned());
        }
        if now.version.differs_from(&file.version) {
            return Some("blob was written again".to_owned());
        }
        matches!((now.sha256, file.sha256), (Some(now), Some(planned)) if now != planned)
            .then(|| "content differs".to_owned())
    };
    planned.iter().filter_map(|file| Some(format!("{}: {}", file.path, difference(file)?))).collect()
}

fn byte_count(bytes: u64) -> String {
    format!("{} bytes", units::grouped(bytes))
}

#[cfg(test)]
mod tests {
    use super::super::tests::file;
    use super::*;

    #[test]
    fn each_difference_names_its_file() {
        let planned = [file("a", 1, 1), file("b", 2, 1), file("c", 3, 1), file("d", 4, 1)];
        let now = [file("a", 1, 1), file("b", 2000, 1), file("d", 4, 2), file("e", 5, 1)];
        assert_eq!(
            differences(&planned, &now),
            ["b: 2,000 bytes now, 2 bytes in the plan", "c: gone", "d: modification time differs"]
        );
        assert!(differences(&planned, &planned).is_empty());
    }
}
