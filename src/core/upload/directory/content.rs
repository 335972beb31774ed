//! Files of an upload directory: AzCopy's runs, and the state needed to resume.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{DirectoryError, LOCK, OWNER, UploadDirectory, blocking};
use crate::files::{create_private, create_private_directory, remove_directory, remove_file};
use crate::model::SourceFile;
use crate::native::Record;
use crate::upload::detached::{self, DETACHED_LOCK};
use crate::upload::journal::JOURNAL;

/// Files that describe an upload and are kept after its end.
pub(super) const RETAINED_FILES: [&str; 8] =
    [LOCK, OWNER, JOURNAL, DETACHED_LOCK, detached::RUN, detached::EVENTS, detached::LOG, detached::RESULT];
const LIST: &str = "files.txt";
const RUN: &str = "run-";

/// Path of the directory of a run of AzCopy in the directory of an upload.
pub(in crate::upload) fn run_path(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("{RUN}{number}"))
}

impl UploadDirectory {
    /// Creates the directory of a run of AzCopy, for its log, its plan and its list of files.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn run(&self, number: u32) -> Result<PathBuf, DirectoryError> {
        let path = self.run_path(number);
        match create_private_directory(&path) {
            Ok(()) => Ok(path),
            Err(why) => Err(DirectoryError::Io { path, why }),
        }
    }

    /// Highest run number that has a directory, in case the journal is lost; 0 if there is none.
    pub(crate) fn highest_run(&self) -> u32 {
        let entries = fs::read_dir(&self.path).into_iter().flatten().filter_map(Result::ok);
        let number = |entry: fs::DirEntry| entry.file_name().to_str()?.strip_prefix(RUN)?.parse().ok();
        entries.filter_map(number).max().unwrap_or(0)
    }

    /// Directory of a run, which may not exist.
    #[must_use]
    pub fn run_path(&self, number: u32) -> PathBuf {
        run_path(&self.path, number)
    }

    /// Writes the list of files of a run in AzCopy's format: one path per line.
    ///
    /// # Errors
    /// When the list cannot be written.
    pub(crate) async fn write_list(&self, run: u32, files: &[SourceFile]) -> Result<PathBuf, DirectoryError> {
        let path = self.run_path(run).join(LIST);
        let names: Vec<_> = files.iter().map(|file| file.path.clone()).collect();
        let target = path.clone();
        let write = move || -> io::Result<()> {
            let mut out = io::BufWriter::new(create_private(&target)?);
            for name in names {
                writeln!(out, "{name}")?;
            }
            out.flush()
        };
        match blocking(write).await {
            Ok(()) => Ok(path),
            Err(why) => Err(DirectoryError::Io { path, why }),
        }
    }

    /// Opens the record of the native engine, with the content of earlier runs of the upload with this key.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub(crate) async fn record(&self, key: &str) -> io::Result<Record> {
        let (path, key) = (self.path.clone(), key.to_owned());
        blocking(move || Record::open(&path, &key)).await
    }

    /// Removes the files needed to resume, and keeps those that describe the upload.
    pub(in crate::upload) fn remove_resume_state(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                remove_directory(&entry.path())?;
            } else if !RETAINED_FILES.iter().any(|name| entry.file_name() == *name) {
                remove_file(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Removes the directories of earlier runs, except the one of run `current`.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub(crate) async fn remove_runs_but(&self, current: u32) -> Result<(), DirectoryError> {
        let (path, kept) = (self.path.clone(), self.run_path(current));
        let remove = move || -> io::Result<()> {
            for entry in fs::read_dir(path)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() && entry.path() != kept {
                    remove_directory(&entry.path())?;
                }
            }
            Ok(())
        };
        blocking(remove).await.map_err(|why| DirectoryError::Io { path: self.path.clone(), why })
    }
}
