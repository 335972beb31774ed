//! Files of a detached upload, read while a process holds its lock: here, the test holds it.

use std::fs::{self, File};
use std::path::Path;

use super::{Stage, id};
use crate::support::{Running, eventually};

fn locked(path: &Path) -> File {
    let lock = File::options().write(true).open(path).expect("the lock");
    lock.lock().expect("locked");
    lock
}

#[test]
fn running_upload_has_the_state_of_its_journal_and_not_of_its_last_result() {
    let stage = Stage::scripted("init\ndelivered config.json\nend Failed 50 1050 1 2 1\nexit 1\n");
    let started = stage.detach(&[]);
    stage.ended();
    assert_eq!(stage.listed()["state"], "failed");
    let lock = locked(&stage.directory(&started).join("lock"));
    assert_eq!(stage.listed()["state"], "uploading");
    drop(lock);
    assert_eq!(stage.listed()["state"], "failed");
}

/// The upload succeeds between the stop request and the end of the process.
#[test]
fn upload_that_succeeds_before_the_stop_is_not_reported_as_stopped() {
    let stage = Stage::scripted("default\n");
    let started = stage.detach(&[]);
    stage.ended();
    let directory = stage.directory(&started);
    let result = fs::read(directory.join("result.json")).expect("a result");
    fs::remove_file(directory.join("result.json")).expect("removed");
    let lock = locked(&directory.join("detached.lock"));
    let stop = Running::start(&stage.env, &["custom", "uploads", "stop", id(&started)]);
    eventually("the request to stop", || directory.join("stop").exists());
    fs::write(directory.join("result.json"), result).expect("written");
    drop(lock);
    let output = stop.finish(&stage.env).success();
    assert!(output.stderr.contains("had already ended") && !output.stderr.contains("To resume"), "{output}");
}
