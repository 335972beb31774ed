//! What is kept of an upload that broke off, and what is said of it: then, and when it goes on.

use std::collections::BTreeSet;

use super::spec::EngineChoice;
use super::steps::{Create, Files};
use crate::error::CliError;
use azure_ai_models_core::native::Record;
use azure_ai_models_core::units;
use azure_ai_models_core::upload::{Blobs, Journal, Plan, PlannedFile, Stamp, UploadDirectory, UploadError};

/// More names than that would bury the rest.
const NAMED: usize = 3;

/// What an earlier try left: its journal, and what its last run delivered, if AzCopy can tell.
pub(super) struct Left {
    pub(super) journal: Journal,
    pub(super) delivered: Option<BTreeSet<String>>,
}

impl Left {
    /// Files that arrived whole, as far as is known.
    pub(super) fn arrived(&self) -> BTreeSet<&String> {
        self.journal.complete.iter().chain(self.delivered.iter().flatten()).collect()
    }

    /// Where an upload of `files` to the same place would go on.
    pub(super) fn next(self, files: &Files, there: Option<&Blobs>) -> Journal {
        let delivered = self.delivered.unwrap_or_else(|| self.journal.fully_there(there));
        let next = self.journal.next_run(files.clone(), &delivered);
        match there {
            Some(there) => next.only_what_is_there(there),
            None => next,
        }
    }
}

/// What is said of files that an earlier try began and that are not what they were.
pub(super) fn changed(before: &Files, now: &Files) -> Option<String> {
    let is_other = |(name, stamp): &(&String, &Stamp)| before.get(*name).is_some_and(|before| before != *stamp);
    let names: Vec<&str> = now.iter().filter(is_other).map(|(name, _)| name.as_str()).collect();
    let shown = names[..names.len().min(NAMED)].join(", ");
    match names.len() {
        0 => None,
        1 => Some(format!("{shown} changed since the last try: it starts again.")),
        2..=NAMED => Some(format!("{shown} changed since the last try: they start again.")),
        all => Some(format!(
            "{} files changed since the last try and start again: {shown}, ...",
            units::grouped(all as u64)
        )),
    }
}

impl Create<'_> {
    /// What is there already when an upload goes on.
    pub(super) fn going_on(
        &self,
        directory: &UploadDirectory,
        next: &Journal,
        planned: &[PlannedFile],
    ) -> Option<String> {
        let whole = planned.iter().filter(|file| next.complete.contains(&file.path));
        let whole: Vec<u64> = whole.map(|file| file.bytes).collect();
        let blocks = self.bytes_in_blocks(directory, next, |path| next.complete.contains(path));
        let kept = match (whole.len(), blocks) {
            (0, 0) => return None,
            (0, blocks) => format!("{} of {} are there already.", units::bytes(blocks), units::bytes(next.bytes())),
            (_, 0) => format!("{} are there already.", these_of(&whole, planned.len())),
            (_, blocks) => format!(
                "{} are there already, and {} of the rest.",
                these_of(&whole, planned.len()),
                units::bytes(blocks)
            ),
        };
        Some(format!("Going on with an earlier upload: {kept}"))
    }

    /// A broken upload, with what is kept of it and the command that goes on.
    pub(super) fn broken(&self, directory: &UploadDirectory, left: &Left, error: UploadError) -> CliError {
        let files = match self.work.plan {
            Plan::Local { files, .. } => files.as_slice(),
            Plan::Remote { .. } => &[],
        };
        let whole = left.arrived();
        let kept: Vec<u64> = files.iter().filter(|file| whole.contains(&file.path)).map(|file| file.bytes).collect();
        let complete = format!("{} are complete and will not be sent again", these_of(&kept, files.len()));
        let blocks = self.bytes_in_blocks(directory, &left.journal, |path| whole.contains(path));
        let kept = match (kept.len(), files.len(), blocks, self.work.spec.engine) {
            (_, 0, ..) => "The copy starts over.".to_owned(),
            (0, 1, 0, EngineChoice::AzCopy) => "AzCopy keeps no half file: this file starts over.".to_owned(),
            (0, _, 0, EngineChoice::AzCopy) => "No file is complete yet: the upload starts over.".to_owned(),
            (0, _, 0, EngineChoice::Native { .. }) => "Nothing arrived yet: the upload starts over.".to_owned(),
            (0, _, blocks, _) => format!(
                "{} arrived and will not be sent again; the blob store keeps them for 7 days.",
                units::bytes(blocks)
            ),
            (all, files, 0, _) if all == files => format!("{complete}."),
            (_, _, 0, _) => format!("{complete}; the rest starts over."),
            (_, _, blocks, _) => format!(
                "{complete}; nor will the {} that arrived of the rest, which the blob store keeps for 7 days.",
                units::bytes(blocks)
            ),
        };
        CliError::from(error).with_more(&kept).with_resume(&self.work.spec.again)
    }

    /// What arrived of files that are not whole; AzCopy keeps nothing of those.
    fn bytes_in_blocks(
        &self,
        directory: &UploadDirectory,
        journal: &Journal,
        is_whole: impl Fn(&String) -> bool,
    ) -> u64 {
        let EngineChoice::Native { .. } = self.work.spec.engine else { return 0 };
        let Ok(record) = Record::open(directory.path()) else { return 0 };
        let partly = journal.shapes().into_iter().filter(|shape| !is_whole(&shape.path));
        partly.map(|shape| record.bytes_of(&shape)).sum()
    }
}

/// `1 of 2 files (50 B)`; the sizes are in bytes.
fn these_of(sizes: &[u64], all: usize) -> String {
    let (some, all) = (units::grouped(sizes.len() as u64), units::count(all as u64, "file", "files"));
    format!("{some} of {all} ({})", units::bytes(sizes.iter().sum()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_files_are_named_as_long_as_they_are_few() {
        let files = |names: &[&str], bytes| -> Files {
            names.iter().map(|name| ((*name).to_owned(), Stamp { bytes, modified: 1 })).collect()
        };
        let before = files(&["a", "b", "c", "d", "gone"], 1);
        for (names, words) in [
            (&["a"][..], Some("a changed since the last try: it starts again.")),
            (&["a", "b", "new"], Some("a, b changed since the last try: they start again.")),
            (&["a", "b", "c", "d"], Some("4 files changed since the last try and start again: a, b, c, ...")),
            (&["new"], None),
        ] {
            assert_eq!(changed(&before, &files(names, 2)).as_deref(), words);
        }
        assert_eq!(changed(&before, &before), None);
    }
}
