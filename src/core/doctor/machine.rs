//! Resources of this machine for uploads: disk space for records, open files, and unfinished uploads.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Check, CheckId, Fix, set_variable};
use crate::env::{Env, var};
use crate::files::{create_new_private, remove_file};
use crate::native;
use crate::platform::Platform;
use crate::units;
use crate::upload::LocalUpload;

/// Bytes of the write that tests for disk space: the size of a journal of 10,000 files.
const PROBE: usize = 1 << 20;
/// Required disk space for records, AzCopy's plan and its log; with less a large upload may fail.
const ROOM: u64 = 256 << 20;

/// Verdict on the disk space for journals and logs, by writing and removing a file. Blocks.
#[must_use]
pub fn disk(env: &Env) -> Check {
    let id = CheckId::Disk;
    let Some(config) = env.azd_config_dir() else {
        let home = Platform::CURRENT.home_variable();
        return Check::failed(
            id,
            "no home directory found for upload records",
            set_variable(Platform::CURRENT, home, "DIR"),
        );
    };
    let directory = existing(config.join("ai-models"));
    match write_probe(&directory) {
        Ok(()) => room(&directory, free(&directory)),
        Err(why) => Check::failed(id, format!("{} cannot be written: {why}", directory.display()), elsewhere()),
    }
}

/// Verdict on the space in a writable directory.
fn room(directory: &Path, free: Option<u64>) -> Check {
    let id = CheckId::Disk;
    let Some(free) = free else { return Check::ok(id, format!("{} can be written", directory.display())) };
    let message = format!("{} free in {}", units::bytes(free), directory.display());
    if free < ROOM { Check::warning(id, message, elsewhere()) } else { Check::ok(id, message) }
}

fn elsewhere() -> Fix {
    set_variable(Platform::CURRENT, var::AZD_CONFIG_DIR, "DIR").into()
}

/// The directory, otherwise its nearest existing ancestor.
fn existing(mut directory: PathBuf) -> PathBuf {
    while !directory.is_dir() && directory.pop() {}
    directory
}

fn write_probe(directory: &Path) -> io::Result<()> {
    let path = directory.join(format!(".azure-ai-models-doctor-{}", std::process::id()));
    let written = create_new_private(&path).and_then(|mut file| {
        file.write_all(&vec![0; PROBE])?;
        file.sync_all()
    });
    remove_file(&path)?;
    written
}

#[cfg(unix)]
fn free(directory: &Path) -> Option<u64> {
    let system = rustix::fs::statvfs(directory).ok()?;
    Some(system.f_bavail.saturating_mul(system.f_frsize))
}

#[cfg(not(unix))]
fn free(_directory: &Path) -> Option<u64> {
    None
}

/// Verdict on the limit of open files of this process.
#[must_use]
pub fn open_files() -> Check {
    let (limit, needed) = native::open_files();
    limit_of_files(limit, needed)
}

fn limit_of_files(limit: Option<u64>, needed: u64) -> Check {
    let id = CheckId::OpenFiles;
    match limit {
        None => Check::ok(id, "no limit"),
        Some(limit) if limit < needed => Check::warning(
            id,
            format!("the limit is {limit}; the native engine needs {needed} for all its connections"),
            "ulimit -n 4096",
        ),
        Some(limit) => Check::ok(id, format!("at most {}", units::grouped(limit))),
    }
}

/// Verdict on the unfinished uploads of this machine.
#[must_use]
pub fn uploads(kept: &io::Result<Vec<LocalUpload>>) -> Check {
    let id = CheckId::Uploads;
    let kept = match kept {
        Ok(kept) => kept,
        Err(why) => {
            return Check::failed(id, format!("the records of uploads cannot be read: {why}"), elsewhere());
        }
    };
    let is_waiting = |upload: &&LocalUpload| !upload.running && !matches!(upload.state(), "done");
    let waiting: Vec<&LocalUpload> = kept.iter().filter(is_waiting).collect();
    let running = kept.iter().filter(|upload| upload.running).count() as u64;
    let running = if running > 0 { format!(", {running} running") } else { String::new() };
    let named = |upload: &LocalUpload| {
        let (_, name, version, _) = upload.model();
        format!("'{name}' version {version} is {}", upload.state())
    };
    match waiting.as_slice() {
        [] => Check::ok(id, format!("none unfinished{running}")),
        [one] => {
            let fix = Fix::of_program(&["custom", "uploads", "resume", &one.id]);
            Check::warning(id, format!("{}{running}", named(one)), fix)
        }
        [first, rest @ ..] => {
            let message = format!(
                "{} unfinished{running}: {} and {} more",
                units::grouped(waiting.len() as u64),
                named(first),
                rest.len()
            );
            Check::warning(id, message, Fix::of_program(&["custom", "uploads", "list"]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    #[test]
    fn fewer_files_than_the_connections_need_are_a_warning() {
        for (limit, status) in
            [(None, Status::Ok), (Some(1024), Status::Ok), (Some(96), Status::Ok), (Some(95), Status::Warning)]
        {
            assert_eq!(limit_of_files(limit, 96).status, status, "{limit:?}");
        }
    }

    #[test]
    fn little_space_is_a_warning() {
        for (free, status, message) in [
            (Some(ROOM), Status::Ok, "256.0 MB free in d"),
            (Some(ROOM - 1), Status::Warning, "256.0 MB free in d"),
            (Some(0), Status::Warning, "0 B free in d"),
            (None, Status::Ok, "d can be written"),
        ] {
            let check = room(Path::new("d"), free);
            assert_eq!((check.status, check.message.as_str()), (status, message), "{free:?}");
        }
    }

    #[test]
    fn a_probe_leaves_no_files_and_creates_no_directory() {
        let home = tempfile::tempdir().expect("a directory");
        let config = home.path().join("config");
        let env = Env::from_vars([(var::AZD_CONFIG_DIR, config.to_str().expect("text"))], home.path());
        assert!(!disk(&env).is_failed());
        assert_eq!(std::fs::read_dir(home.path()).expect("a directory").count(), 0);
    }
}
