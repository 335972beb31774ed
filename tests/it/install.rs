//! `create` on a machine without AzCopy: AzCopy is downloaded.

#![cfg(unix)]

mod failed;
mod rejected;

use std::fs;
use std::io::{Cursor, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::{FileServer, Output, Serve, Terminal, TestEnv, env_with_model, sha256, wait};

const CREATE: [&str; 8] = ["custom", "create", "--name", "my-model", "--source", "model", "--base-model", "FW-GLM-4.7"];

/// Environment without AzCopy, and a server that provides it.
struct Fixture {
    env: TestEnv,
    server: FileServer,
}

impl Fixture {
    /// Creates an environment that expects the checksum of `archive`.
    fn new(archive: &[u8], answers: Vec<Serve>) -> Self {
        let server = FileServer::start(answers);
        let mut env = env_with_model();
        env.set("PATH", "/nowhere").set("AZURE_AI_MODELS_AZCOPY_URL", &server.url());
        env.set("AZURE_AI_MODELS_AZCOPY_SHA256", &sha256(archive));
        Self { env, server }
    }

    fn serving(archive: Vec<u8>) -> Self {
        Self::new(&archive.clone(), vec![Serve::File(archive)])
    }

    #[must_use = "either snapshot the output or assert the exit code"]
    fn create(&self) -> Output {
        self.env.run(&CREATE)
    }

    fn bin(&self) -> PathBuf {
        self.env.home().join(".azd/bin")
    }

    /// Names in azd's `bin` directory.
    fn installed_names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.bin()).into_iter().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Checks that nothing was installed, and Foundry received no request.
    fn assert_nothing_installed(&self) {
        assert_eq!(self.installed_names(), [""; 0]);
        assert!(self.env.emulator().requests().is_empty(), "no request was sent to the service");
    }

    fn assert_installed(&self) {
        assert_eq!(self.installed_names(), ["azcopy", "azcopy.sha256"]);
    }
}

/// A script that starts the fake AzCopy, since packing and hashing whole programs would slow the other tests down. The
/// bytes after its end make it long enough to break off in the middle.
fn fake_azcopy() -> Vec<u8> {
    let noise: String = (0..20_000u32).map(|n| format!("{:x}", n.wrapping_mul(2_654_435_761) >> 12)).collect();
    format!("#!/bin/sh\nexec '{}' \"$@\"\n# {noise}\n", env!("CARGO_BIN_EXE_fake-azcopy")).into_bytes()
}

/// The layout of Microsoft's archives.
fn archive() -> Vec<u8> {
    tar_gz("azcopy_linux_amd64_10.32.2/azcopy", &fake_azcopy())
}

fn tar_gz(name: &str, program: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, content) in [("azcopy_linux_amd64_10.32.2/NOTICE.txt", &b"notice"[..]), (name, program)] {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        header.set_cksum();
        tar.append(&header, content).expect("an entry");
    }
    tar.into_inner().expect("a tar").finish().expect("a gzip")
}

