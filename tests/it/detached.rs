//! Detached uploads: start, attach, end and resume.

mod attach;
mod end;
mod process;
mod records;
mod refused;

use std::cell::Cell;
use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{CREATE, Output, TestEnv, env_with_model, eventually, is_alive, send};

/// Environment of a detached upload that waits at 28 % until the test continues it.
pub(crate) struct Stage {
    pub(crate) env: TestEnv,
    pid: Cell<Option<u64>>,
}

impl Drop for Stage {
    /// Ends the processes of a failed test.
    fn drop(&mut self) {
        // AzCopy outlives a kill of the process, so a test without a resume must end it.
        let azcopy = self.env.azcopy_starts().into_iter().filter_map(|start| start["pid"].as_u64());
        for pid in self.pid.get().into_iter().chain(azcopy).filter(|pid| is_alive(*pid)) {
            send(u32::try_from(pid).expect("a process"), Signal::KILL);
        }
    }
}

impl Stage {
    fn of(env: TestEnv) -> Self {
        Self { env, pid: Cell::new(None) }
    }

    /// Uploads a small model; AzCopy waits at 28 %.
    pub(crate) fn waiting() -> Self {
        Self::scripted("init\nprogress 294 1050 0 2\nwait-file GO\ndefault\n")
    }

    /// Uploads a small model with this script, in which `GO` is the file that [`Self::release`] creates.
    pub(crate) fn scripted(script: &str) -> Self {
        let mut env = env_with_model();
        let go = env.root().join("go");
        env.azcopy_script(&script.replace("GO", &go.display().to_string()));
        Self::of(env)
    }

    /// Lets AzCopy continue.
    pub(crate) fn release(&self) {
        std::fs::write(self.env.root().join("go"), "").expect("a file");
    }

    /// Detaches the upload, and returns its output.
    pub(crate) fn detach(&self, more: &[&str]) -> Value {
        let args = [&CREATE[..], &["--detach", "--no-inhibit", "-o", "json"], more].concat();
        self.started(self.env.run(&args))
    }

    fn started(&self, output: Output) -> Value {
        let started = output.success().json();
        self.pid.set(started["pid"].as_u64());
        started
    }

    /// Waits until the process has ended.
    pub(crate) fn ended(&self) {
        let pid = self.pid.get().expect("detached");
        eventually("the end of the process", || !is_alive(pid));
    }

    pub(crate) fn uploads(&self, word: &str, more: &[&str]) -> Output {
        self.env.run(&[&["custom", "uploads", word], more].concat())
    }

    /// Attaches by id.
    pub(crate) fn attach(&self, started: &Value, more: &[&str]) -> Output {
        self.uploads("attach", &[&[started["id"].as_str().expect("an id")], more].concat())
    }

    /// The only upload in the list.
    pub(crate) fn listed(&self) -> Value {
        let list = self.uploads("list", &["-o", "json"]).success().json();
        assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
        list[0].clone()
    }

    /// Directory of the upload.
    pub(crate) fn directory(&self, started: &Value) -> PathBuf {
        self.env.home().join(".azd/ai-models/uploads").join(id(started))
    }

    /// Content of a file of the upload.
    pub(crate) fn text(&self, started: &Value, name: &str) -> String {
        let path = self.directory(started).join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
    }

    pub(crate) fn registrations(&self) -> usize {
        self.env.registrations()
    }

    /// Waits until AzCopy has reported its progress.
    pub(crate) fn at_28_percent(&self) {
        eventually("progress", || self.listed()["percent"] == 28.0);
    }
}

pub(crate) fn id(started: &Value) -> &str {
    started["id"].as_str().expect("an id")
}
