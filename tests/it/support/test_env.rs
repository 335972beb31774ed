//! Environment of one test: directories, servers, variables, and runs of the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fake_azd_host::FakeHost;
use foundry_emulator::{BlobStore, Config, Emulator};

#[cfg(unix)]
use super::BlockStore;
use super::{BlobStub, CANARY, HOME, Output, output, wait};

/// Scales of a test that reaches no limit: pauses a hundredth as long, and unscaled limits, for slow machines.
const FAST_PAUSES: &str = "0.01/1";

/// Environment of one test; removed when it is dropped.
pub(crate) struct TestEnv {
    root: tempfile::TempDir,
    blobs: BlobStub,
    /// Host and port of the blob store that the SAS URLs point to.
    store: String,
    emulator: Emulator,
    vars: Vec<(String, String)>,
}

impl TestEnv {
    /// Creates an environment with an empty project, a fake AzCopy on `PATH`, and pauses a hundredth as long.
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    /// Creates an environment whose program uses this API version.
    pub(crate) fn with_api(api: &str, config: Config) -> Self {
        let mut env = Self::with(config);
        env.set("AZURE_AI_MODELS_API_VERSION", api);
        env
    }

    /// Creates an environment with this emulator.
    pub(crate) fn with(config: Config) -> Self {
        let blobs = BlobStub::start();
        let base = blobs.base.clone();
        Self::build(config, blobs, base)
    }

    /// Creates an environment with a store that keeps its content.
    #[cfg(unix)]
    pub(crate) fn with_store(config: Config, store: &BlockStore) -> Self {
        Self::with_store_at(config, store.base.clone())
    }

    /// As [`Self::with_store`], with this base address of the upload location.
    #[cfg(unix)]
    pub(crate) fn with_store_at(config: Config, base: url::Url) -> Self {
        Self::build(config, BlobStub::start(), base)
    }

    fn build(mut config: Config, blobs: BlobStub, base: url::Url) -> Self {
        let store = base.authority().to_owned();
        config.blobs = BlobStore::None { base, extra_sas_query: Some(format!("secret={CANARY}")) };
        config.clock.get_or_insert(time::macros::datetime!(2026-02-14 10:30:00 UTC));
        let root = tempfile::tempdir().expect("a directory");
        let bin = root.path().join("bin");
        fs::create_dir_all(&bin).expect("a directory");
        fs::create_dir_all(root.path().join("home")).expect("a directory");
        fs::create_dir_all(root.path().join("here")).expect("a directory");
        link(Path::new(env!("CARGO_BIN_EXE_fake-azcopy")), &bin.join("azcopy"));
        let emulator = Emulator::start(config).expect("an emulator");
        let vars = [
            (HOME, root.path().join("home").to_string_lossy().into_owned()),
            ("PATH", bin.to_string_lossy().into_owned()),
            ("AZURE_PROJECT_ENDPOINT", emulator.endpoint()),
            ("AZURE_AI_MODELS_CREDENTIAL", "emulator".into()),
            ("AZURE_AI_MODELS_TEST_TIME", FAST_PAUSES.into()),
            // Nothing may be downloaded from the internet: this port refuses connections.
            ("AZURE_AI_MODELS_AZCOPY_URL", "http://127.0.0.1:9/azcopy.tar.gz".into()),
            ("AZURE_AI_MODELS_AZCOPY_SHA256", "0".repeat(64)),
        ];
        let vars = vars.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { root, blobs, store, emulator, vars }
    }

    /// The local Foundry project.
    pub(crate) fn emulator(&self) -> &Emulator {
        &self.emulator
    }

    /// Blob store that the SAS URLs point to.
    pub(crate) fn blobs(&self) -> &BlobStub {
        &self.blobs
    }

    /// Root directory of the environment; holds scripts and records, the home directory and the working directory.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// Directory on `PATH`, with the fake AzCopy in it.
    #[cfg(unix)]
    pub(crate) fn bin(&self) -> PathBuf {
        self.root.path().join("bin")
    }

    /// Puts a shell script on `PATH`, replacing any existing program.
    #[cfg(unix)]
    pub(crate) fn program(&self, name: &str, script: &str) -> PathBuf {
        use std::io::Write;
        let path = self.bin().join(name);
        // Writing to a link would change its target.
        drop(fs::remove_file(&path));
        // A child process writes the file: another thread cannot start a file that this process holds open for writing.
        let mut writer = Command::new("/bin/sh")
            .args(["-c", "cat > \"$1\" && chmod 755 \"$1\"", "sh"])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell");
        let script = format!("#!/bin/sh\n{script}\n");
        writer.stdin.take().expect("a pipe").write_all(script.as_bytes()).expect("written");
        assert!(writer.wait().expect("an end").success());
        path
    }

