//! Downloads that fail or end early: retried if that may help, and no partial file is left.

use std::fs;
use std::process::Stdio;

use super::{CREATE, Fixture, archive};
use crate::support::{Serve, eventually, wait};

const LOST: &str = "ERROR: Could not download AzCopy. Check network and try again.\n";

#[test]
fn transient_failures_are_attempted_three_times() {
    let archive = archive();
    for broken in [Serve::Status(500), Serve::Status(503), Serve::Half(archive.clone())] {
        let fixture = Fixture::new(&archive, vec![broken.clone(), broken.clone(), Serve::File(archive.clone())]);
        let output = fixture.create().success();
        assert!(output.stderr.contains("retrying (") && output.stderr.contains("(2 of 3)"), "{output}");
        fixture.assert_installed();
        fixture.server.set_responses(vec![broken]);
        fs::remove_dir_all(fixture.bin()).expect("removed");
        fixture.env.emulator().reset();
        let output = fixture.create().fails_with(9);
        assert!(output.stderr.contains(LOST), "{output}");
        fixture.assert_nothing_installed();
        assert_eq!(fixture.server.seen().len(), 6);
    }
}

#[test]
fn stalled_download_is_retried() {
    let archive = archive();
    let mut fixture =
        Fixture::new(&archive, vec![Serve::HalfThenSilence(archive.clone()), Serve::File(archive.clone())]);
    fixture.env.set("AZURE_AI_MODELS_TEST_TIME", "0.01/0.05");
    let output = fixture.create().success();
    assert!(output.stderr.contains("no response in time); retrying (2 of 3)"), "{output}");
    fixture.assert_installed();
}

#[test]
fn permanent_failures_are_not_retried() {
    let fixture = Fixture::new(b"", vec![Serve::Status(404)]);
    insta::assert_snapshot!(fixture.create().to_string().replace(&fixture.server.url(), "[SERVER]"), @"
    ------- stderr -------
    WARNING: tokenizer not found; the tokenizer of the base model may not match (missing-tokenizer). Add the model's tokenizer.json or tokenizer.model.
    azcopy was not found in PATH, [ROOT]/home/.azd/bin, [ROOT]/home/.azure/bin; downloading it from [SERVER]
    ERROR: Could not download AzCopy. Check network and try again.
    the server returned: 404 Not Found

    Suggestion: Install AzCopy v10 from https://aka.ms/downloadazcopy-v10-linux, or use --azcopy-path FILE.
    To use a company mirror, set AZURE_AI_MODELS_AZCOPY_URL and AZURE_AI_MODELS_AZCOPY_SHA256.
    To upload without AzCopy: --engine native
    [exit code: 9]
    ");
    fixture.assert_nothing_installed();
    assert_eq!(fixture.server.seen().len(), 1);
    fixture.server.set_responses(vec![Serve::Claim((500 << 20) + 1)]);
    assert!(fixture.create().fails_with(1).stderr.contains("the archive is larger than 500.0 MB"));
    fixture.assert_nothing_installed();
}

#[test]
fn interrupted_download_leaves_no_files_for_long() {
    let archive = archive();
    let mut fixture = Fixture::new(&archive, vec![Serve::HalfThenSilence(archive.clone())]);
    fixture.env.set("AZURE_AI_MODELS_TEST_TIME", "1");
    for signal in ["-INT", "-KILL"] {
        let child = fixture.env.command(&CREATE).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("started");
        eventually("the half file", || {
            fs::metadata(fixture.bin().join(".azcopy-download")).is_ok_and(|file| file.len() > 1000)
        });
        std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().expect("sent");
        let output = fixture.env.output(&wait(child));
        match signal {
            "-INT" => {
                assert!(output.fails_with(130).stderr.contains("Interrupted."));
                fixture.assert_nothing_installed();
            }
            _ => assert_eq!(fixture.installed_names(), [".azcopy-download"]),
        }
    }
    fixture.server.set_responses(vec![Serve::File(archive)]);
    fixture.create().success();
    fixture.assert_installed();
}

#[test]
fn unwritable_directory_is_named() {
    let fixture = Fixture::serving(archive());
    fs::create_dir_all(fixture.env.home().join(".azd")).expect("a directory");
    fs::write(fixture.bin(), "a file where the directory should be").expect("a file");
    let output = fixture.create().fails_with(1);
    assert!(output.stderr.contains("AzCopy was not installed: cannot write [ROOT]/home/.azd/bin"), "{output}");
    assert!(fixture.server.seen().is_empty() && fixture.env.emulator().requests().is_empty());
}
