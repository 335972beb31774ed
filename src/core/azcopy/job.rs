//! A job for AzCopy, and the command line for it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::model::TransferProgress;
use crate::redact::{self, SecretUrl};

use super::verdict::Expectation;

/// Source and destination of one AzCopy job, and the directory for its own files. All paths are absolute.
#[derive(Clone, Debug)]
pub struct CopyJob {
    /// Source of the job.
    pub source: JobSource,
    /// SAS URL of the container; the files are copied to its root.
    pub destination: SecretUrl,
    /// Existing private directory for AzCopy's log and plan.
    pub directory: PathBuf,
    /// Maximum rate in bytes per second, if limited.
    pub cap: Option<u64>,
}

/// Source of a job.
#[derive(Clone, Debug)]
pub enum JobSource {
    /// Files of one directory, and no others. A single file is a list of one name: AzCopy reads only the listed files,
    /// regardless of other files next to them (verified with strace).
    Files {
        /// Directory that the names are relative to.
        directory: PathBuf,
        /// File with one name per line, `/` between the components, without duplicates: a duplicate fails, and a
        /// missing file is skipped silently.
        list_file: PathBuf,
        /// Number of names in the list.
        files: u64,
        /// Total size of the files.
        bytes: u64,
    },
    /// Blobs that the service fetches itself: a blob, or all below a container or folder URL, whose own name does not
    /// become part of their names.
    Remote {
        /// URL of the blobs.
        url: SecretUrl,
    },
}

impl CopyJob {
    /// Returns the job with another path for its source.
    pub(super) fn reading(&self, source: &Path) -> Self {
        let mut job = self.clone();
        if let JobSource::Files { directory, .. } = &mut job.source {
            source.clone_into(directory);
        }
        job
    }

    /// Expected result of the job.
    pub(super) fn expectation(&self) -> Expectation {
        match self.source {
            JobSource::Files { files, bytes, .. } => Expectation::Plan { files, bytes },
            JobSource::Remote { .. } => Expectation::OwnTotals,
        }
    }

    /// Progress of a job that has not started.
    pub(super) fn at_start(&self) -> TransferProgress {
        let (total_files, total_bytes) = match self.source {
            JobSource::Files { files, bytes, .. } => (Some(files), Some(bytes)),
            JobSource::Remote { .. } => (None, None),
        };
        TransferProgress { total_bytes, total_files, ..TransferProgress::default() }
    }

    /// Arguments of AzCopy, including the SAS: AzCopy does not accept it in any other way.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        self.arguments_with(&|url| url.expose().as_str().into())
    }

    /// Arguments without secrets, for display.
    pub(super) fn shown_arguments(&self) -> String {
        let arguments = self.arguments_with(&|url| url.to_string().into());
        let words: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
        redact::clean(&shell_words::join(&words))
    }

    fn arguments_with(&self, url_text: &dyn Fn(&SecretUrl) -> OsString) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["copy".into()];
        match &self.source {
            JobSource::Files { directory, list_file, .. } => {
                arguments.extend([directory.into(), url_text(&self.destination)]);
                // Without --follow-symlinks links are skipped silently; a Hugging Face cache consists of links.
                arguments.extend(["--from-to=LocalBlob".into(), "--follow-symlinks".into()]);
                arguments.extend(["--list-of-files".into(), list_file.into()]);
            }
            JobSource::Remote { url } => {
                arguments.extend([url_text(url), url_text(&self.destination), "--from-to=BlobBlob".into()]);
            }
        }
        arguments.extend(
            [
                "--recursive=true",
                "--as-subdir=false",
                "--overwrite=true",
                "--output-type",
                "json",
                // At less verbose levels the log lacks the reasons of failures.
                "--log-level=INFO",
            ]
            .map(OsString::from),
        );
        if let Some(cap) = self.cap {
            arguments.extend(["--cap-mbps".into(), megabits(cap).into()]);
        }
        arguments
    }
}

/// Rate in bytes per second, converted to AzCopy's megabits (10^6 bits) per second.
fn megabits(bytes_per_second: u64) -> String {
    let bits = u128::from(bytes_per_second) * 8;
    format!("{}.{:06}", bits / 1_000_000, bits % 1_000_000)
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    fn secret(text: &str) -> SecretUrl {
        SecretUrl::new(Url::parse(text).unwrap())
    }

    fn job(source: JobSource, cap: Option<u64>) -> CopyJob {
        let destination = secret("https://a.blob.core.windows.net/c?sp=cw&sig=CANARY%2B");
        CopyJob { source, destination, directory: "/private".into(), cap }
    }

    fn words(job: &CopyJob) -> String {
        job.arguments().iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn files_are_sent_by_list() {
        let files =
            JobSource::Files { directory: "/m d".into(), list_file: "/private/list".into(), files: 1, bytes: 2 };
        assert_eq!(
            words(&job(files, Some(20 << 20))),
            "copy /m d https://a.blob.core.windows.net/c?sp=cw&sig=CANARY%2B --from-to=LocalBlob --follow-symlinks \
             --list-of-files /private/list --recursive=true --as-subdir=false --overwrite=true --output-type json \
             --log-level=INFO --cap-mbps 167.772160"
        );
    }

    #[test]
    fn remote_sources_go_from_service_to_service() {
        let remote = JobSource::Remote { url: secret("https://b.blob.core.windows.net/m/v1?sig=OTHER") };
        assert!(words(&job(remote, None)).starts_with(
            "copy https://b.blob.core.windows.net/m/v1?sig=OTHER https://a.blob.core.windows.net/c?sp=cw&sig=CANARY%2B \
             --from-to=BlobBlob --recursive=true --as-subdir=false "
        ));
    }

    #[test]
    fn shown_arguments_have_no_sas() {
        let shown = job(JobSource::Remote { url: secret("https://u:OTHER@b/m?sig=OTHER") }, None).shown_arguments();
        assert!(shown.starts_with("copy 'https://b/m?***' 'https://a.blob.core.windows.net/c?***' '--from"), "{shown}");
        assert!(!shown.contains("CANARY") && !shown.contains("OTHER"));
    }

    #[test]
    fn a_rate_limit_is_converted_exactly() {
        for (bytes, text) in [(1, "0.000008"), (125_000, "1.000000"), (u64::MAX, "147573952589676.412920")] {
            assert_eq!(megabits(bytes), text);
        }
    }
}
