use std::io::Cursor;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

const PROGRAM: &[u8] = b"the program";
const LIMIT: u64 = 1 << 20;

/// tar.gz of these entries, including names that the library would reject.
fn tar_gz(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, kind, content) in entries {
        let mut header = Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, *content).expect("an entry");
    }
    tar.into_inner().expect("a tar").finish().expect("a gzip")
}

fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).expect("an entry");
        zip.write_all(content).expect("an entry");
    }
    zip.finish().expect("a zip").into_inner()
}

/// Unpacked content, or the error message.
fn out(archive: &[u8], limit: u64) -> Result<Vec<u8>, String> {
    let (mut packed, mut unpacked) = (tempfile::tempfile().expect("a file"), tempfile::tempfile().expect("a file"));
    packed.write_all(archive).expect("a file");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    match runtime.block_on(unpack(&mut packed, "azcopy", limit, &mut unpacked)) {
        Ok(()) => {
            let mut content = Vec::new();
            unpacked.rewind().expect("a file");
            unpacked.read_to_end(&mut content).expect("a file");
            Ok(content)
        }
        Err(UnpackError::Flaw(flaw)) => Err(flaw.to_string()),
        Err(UnpackError::Write(why)) => panic!("{why}"),
    }
}

fn error_of(archive: &[u8]) -> String {
    out(archive, LIMIT).expect_err("refused")
}

#[test]
fn archive_survives_mutation() {
    let tar = tar_gz(&[
        ("azcopy_linux/azcopy", EntryType::Regular, PROGRAM),
        ("azcopy_linux/NOTICE", EntryType::Regular, b"n"),
    ]);
    let zip = zipped(&[("azcopy_windows/azcopy.exe", PROGRAM), ("azcopy_windows/azcopy", PROGRAM)]);
    crate::fuzz::fuzz("archive", &[&tar, &zip], |input| {
        if let Ok(content) = out(input, LIMIT) {
            assert!(content.len() as u64 <= LIMIT);
        }
    });
}

const FILE: EntryType = EntryType::Regular;

#[test]
fn only_the_program_is_unpacked() {
    let tar = tar_gz(&[
        ("pax_global_header", EntryType::XGlobalHeader, b"52 comment=x\n"),
        ("azcopy_linux_amd64_10.32.2/", EntryType::Directory, b""),
        ("azcopy_linux_amd64_10.32.2/NOTICE.txt", FILE, b"notice"),
        ("azcopy_linux_amd64_10.32.2/azcopy", FILE, PROGRAM),
        ("azcopy_linux_amd64_10.32.2/deep/azcopy", FILE, b"another"),
        ("azcopy", FILE, b"another"),
    ]);
    assert_eq!(out(&tar, LIMIT).expect("taken"), PROGRAM);
    assert_eq!(out(&tar_gz(&[("./d/azcopy", FILE, PROGRAM)]), LIMIT).expect("taken"), PROGRAM);
    let zip = zipped(&[("d/NOTICE.txt", b"notice"), ("d/azcopy", PROGRAM), ("d/e/azcopy", b"another")]);
    assert_eq!(out(&zip, LIMIT).expect("taken"), PROGRAM);
}

#[test]
fn unsafe_names_are_rejected_at_any_position() {
    for name in ["../azcopy", "d/../azcopy", "/d/azcopy", "\\d\\azcopy", "C:/azcopy", "C:azcopy", "d/..", "..\\azcopy"]
    {
        let last = tar_gz(&[("d/azcopy", FILE, PROGRAM), (name, FILE, b"x")]);
        let first = tar_gz(&[(name, FILE, b"x"), ("d/azcopy", FILE, PROGRAM)]);
        for archive in [last, first, zipped(&[("d/azcopy", PROGRAM), (name, b"x")])] {
            assert!(
                error_of(&archive).starts_with("the archive contains an unsafe name: "),
                "{name}: {}",
                error_of(&archive)
            );
        }
    }
}

