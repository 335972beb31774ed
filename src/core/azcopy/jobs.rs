//! What earlier jobs delivered, by AzCopy's own plan files: true also after a SIGKILL.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::process::{Child, Exit};

use super::lines::Lines;
use super::program::AzCopy;
use super::source_link::below_link;
use crate::model::BlobPath;

impl AzCopy {
    /// Names of the files that jobs with this private directory delivered whole, relative to the source directory.
    ///
    /// # Errors
    /// When AzCopy cannot be asked, cannot show one of its jobs, or does not answer within `limit`.
    pub async fn delivered(&self, directory: &Path, source: &Path, limit: Duration) -> io::Result<BTreeSet<BlobPath>> {
        // Dropped at the limit, which ends the child.
        let shown = tokio::time::timeout(limit, self.shown(directory, source)).await;
        shown.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "`azcopy jobs show` does not answer")))
    }

    async fn shown(&self, directory: &Path, source: &Path) -> io::Result<BTreeSet<BlobPath>> {
        let mut names = BTreeSet::new();
        for job in planned_jobs(directory)? {
            let mut command = self.command_for_job(directory);
            command.args(["jobs", "show", &job, "--with-status=Success", "--output-type", "json"]);
            let (mut child, pipes) = Child::spawn(command)?;
            // Held till the end, as for a job.
            let _stdin = pipes.stdin;
            let (mut lines, mut rest) = (Lines::new(pipes.stdout), pipes.stderr);
            let read = async {
                while let Some(line) = lines.next().await? {
                    names.extend(sources(&line).iter().filter_map(|path| relative(path, source)));
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
        Ok(names)
    }
}

/// Jobs that have a plan file: `<job id>--00000.steV20`.
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

/// The source paths of a line of `jobs show`; none of any other line.
fn sources(line: &str) -> Vec<PathBuf> {
    let Ok(envelope) = serde_json::from_str::<Envelope>(line) else { return Vec::new() };
    if envelope.message_type != "ListJobTransfers" {
        return Vec::new();
    }
    let transfers = serde_json::from_str::<Transfers>(&envelope.message_content).map(|list| list.details);
    let delivered = transfers.unwrap_or_default().into_iter().filter(|transfer| transfer.transfer_status == "Success");
    delivered.map(|transfer| transfer.src.into()).collect()
}

fn relative(path: &Path, source: &Path) -> Option<BlobPath> {
    let name = path.strip_prefix(source).ok().or_else(|| below_link(path))?.to_str()?;
    Some(if cfg!(windows) { name.replace('\\', "/").into() } else { name.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delivered_files_keep_their_names() {
        let line = r#"{"TimeStamp":"t","MessageType":"ListJobTransfers","MessageContent":"{\"ErrorMsg\":\"\",\"JobID\":\"j\",\"Details\":[{\"Src\":\"/m/src/a b%20#?.txt\",\"Dst\":\"http://h/c/a%20b%2520%23%3F.txt\",\"IsFolderProperties\":false,\"TransferStatus\":\"Success\",\"TransferSize\":0,\"ErrorCode\":\"0\"},{\"Src\":\"/m/src/sub/x\",\"TransferStatus\":\"Failed\"}]}","PromptDetails":{}}"#;
        let names: Vec<BlobPath> =
            sources(line).iter().filter_map(|path| relative(path, Path::new("/m/src"))).collect();
        assert_eq!(names, ["a b%20#?.txt"]);
        assert!(sources(&line.replace("ListJobTransfers", "EndOfJob")).is_empty());
        assert!(sources("no JSON").is_empty());
    }

    #[test]
    fn jobs_are_known_by_their_plan_files() {
        let directory = tempfile::tempdir().expect("a directory");
        for name in
            ["a1--00000.steV20", "a1--00001.steV20", "b2--00000.steV21", "a1.log", "a1-scanning.log", "files.txt"]
        {
            std::fs::write(directory.path().join(name), "").expect("a file");
        }
        assert_eq!(planned_jobs(directory.path()).expect("jobs").into_iter().collect::<Vec<_>>(), ["a1", "b2"]);
    }
}