#[test]
fn azcopy_is_installed_once_and_reused() {
    let archive = archive();
    let fixture = Fixture::serving(archive.clone());
    let first = fixture.create().success();
    let messages = first.stderr.split("\nCreating").next().expect("a part").replace(&sha256(&archive), "[SHA256]");
    let messages = messages.replace(&fixture.server.url(), "[SERVER]");
    let messages: Vec<&str> = messages.lines().filter(|line| !line.starts_with("  Downloading AzCopy... ")).collect();
    insta::assert_snapshot!(messages.join("\n"), @"
    WARNING: tokenizer not found; the tokenizer of the base model may not match (missing-tokenizer). Add the model's tokenizer.json or tokenizer.model.
    azcopy was not found in PATH, [ROOT]/home/.azd/bin, [ROOT]/home/.azure/bin; downloading it from [SERVER]
    ✓ AzCopy 10.32.2 installed
      SHA-256 of the archive: [SHA256]
    Using azcopy: [ROOT]/home/.azd/bin/azcopy (10.32.2)
    ");
    assert!(first.stderr.contains("  Downloading AzCopy... 100% ("), "{first}");
    fixture.assert_installed();
    let path = fixture.bin().join("azcopy");
    assert_eq!(fs::metadata(&path).expect("the program").permissions().mode() & 0o777, 0o755);
    assert!(fs::read(&path).expect("the program") == fake_azcopy());
    assert_eq!(
        fs::read_to_string(fixture.bin().join("azcopy.sha256")).expect("the checksum"),
        format!("{}  azcopy_linux_amd64_10.32.2.tar.gz\n", sha256(&archive))
    );
    let second = fixture.env.run(&[&CREATE[..], &["--version", "2"]].concat()).success();
    assert!(second.stderr.contains("Using azcopy: [ROOT]/home/.azd/bin/azcopy (10.32.2)\n"), "{second}");
    assert!(!second.stderr.contains("ownload"), "{second}");
    assert_eq!(fixture.server.seen().len(), 1);
}

#[test]
fn zip_of_unknown_size_is_installed_without_a_token() {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("azcopy_darwin_arm64_10.32.2/azcopy", options).expect("an entry");
    zip.write_all(&fake_azcopy()).expect("an entry");
    let zip = zip.finish().expect("a zip").into_inner();
    let fixture = Fixture::new(&zip, vec![Serve::Unsized(zip.clone())]);
    fixture.create().success();
    fixture.assert_installed();
    let seen = fixture.server.seen();
    assert!(!seen.is_empty() && !seen.iter().any(|head| head.to_lowercase().contains("authorization")), "{seen:?}");
}

#[test]
fn json_and_quiet_runs_report_the_installation() {
    let fixture = Fixture::serving(archive());
    let output = fixture.env.run(&[&CREATE[..], &["-o", "json", "-q"]].concat()).success();
    assert_eq!(output.stderr, "");
    assert_eq!(output.json()["name"], "my-model");
    let fixture = Fixture::serving(archive());
    let output = fixture.env.run(&[&CREATE[..], &["--progress", "json"]].concat()).success();
    let events = output.stderr.lines().filter(|line| line.contains("\"download.progress\"")).count();
    assert!((2..=102).contains(&events), "{output}");
    for line in output.stderr.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
}

#[test]
fn terminal_shows_one_line_that_is_cleared() {
    let archive = archive();
    let mut fixture = Fixture::new(&archive, vec![Serve::Slow(archive.clone())]);
    fixture.env.set("TERM", "xterm");
    let terminal = Terminal::start(&fixture.env, 120, &CREATE);
    let ended = terminal.finish();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    assert!(ended.raw.contains("Downloading AzCopy... "), "{}", ended.raw);
    assert!(!ended.screen.contains("Downloading AzCopy..."), "{}", ended.screen);
    assert!(ended.screen.contains("AzCopy 10.32.2 installed") && !ended.cursor_hidden, "{}", ended.screen);
}

#[test]
fn variables_are_checked_before_any_request() {
    let mut fixture = Fixture::serving(archive());
    fixture.env.unset("AZURE_AI_MODELS_AZCOPY_SHA256");
    let output = fixture.create().fails_with(2);
    insta::assert_snapshot!(output, @"
    ------- stderr -------
    WARNING: tokenizer not found; the tokenizer of the base model may not match (missing-tokenizer). Add the model's tokenizer.json or tokenizer.model.
    ERROR: AZURE_AI_MODELS_AZCOPY_URL requires AZURE_AI_MODELS_AZCOPY_SHA256, the SHA-256 of the archive

    Suggestion: To upload without AzCopy: --engine native
    [exit code: 2]
    ");
    fixture.env.set("AZURE_AI_MODELS_AZCOPY_SHA256", "abc");
    assert!(fixture.create().fails_with(2).stderr.contains("64 hexadecimal digits"));
    fixture.env.set("AZURE_AI_MODELS_AZCOPY_SHA256", &sha256(b"")).set("AZURE_AI_MODELS_AZCOPY_URL", "http://mirror/x");
    assert!(fixture.create().fails_with(2).stderr.contains("AZURE_AI_MODELS_AZCOPY_URL cannot be used: must be https"));
    fixture.assert_nothing_installed();
    assert!(fixture.server.seen().is_empty());
    // If HOME is unset, the system's user database names another home directory.
    fixture.env.set("HOME", "relative");
    assert_eq!(fixture.env.run(&[&CREATE[..], &["-o", "json"]].concat()).fails_with(1).json_error()["code"], "no_home");
}

#[test]
fn concurrent_installs_leave_one_valid_file() {
    let archive = archive();
    let fixture = Fixture::new(&archive, vec![Serve::Slow(archive.clone())]);
    let start = |version: &str| {
        let mut command = fixture.env.command(&[&CREATE[..], &["--version", version]].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
    };
    let children = [start("1"), start("2")];
    let outputs = children.map(|child| fixture.env.output(&wait(child)).success());
    let waited = outputs.iter().filter(|output| output.stderr.contains("Waiting for another process")).count();
    assert_eq!((waited, fixture.server.seen().len()), (1, 1));
    fixture.assert_installed();
}

#[test]
fn named_program_is_never_replaced_by_a_download() {
    let fixture = Fixture::serving(archive());
    assert!(fixture.env.run(&[&CREATE[..], &["--azcopy-path", "nowhere"]].concat()).fails_with(3).stdout.is_empty());
    fixture.assert_nothing_installed();
    assert!(fixture.server.seen().is_empty());
}