#[test]
fn links_and_special_files_are_refused() {
    for kind in [EntryType::Symlink, EntryType::Link] {
        assert_eq!(error_of(&tar_gz(&[("d/azcopy", kind, b"")])), "the archive contains a link: d/azcopy");
        assert_eq!(
            error_of(&tar_gz(&[("d/azcopy", FILE, PROGRAM), ("d/x", kind, b"")])),
            "the archive contains a link: d/x"
        );
    }
    for kind in [EntryType::Fifo, EntryType::Char, EntryType::Block, EntryType::GNUSparse] {
        assert_eq!(error_of(&tar_gz(&[("d/azcopy", kind, b"")])), "d/azcopy in the archive is not a regular file");
    }
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("d/azcopy", "/bin/sh", SimpleFileOptions::default()).expect("a link");
    assert_eq!(error_of(&zip.finish().expect("a zip").into_inner()), "the archive contains a link: d/azcopy");
}

#[test]
fn an_archive_without_exactly_one_program_is_rejected() {
    let tar = |names: &[&str]| tar_gz(&names.iter().map(|name| (*name, FILE, PROGRAM)).collect::<Vec<_>>());
    let zip = |names: &[&str]| zipped(&names.iter().map(|name| (*name, PROGRAM)).collect::<Vec<_>>());
    for (names, expected) in [
        (&[][..], "the archive contains no azcopy"),
        (&["azcopy"], "the archive contains no azcopy"),
        (&["a/b/azcopy", "d/azcopy.exe", "d/AZCOPY", "d/azcopy2"], "the archive contains no azcopy"),
        (&["d/azcopy", "e/azcopy"], "the archive contains more than one azcopy"),
    ] {
        assert_eq!(error_of(&tar(names)), expected);
        // An empty zip has another signature.
        if !names.is_empty() {
            assert_eq!(error_of(&zip(names)), expected);
        }
    }
    assert_eq!(error_of(&tar_gz(&[("d/azcopy/", EntryType::Directory, b"")])), "the archive contains no azcopy");
}

#[test]
fn other_formats_and_truncated_archives_are_rejected() {
    for other in [&b""[..], b"P", b"<!DOCTYPE html>", b"\x7fELF", b"PK\x05\x06"] {
        assert_eq!(error_of(other), "not a tar.gz or zip archive");
    }
    let noise: Vec<u8> = (0..100_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for whole in [tar_gz(&[("d/azcopy", FILE, &noise)]), zipped(&[("d/azcopy", &noise)])] {
        assert_eq!(out(&whole, LIMIT).expect("whole"), noise);
        for cut in [5, whole.len() / 2, whole.len() - 1] {
            assert!(out(&whole[..cut], LIMIT).is_err(), "{cut} of {}", whole.len());
        }
        // One flipped bit in the middle.
        let mut bent = whole.clone();
        bent[whole.len() / 2] ^= 0x10;
        assert!(error_of(&bent).contains("damaged"), "{}", error_of(&bent));
    }
}

#[test]
fn an_archive_bomb_is_stopped_at_the_limit() {
    let zeros = vec![0; 3 << 20];
    for archive in [
        tar_gz(&[("d/azcopy", FILE, &zeros)]),
        tar_gz(&[("d/other", FILE, &zeros), ("d/azcopy", FILE, PROGRAM)]),
        tar_gz(&[("d/azcopy", FILE, PROGRAM), ("d/other", FILE, &zeros)]),
        zipped(&[("d/azcopy", &zeros)]),
    ] {
        assert!(archive.len() < 100_000);
        assert_eq!(error_of(&archive), "the archive unpacks to more than 1.0 MB");
    }
    // Other entries of a zip are not unpacked either.
    let beside = zipped(&[("d/other", &zeros), ("d/azcopy", PROGRAM)]);
    assert_eq!(out(&beside, LIMIT).expect("taken"), PROGRAM);
}

#[test]
fn declared_sizes_are_not_trusted() {
    // The central directory of the zip declares one byte; the program has more.
    let mut zip = zipped(&[("d/azcopy", PROGRAM)]);
    let central = zip.windows(4).position(|four| four == b"PK\x01\x02").expect("a directory");
    zip[central + 24..central + 28].copy_from_slice(&1u32.to_le_bytes());
    assert!(out(&zip, LIMIT).is_err());
    // A tar with an entry that declares more bytes than it has.
    let mut header = Header::new_gnu();
    header.as_mut_bytes()[..8].copy_from_slice(b"d/azcopy");
    header.set_size(1 << 40);
    header.set_mode(0o644);
    header.set_entry_type(FILE);
    header.set_cksum();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(header.as_bytes()).expect("a header");
    gzip.write_all(PROGRAM).expect("content");
    assert_eq!(error_of(&gzip.finish().expect("a gzip")), "the archive is damaged: unexpected end");
}
