//! Downloads that are not trusted: checksum, hosts of redirects, content of the archive.

use super::{Fixture, archive, fake_azcopy, tar_gz};
use crate::support::{FileServer, Serve, sha256};

#[test]
fn wrong_checksum_is_rejected() {
    let fixture = Fixture::new(b"another", vec![Serve::File(archive())]);
    let output = fixture.create().fails_with(1);
    assert!(
        output.stderr.contains(&format!("but {} is {}", "AZURE_AI_MODELS_AZCOPY_SHA256", sha256(b"another"))),
        "{output}"
    );
    fixture.assert_nothing_installed();
    assert_eq!(fixture.server.seen().len(), 1, "the same archive would be returned again");
}

#[test]
fn redirects_are_limited_to_the_host_and_in_number() {
    let archive = archive();
    let other_port = FileServer::start(vec![Serve::File(archive.clone())]);
    let fixture = Fixture::new(&archive, vec![Serve::Redirect("/once".into()), Serve::Redirect(other_port.url())]);
    fixture.create().success();
    fixture.assert_installed();
    assert_eq!((fixture.server.seen().len(), other_port.seen().len()), (2, 1));

    for foreign in ["https://evilgithub.com/azcopy.tar.gz?sig=CANARY", "http://localhost:1/x", "ftp://127.0.0.1/x"] {
        let fixture = Fixture::new(&archive, vec![Serve::Redirect(foreign.into())]);
        let output = fixture.create().fails_with(9);
        assert!(
            output.stderr.contains("which is not a known download host of AzCopy") && !output.stderr.contains("CANARY"),
            "{output}"
        );
        fixture.assert_nothing_installed();
        assert_eq!(fixture.server.seen().len(), 1);
    }
    let fixture = Fixture::new(&archive, vec![Serve::Redirect("/again".into())]);
    assert!(fixture.create().fails_with(9).stderr.contains("too many redirects"));
    fixture.assert_nothing_installed();
    assert_eq!(fixture.server.seen().len(), 11);
}

#[test]
fn invalid_archive_is_rejected() {
    let program = fake_azcopy();
    let script = |text: &str| tar_gz("d/azcopy", format!("#!/bin/sh\n{text}\n").as_bytes());
    for (archive, words) in [
        (b"<!DOCTYPE html>".to_vec(), "not a tar.gz or zip archive"),
        (tar_gz("d/../azcopy", &program), "the archive contains an unsafe name: d/../azcopy"),
        (tar_gz("/d/azcopy", &program), "the archive contains an unsafe name: /d/azcopy"),
        (tar_gz("azcopy", &program), "the archive contains no azcopy"),
        (tar_gz("d/azcopy", b"no program"), "does not start"),
        (script("echo GNU cp 9"), "is not AzCopy"),
        (script("echo azcopy version 11.0.0"), "is AzCopy 11.0.0; 10.14 or a newer version 10 is required"),
        (script("echo no library >&2; exit 127"), "does not run (exit 127): no library"),
    ] {
        let fixture = Fixture::serving(archive);
        let output = fixture.create().fails_with(1);
        assert!(output.stderr.contains("ERROR: the downloaded AzCopy was rejected: "), "{output}");
        assert!(output.stderr.contains(words), "{words}: {output}");
        fixture.assert_nothing_installed();
    }
}
