//! Downloads that fail or end in the middle: retried if that may help, and nothing half-done is left.

use std::fs;
use std::process::Stdio;

use super::{CREATE, World, archive};
use crate::support::{Serve, eventually, wait};

const LOST: &str = "ERROR: Could not download AzCopy. Check network and try again.\n";

#[test]
fn transient_failures_are_tried_three_times() {
    let archive = archive();
    for broken in [Serve::Status(500), Serve::Status(503), Serve::Half(archive.clone())] {
        let world = World::new(&archive, vec![broken.clone(), broken.clone(), Serve::File(archive.clone())]);
        let output = world.create().success();
        assert!(output.stderr.contains("retrying (") && output.stderr.contains("(2 of 3)"), "{output}");
        world.installed();
        world.server.plays(vec![broken]);
        fs::remove_dir_all(world.bin()).expect("removed");
        world.env.emulator().reset();
        let output = world.create().fails_with(9);
        assert!(output.stderr.contains(LOST), "{output}");
        world.nothing_happened();
        assert_eq!(world.server.seen().len(), 6);
    }
}

#[test]
fn a_stalled_download_is_retried() {
    let archive = archive();
    let mut world = World::new(&archive, vec![Serve::HalfThenSilence(archive.clone()), Serve::File(archive.clone())]);
    world.env.set("AZURE_AI_MODELS_TEST_TIME", "0.01/0.05");
    let output = world.create().success();
    assert!(output.stderr.contains("no response in time); retrying (2 of 3)"), "{output}");
    world.installed();
}

#[test]
fn lasting_failures_are_not_retried() {
    let world = World::new(b"", vec![Serve::Status(404)]);
    insta::assert_snapshot!(world.create().to_string().replace(&world.server.url(), "[SERVER]"), @"
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
    world.nothing_happened();
    assert_eq!(world.server.seen().len(), 1);
    world.server.plays(vec![Serve::Claim((500 << 20) + 1)]);
    assert!(world.create().fails_with(1).stderr.contains("the archive is larger than 500.0 MB"));
    world.nothing_happened();
}

#[test]
fn an_end_in_the_middle_leaves_nothing_for_long() {
    let archive = archive();
    let mut world = World::new(&archive, vec![Serve::HalfThenSilence(archive.clone())]);
    world.env.set("AZURE_AI_MODELS_TEST_TIME", "1");
    for signal in ["-INT", "-KILL"] {
        let child = world.env.command(&CREATE).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("started");
        eventually("the half file", || {
            fs::metadata(world.bin().join(".azcopy-download")).is_ok_and(|file| file.len() > 1000)
        });
        std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().expect("sent");
        let output = world.env.output(&wait(child));
        match signal {
            "-INT" => {
                assert!(output.fails_with(130).stderr.contains("Interrupted."));
                world.nothing_happened();
            }
            _ => assert_eq!(world.left(), [".azcopy-download"]),
        }
    }
    world.server.plays(vec![Serve::File(archive)]);
    world.create().success();
    world.installed();
}

#[test]
fn an_unwritable_directory_is_named() {
    let world = World::serving(archive());
    fs::create_dir_all(world.env.home().join(".azd")).expect("a directory");
    fs::write(world.bin(), "a file where the directory should be").expect("a file");
    let output = world.create().fails_with(1);
    assert!(output.stderr.contains("AzCopy was not installed: cannot write [ROOT]/home/.azd/bin"), "{output}");
    assert!(world.server.seen().is_empty() && world.env.emulator().requests().is_empty());
}
