//! Conversion of a part into the file: flushed to the disk first, then renamed.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Job;
use super::error::{DownloadError, Obstacle};
use super::file::{blocking, disk};
use super::inspect::{is_absent, modified, obstacle};
use super::plan::PlannedFile;
use crate::files::rename;
use crate::model::BlobPath;

/// Moves a part into place.
pub(super) async fn move_into_place(job: Arc<Job>, planned: PlannedFile) -> Result<(), DownloadError> {
    let target = planned.file.path.below(&job.directory);
    let moved = blocking(move || job.move_into_place(&planned)).await.map_err(disk(&target))?;
    moved.map_or(Ok(()), Err)
}

impl Job {
    /// Flushes the content of a part to the disk: after a power loss a name may exist without its content, and an empty
    /// file under its final name would pass for the model's.
    fn sync(&self, part: &Path) -> io::Result<()> {
        self.syncing.fetch_add(1, Ordering::Relaxed);
        // Windows flushes only files that are open for writing.
        let synced = File::options().write(true).open(part).and_then(|part| part.sync_all());
        self.syncing.fetch_sub(1, Ordering::Relaxed);
        synced
    }

    /// Moves a part into place, below directories that are created here and are not links. The inner error is the
    /// obstacle found there.
    fn move_into_place(&self, planned: &PlannedFile) -> io::Result<Option<DownloadError>> {
        let path = &planned.file.path;
        for (at, _) in path.match_indices('/') {
            let parent = BlobPath::from(&path[..at]);
            let directory = parent.below(&self.directory);
            match obstacle(&directory)? {
                Some(obstacle) => return Ok(Some(DownloadError::Blocked(vec![(parent.to_string(), obstacle)]))),
                None => match fs::create_dir(&directory) {
                    Err(why) if why.kind() != io::ErrorKind::AlreadyExists => return Err(why),
                    _ => {}
                },
            }
        }
        let target = path.below(&self.directory);
        match fs::symlink_metadata(&target) {
            Err(why) if is_absent(&why) => {}
            Err(why) => return Err(why),
            Ok(found) if found.is_dir() => {
                return Ok(Some(DownloadError::Blocked(vec![(path.to_string(), Obstacle::Directory)])));
            }
            Ok(_) if !self.force => return Ok(Some(DownloadError::Exists(vec![path.to_string()]))),
            Ok(_) => {}
        }
        let part = self.private.join(planned.part.as_str());
        self.sync(&part).inspect_err(|_| {
            // The system may have discarded data that it could not write: the chunks are not known to be on the disk.
            drop(self.discard(planned));
        })?;
        rename(&part, &target)?;
        self.record.done(&planned.part, modified(&fs::symlink_metadata(&target)?)?)?;
        Ok(None)
    }
}
