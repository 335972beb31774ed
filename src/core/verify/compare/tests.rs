use super::*;
use crate::model::SourceFile;
use crate::store::BlobVersion;

fn hash(content: &str) -> ContentHash {
    ContentHash::of(content.as_bytes())
}

fn stored(files: &[(&str, u64, Option<&str>)]) -> Vec<StoredFile> {
    let file = |(path, bytes, sum): &(&str, u64, Option<&str>)| StoredFile {
        path: (*path).into(),
        bytes: *bytes,
        sha256: sum.map(hash),
        version: BlobVersion::default(),
    };
    files.iter().map(file).collect()
}

fn source(files: &[(&str, u64)]) -> FileList {
    let file = |(path, bytes): &(&str, u64)| SourceFile { path: (*path).into(), bytes: *bytes, modified: 0 };
    FileList::new(files.iter().map(file).collect())
}

fn sums(files: &[(&str, u64, &str)]) -> FileSums {
    let list = source(&files.iter().map(|(path, bytes, _)| (*path, *bytes)).collect::<Vec<_>>());
    FileSums::new(list, files.iter().map(|(.., content)| hash(content)).collect()).expect("sums")
}

fn digest(files: &[(&str, u64, &str)]) -> ContentHash {
    sums(files).digest()
}

/// `a ok hashed; b missing -`, and the digest.
fn summary_of(compared: &Comparison<'_>) -> (String, DigestStatus) {
    let verification = compared.verify();
    let line = |file: &VerifiedFile| {
        format!("{} {} {}", file.path, file.status.as_str(), file.proof.map_or("-", Proof::as_str))
    };
    (verification.files.iter().map(line).collect::<Vec<_>>().join("; "), verification.digest)
}

const NOTHING: Comparison<'_> = Comparison { stored: &[], source: None, read_back: None, digest: None };

#[test]
fn every_difference_from_a_source_is_found() {
    let stored = stored(&[("a", 1, Some("a")), ("b", 1, Some("b")), ("c", 2, Some("c")), ("e", 1, None)]);
    let files = source(&[("a", 1), ("b", 1), ("c", 1), ("d", 1), ("f", 1)]);
    let known = sums(&[("a", 1, "a"), ("b", 1, "x")]);
    let compared = Comparison { stored: &stored, source: Some((&files, Some(&known))), ..NOTHING };
    let words = "a ok hashed; b other content -; c other size -; d missing -; e extra -; f missing -";
    assert_eq!(summary_of(&compared), (words.to_owned(), DigestStatus::Unproved));
    assert!(compared.verify().differs());
}

#[test]
fn without_a_checksum_nothing_is_verified() {
    let stored = stored(&[("a", 1, None), ("b", 1, Some("b"))]);
    let alone = Comparison { stored: &stored, ..NOTHING };
    assert_eq!(summary_of(&alone).0, "a unproved listed; b unproved listed");
    let files = source(&[("a", 1), ("b", 1)]);
    let known = sums(&[("b", 1, "b")]);
    let with_source = Comparison { source: Some((&files, Some(&known))), ..alone };
    assert_eq!(summary_of(&with_source).0, "a unproved sized; b ok hashed");
    assert!(!with_source.verify().differs());
    assert_eq!(comparable_files(&stored, &files, false).len(), 1);
    assert_eq!(comparable_files(&stored, &files, true).len(), 2);
    assert_eq!(comparable_files(&stored, &source(&[("a", 2), ("b", 2)]), true).len(), 0);
}

#[test]
fn content_read_back_is_compared_with_the_record_and_the_source() {
    let stored = stored(&[("a", 1, Some("a")), ("b", 1, None)]);
    let read = [hash("a"), hash("x")];
    let alone = Comparison { stored: &stored, read_back: Some(&read), ..NOTHING };
    assert_eq!(summary_of(&alone).0, "a ok hashed; b unproved listed");
    let (files, known) = (source(&[("a", 1), ("b", 1)]), sums(&[("a", 1, "a"), ("b", 1, "b")]));
    let with_source = Comparison { source: Some((&files, Some(&known))), ..alone };
    assert_eq!(summary_of(&with_source).0, "a ok hashed; b other content -");
    let read = [hash("x"), hash("b")];
    assert_eq!(summary_of(&Comparison { read_back: Some(&read), ..alone }).0, "a other content -; b unproved listed");
}

#[test]
fn the_digest_verifies_all_files_or_shows_that_one_differs() {
    let (files, known) = (source(&[("a", 1), ("b", 1)]), sums(&[("a", 1, "a"), ("b", 1, "b")]));
    let good = Some(digest(&[("a", 1, "a"), ("b", 1, "b")]));
    let other = Some(digest(&[("a", 1, "a"), ("b", 1, "x")]));
    let (bare, recorded) =
        (stored(&[("a", 1, None), ("b", 1, None)]), stored(&[("a", 1, Some("a")), ("b", 1, Some("b"))]));
    let of_source = Some((&files, Some(&known)));
    let hashed = "a ok hashed; b ok hashed";
    for (stored, source, digest, words, status) in [
        (&bare, of_source, good, hashed, DigestStatus::Ok),
        (&bare, of_source, other, "a unproved sized; b unproved sized", DigestStatus::OtherContent),
        (&bare, of_source, None, "a unproved sized; b unproved sized", DigestStatus::Unproved),
        (&bare, None, good, "a unproved listed; b unproved listed", DigestStatus::Unproved),
        (&recorded, None, good, "a ok sized; b ok sized", DigestStatus::Ok),
        (&recorded, None, other, "a unproved listed; b unproved listed", DigestStatus::OtherContent),
        (&recorded, of_source, good, hashed, DigestStatus::Ok),
    ] {
        let compared = Comparison { stored, source, read_back: None, digest };
        assert_eq!(summary_of(&compared), (words.to_owned(), status));
        assert_eq!(compared.verify().differs(), status == DigestStatus::OtherContent);
    }
    let read = [hash("a"), hash("b")];
    let read_back = Comparison { stored: &bare, source: None, read_back: Some(&read), digest: good };
    assert_eq!(summary_of(&read_back), (hashed.to_owned(), DigestStatus::Ok));
}
