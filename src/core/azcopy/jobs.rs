//! Files delivered by earlier jobs, from AzCopy's own plan files: accurate even after a SIGKILL.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::process::{Child, Exit};

use super::lines::Lines;
use super::program::AzCopy;
use super::source_link::below_link;
use crate::model::BlobPath;
use crate::paths;
use crate::platform::Platform;

impl AzCopy {
    /// Names of the files that jobs with this private directory delivered completely, relative to the source directory.
    ///
    /// # Errors
    /// When AzCopy cannot run, cannot show one of its jobs, shows only files of another directory, or does not respond
    /// within `limit`.
    pub async fn delivered(&self, directory: &Path, source: &Path, limit: Duration) -> io::Result<BTreeSet<BlobPath>> {
        // Dropped at the limit, which ends the child.
        let shown = tokio::time::timeout(limit, self.shown(directory, source)).await;
        shown.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "`azcopy jobs show` does not respond")))
    }

    async fn shown(&self, directory: &Path, source: &Path) -> io::Result<BTreeSet<BlobPath>> {
        let mut delivered = DeliveredFiles::of(source)?;
        for job in planned_jobs(directory)? {
            let mut command = self.command_for_job(directory);
            command.args(["jobs", "show", &job, "--with-status=Success", "--output-type", "json"]);
            let (mut child, pipes) = Child::spawn(command)?;
            // Kept open until the end, as for a job.
            let _stdin = pipes.stdin;
            let (mut lines, mut rest) = (Lines::new(pipes.stdout), pipes.stderr);
            let read = async {
                while let Some(line) = lines.next().await? {
                    delivered.add(sources(&line), Platform::CURRENT);
                }
                Ok::<(), io::Error>(())
            };
            let mut sink = tokio::io::sink();
            let (read, _) = tokio::join!(read, tokio::io::copy(&mut rest, &mut sink));
            read?;
            match child.wait().await? {
                Exit::Code(0) => {}
                exit => return Err(io::Error::other(format!("job {job} cannot be shown ({exit})"))),
            }
        }
        delivered.names()
    }
}

/// Files that AzCopy reports as delivered.
struct DeliveredFiles<'a> {
    source: &'a str,
    shown: usize,
    names: BTreeSet<BlobPath>,
}

impl<'a> DeliveredFiles<'a> {
    fn of(source: &'a Path) -> io::Result<Self> {
        let source = source.to_str().ok_or_else(|| io::Error::other("the path of the source is not Unicode"))?;
        Ok(Self { source, shown: 0, names: BTreeSet::new() })
    }

    fn add(&mut self, paths: Vec<String>, platform: Platform) {
        self.shown += paths.len();
        let name = |path: &String| {
            let below = paths::below(path, self.source, platform).or_else(|| below_link(path, platform))?;
            Some(platform.blob_spelling(&below).as_ref().into())
        };
        self.names.extend(paths.iter().filter_map(name));
    }

    /// Names of the delivered files; an error if files were delivered but none belongs to the source: then no name is
    /// known, and assuming that nothing was uploaded would send everything again.
    fn names(self) -> io::Result<BTreeSet<BlobPath>> {
        let Self { source, shown, names } = self;
        if shown > 0 && names.is_empty() {
            return Err(io::Error::other(format!("none of the {shown} files that it shows is in {source}")));
        }
        Ok(names)
    }
}

/// Ids of the jobs that have a plan file: `<job id>--00000.steV20`.
fn planned_jobs(directory: &Path) -> io::Result<BTreeSet<String>> {
    let mut jobs = BTreeSet::new();
    for entry in std::fs::read_dir(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some((job, part)) = name.split_once("--")
            && part.contains(".steV")
        {
            jobs.insert(job.to_owned());
        }
    }
    Ok(jobs)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    message_type: String,
    message_content: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Transfers {
    #[serde(default)]
    details: Vec<Transfer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Transfer {
    src: String,
    transfer_status: String,
}

/// Source paths in a line of `jobs show`; none in any other line.
fn sources(line: &str) -> Vec<String> {
    let Ok(envelope) = serde_json::from_str::<Envelope>(line) else { return Vec::new() };
    if envelope.message_type != "ListJobTransfers" {
        return Vec::new();
    }
    let transfers = serde_json::from_str::<Transfers>(&envelope.message_content).map(|list| list.details);
    let delivered = transfers.unwrap_or_default().into_iter().filter(|transfer| transfer.transfer_status == "Success");
    delivered.map(|transfer| transfer.src).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str, platform: Platform, shown: Vec<String>) -> Option<Vec<String>> {
        let mut delivered = DeliveredFiles::of(Path::new(source)).expect("Unicode");
        delivered.add(shown, platform);
        delivered.names().ok().map(|names| names.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn delivered_files_are_recognized_in_every_spelling_of_the_source() {
        let found = |source, platform, shown: &str| names(source, platform, vec![shown.to_owned()]);
        for (source, shown) in [
            (r"C:\m", r"\\?\C:\m\sub\x"),
            (r"\\?\C:\m", r"C:\m\sub\x"),
            (r"\\srv\share\m", r"\\?\UNC\srv\share\m\sub\x"),
            (r"c:\w\..\M", r"\\?\C:\m\sub\x"),
            (r"C:\50% *", r"\\?\C:\runs\run-1\azure-ai-models-source\sub\x"),
        ] {
            assert_eq!(found(source, Platform::Windows, shown), Some(vec!["sub/x".to_owned()]), "{source}");
        }
        assert_eq!(found("/m", Platform::MacOs, "/m/u\u{308}"), Some(vec!["\u{fc}".to_owned()]));
        assert_eq!(names("/m", Platform::Linux, vec![]), Some(vec![]));
    }

    #[test]
    fn delivered_files_of_another_source_are_an_error() {
        let shown = ["/other/a", "/other/b"].map(str::to_owned).to_vec();
        assert_eq!(names("/m", Platform::Linux, shown.clone()), None);
        assert_eq!(names("/m", Platform::Linux, [shown, vec!["/m/a".to_owned()]].concat()), Some(vec!["a".to_owned()]));
    }

    #[test]
    fn delivered_files_keep_their_names() {
        let line = r#"{"TimeStamp":"t","MessageType":"ListJobTransfers","MessageContent":"{\"ErrorMsg\":\"\",\"JobID\":\"j\",\"Details\":[{\"Src\":\"/m/src/a b%20#?.txt\",\"Dst\":\"http://h/c/a%20b%2520%23%3F.txt\",\"IsFolderProperties\":false,\"TransferStatus\":\"Success\",\"TransferSize\":0,\"ErrorCode\":\"0\"},{\"Src\":\"/m/src/sub/x\",\"TransferStatus\":\"Failed\"}]}","PromptDetails":{}}"#;
        assert_eq!(names("/m/src", Platform::Linux, sources(line)), Some(vec!["a b%20#?.txt".to_owned()]));
        assert!(sources(&line.replace("ListJobTransfers", "EndOfJob")).is_empty());
        assert!(sources("no JSON").is_empty());
    }

    #[test]
    fn jobs_are_found_by_their_plan_files() {
        let directory = tempfile::tempdir().expect("a directory");
        for name in
            ["a1--00000.steV20", "a1--00001.steV20", "b2--00000.steV21", "a1.log", "a1-scanning.log", "files.txt"]
        {
            std::fs::write(directory.path().join(name), "").expect("a file");
        }
        assert_eq!(planned_jobs(directory.path()).expect("jobs").into_iter().collect::<Vec<_>>(), ["a1", "b2"]);
    }
}