    /// Home directory of the program.
    pub(crate) fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// Working directory of the program.
    pub(crate) fn work(&self) -> PathBuf {
        self.root.path().join("here")
    }

    /// Makes azd the parent of the next runs.
    pub(crate) fn run_by(&mut self, host: &FakeHost) -> &mut Self {
        self.set("AZD_SERVER", &host.address()).set("AZD_ACCESS_TOKEN", &host.token())
    }

    /// Sets a variable for the next runs.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.unset(name);
        self.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Removes a variable for the next runs.
    pub(crate) fn unset(&mut self, name: &str) -> &mut Self {
        self.vars.retain(|(known, _)| known != name);
        self
    }

    /// Writes a file below the working directory.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.work().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(&path, content).expect("a file");
        path
    }

    /// Writes a small model folder named `model`: 2 files, 1,050 bytes, and a `.gitattributes` that is not uploaded.
    /// The check reports only the missing tokenizer.
    pub(crate) fn write_model(&self) {
        let header = r#"{"weight":{"dtype":"U8","shape":[904],"data_offsets":[0,904]}}"#;
        let mut weights = 88_u64.to_le_bytes().to_vec();
        weights.extend_from_slice(format!("{header:<88}").as_bytes());
        weights.resize(1000, 7);
        self.write("model/model.safetensors", weights);
        self.write("model/config.json", format!("{:<50}", "{}"));
        self.write("model/.gitattributes", "* binary");
    }

    /// Makes the fake AzCopy follow this script (tests/fakes/azcopy.rs).
    pub(crate) fn azcopy_script(&mut self, script: &str) -> &mut Self {
        let path = self.root.path().join("azcopy-script");
        fs::write(&path, script).expect("a script");
        self.set("FAKE_AZCOPY_SCRIPT", &path.to_string_lossy())
    }

    /// Starts of the fake AzCopy, one object per start.
    pub(crate) fn azcopy_starts(&self) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(self.azcopy_record()).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
    }

    /// Files to upload of each start of the fake AzCopy.
    pub(crate) fn azcopy_lists(&self) -> Vec<String> {
        self.azcopy_starts().iter().map(|start| start["list"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Number of registration requests.
    pub(crate) fn registrations(&self) -> usize {
        self.emulator.requests().iter().filter(|request| request.path.ends_with("/createAsync")).count()
    }

    fn azcopy_record(&self) -> PathBuf {
        self.root.path().join("azcopy-record")
    }

    /// Command of the program, ready to start.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_azure-ai-models"));
        command.args(args).env_clear().current_dir(self.work()).stdin(Stdio::null());
        command.env("FAKE_AZCOPY_RECORD", self.azcopy_record());
        for (name, value) in &self.vars {
            command.env(name, value);
        }
        command
    }

    /// Runs the program to its end, without a terminal.
    #[must_use = "either snapshot the output or assert the exit code"]
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.finish(self.command(args))
    }

    /// Runs the program after some shell commands, such as limits.
    #[cfg(unix)]
    #[must_use = "either snapshot the output or assert the exit code"]
    pub(crate) fn run_after(&self, shell: &str, args: &[&str]) -> Output {
        let plain = self.command(args);
        let mut command = Command::new("/bin/sh");
        let script = format!("{shell}; exec \"$0\" \"$@\"");
        command.args(["-c", &script]).arg(plain.get_program()).args(args);
        command.env_clear().current_dir(self.work()).stdin(Stdio::null());
        for (name, value) in plain.get_envs() {
            command.env(name, value.expect("a value"));
        }
        self.finish(command)
    }

    /// Runs a prepared command to its end.
    #[must_use = "either snapshot the output or assert the exit code"]
    pub(crate) fn finish(&self, mut command: Command) -> Output {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        self.output(&wait(child))
    }

    /// Output of a finished run, as one value.
    #[must_use = "either snapshot the output or assert the exit code"]
    pub(crate) fn output(&self, raw: &std::process::Output) -> Output {
        Output::new(raw, &self.filters())
    }

    /// Screen of a terminal, without text that differs between runs.
    pub(crate) fn clean(&self, text: &str) -> String {
        output::clean(text, &self.filters())
    }

    fn filters(&self) -> [(String, &'static str); 3] {
        let root = self.root.path().to_string_lossy().into_owned();
        let authority = self.emulator.endpoint().split('/').nth(2).unwrap_or_default().to_owned();
        [(root, "[ROOT]"), (authority, "[EMULATOR]"), (self.store.clone(), "[BLOBS]")]
    }
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) {
    std::os::unix::fs::symlink(from, to).expect("a link");
}

#[cfg(not(unix))]
fn link(from: &Path, to: &Path) {
    fs::copy(from, to.with_extension("exe")).expect("a copy");
}
