//! Comparison of the store's list with a source, with recorded checksums, and with content that was read back.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::{ContentHash, FileList, content_digest};
use crate::source::FileSums;
use crate::store::StoredFile;

/// Outcome for one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum FileStatus {
    /// Only in the source.
    #[serde(rename = "missing")]
    Missing,
    /// Only in the store.
    #[serde(rename = "extra")]
    Extra,
    /// In both with different sizes.
    #[serde(rename = "other size")]
    OtherSize,
    /// Different SHA-256.
    #[serde(rename = "other content")]
    OtherContent,
    /// No difference found, but no checksum to compare.
    #[serde(rename = "unproved")]
    Unproved,
    /// Proved.
    #[serde(rename = "ok")]
    Ok,
}

impl FileStatus {
    /// The value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::OtherSize => "other size",
            Self::OtherContent => "other content",
            Self::Unproved => "unproved",
            Self::Ok => "ok",
        }
    }

    /// True for a difference.
    #[must_use]
    pub fn is_difference(self) -> bool {
        !matches!(self, Self::Unproved | Self::Ok)
    }
}

/// Proof of equality of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// Content that was read, from the source or from the store, has the expected SHA-256.
    Hashed,
    /// Name and size are equal.
    Sized,
    /// The store lists the file, and there is nothing to compare with.
    Listed,
}

impl Proof {
    /// The value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hashed => "hashed",
            Self::Sized => "sized",
            Self::Listed => "listed",
        }
    }
}

/// Result for one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedFile {
    /// Name relative to the location of the model.
    pub path: String,
    /// Outcome.
    pub status: FileStatus,
    /// Proof of equality; `None` for a difference.
    pub proof: Option<Proof>,
    /// Size in the store in bytes; `None` if it is missing there.
    pub bytes: Option<u64>,
    /// Size in the source in bytes; `None` without a source, or if it is missing there.
    pub source_bytes: Option<u64>,
    /// Expected SHA-256: that of the source, otherwise the recorded one.
    pub sha256: Option<ContentHash>,
}

/// Outcome for the digest of the whole content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum DigestStatus {
    /// The recorded one.
    #[serde(rename = "ok")]
    Ok,
    /// Another one.
    #[serde(rename = "other content")]
    OtherContent,
    /// Not recorded, not computable for lack of a checksum, or irrelevant because files differ.
    #[serde(rename = "unproved")]
    Unproved,
}

/// Comparison of all files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Files of the source and of the store, sorted by name.
    pub files: Vec<VerifiedFile>,
    /// Outcome for the digest.
    pub digest: DigestStatus,
}

impl Verification {
    /// Number of files with this status.
    #[must_use]
    pub fn count(&self, status: FileStatus) -> u64 {
        self.files.iter().filter(|file| file.status == status).count() as u64
    }

    /// Number of files with this proof.
    #[must_use]
    pub fn proved(&self, proof: Proof) -> u64 {
        self.files.iter().filter(|file| file.proof == Some(proof)).count() as u64
    }

    /// True if there is a difference.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.digest == DigestStatus::OtherContent || self.files.iter().any(|file| file.status.is_difference())
    }
}

/// Files to compare.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'a> {
    /// Files in the store, sorted by name.
    pub stored: &'a [StoredFile],
    /// Files of the source, and the checksums of those that were read.
    pub source: Option<(&'a FileList, Option<&'a FileSums>)>,
    /// Checksums of the files in the store, in their order, if they were read back.
    pub read_back: Option<&'a [ContentHash]>,
    /// Digest of the whole content that was registered with the model.
    pub digest: Option<ContentHash>,
}

/// Files of a source whose content can be compared: those with the same size in the store, and with a recorded
/// checksum unless all files are needed, for the digest or because the store's content is read.
#[must_use]
pub fn comparable_files(stored: &[StoredFile], files: &FileList, needs_all: bool) -> FileList {
    let is_compared = |file: &StoredFile| needs_all || file.sha256.is_some();
    let of_stored = |file: &StoredFile| files.get(&file.path).filter(|source| source.bytes == file.bytes).cloned();
    FileList::new(stored.iter().filter(|file| is_compared(file)).filter_map(of_stored).collect())
}

/// Known checksums of one file.
struct Sums {
    source: Option<ContentHash>,
    recorded: Option<ContentHash>,
    read_back: Option<ContentHash>,
}

impl Sums {
    /// The most reliable one: computed from content, otherwise recorded.
    fn best(&self) -> Option<ContentHash> {
        self.read_back.or(self.source).or(self.recorded)
    }

    fn is_of_content(&self) -> bool {
        self.source.is_some() || self.read_back.is_some()
    }

    /// True if all known ones are equal, false if two differ; `None` if there are fewer than two.
    fn are_equal(&self) -> Option<bool> {
        let mut known = [self.source, self.recorded, self.read_back].into_iter().flatten();
        let first = known.next()?;
        let others: Vec<ContentHash> = known.collect();
        if others.is_empty() { None } else { Some(others.iter().all(|other| *other == first)) }
    }
}

impl Comparison<'_> {
    /// Compares all files.
    #[must_use]
    pub fn verify(&self) -> Verification {
        let in_store = self.stored.iter().map(|file| file.path.as_str());
        let in_source = self.source.iter().flat_map(|(files, _)| files.iter().map(|file| file.path.as_str()));
        let paths: BTreeSet<&str> = in_store.chain(in_source).collect();
        let mut sums = Vec::with_capacity(paths.len());
        let files = paths.into_iter().map(|path| self.one(path, &mut sums)).collect();
        let mut verification = Verification { files, digest: DigestStatus::Unproved };
        self.judge_digest(&mut verification, &sums);
        verification
    }

    fn one(&self, path: &str, all_sums: &mut Vec<Sums>) -> VerifiedFile {
        let at = self.stored.binary_search_by(|file| file.path.as_str().cmp(path)).ok();
        let stored = at.map(|at| &self.stored[at]);
        let in_source = self.source.and_then(|(files, _)| files.get(path));
        let sums = Sums {
            source: self.source.and_then(|(_, sums)| sums?.get(path)),
            recorded: stored.and_then(|file| file.sha256),
            read_back: at.and_then(|at| self.read_back?.get(at).copied()),
        };
        let is_sized = self.source.is_some();
        let (status, proof) = match (stored, in_source) {
            (None, _) => (FileStatus::Missing, None),
            (Some(_), None) if is_sized => (FileStatus::Extra, None),
            (Some(stored), Some(source)) if stored.bytes != source.bytes => (FileStatus::OtherSize, None),
            (Some(_), _) => match sums.are_equal() {
                Some(false) => (FileStatus::OtherContent, None),
                Some(true) => (FileStatus::Ok, Some(Proof::Hashed)),
                None if is_sized => (FileStatus::Unproved, Some(Proof::Sized)),
                None => (FileStatus::Unproved, Some(Proof::Listed)),
            },
        };
        let (bytes, source_bytes) = (stored.map(|file| file.bytes), in_source.map(|file| file.bytes));
        let sha256 = sums.source.or(sums.recorded).or(sums.read_back);
        all_sums.push(sums);
        VerifiedFile { path: path.to_owned(), status, proof, bytes, source_bytes, sha256 }
    }

    /// Applies the digest of all files: it proves each one, or shows that one of them differs.
    fn judge_digest(&self, verification: &mut Verification, sums: &[Sums]) {
        let Some(recorded) = self.digest.filter(|_| !verification.differs() && !verification.files.is_empty()) else {
            return;
        };
        let known: Option<Vec<_>> = verification
            .files
            .iter()
            .zip(sums)
            .map(|(file, sums)| Some((file.path.as_str(), file.bytes?, sums.best()?)))
            .collect();
        let Some(known) = known else { return };
        if content_digest(known) != recorded {
            verification.digest = DigestStatus::OtherContent;
            return;
        }
        verification.digest = DigestStatus::Ok;
        for (file, sums) in verification.files.iter_mut().zip(sums) {
            file.status = FileStatus::Ok;
            if file.proof != Some(Proof::Hashed) {
                file.proof = Some(if sums.is_of_content() { Proof::Hashed } else { Proof::Sized });
            }
        }
    }
}

#[cfg(test)]
mod tests {
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
    fn without_a_sum_to_compare_with_nothing_is_proved() {
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
    fn what_was_read_back_is_compared_with_the_record_and_with_the_source() {
        let stored = stored(&[("a", 1, Some("a")), ("b", 1, None)]);
        let read = [hash("a"), hash("x")];
        let alone = Comparison { stored: &stored, read_back: Some(&read), ..NOTHING };
        assert_eq!(summary_of(&alone).0, "a ok hashed; b unproved listed");
        let (files, known) = (source(&[("a", 1), ("b", 1)]), sums(&[("a", 1, "a"), ("b", 1, "b")]));
        let with_source = Comparison { source: Some((&files, Some(&known))), ..alone };
        assert_eq!(summary_of(&with_source).0, "a ok hashed; b other content -");
        let read = [hash("x"), hash("b")];
        assert_eq!(
            summary_of(&Comparison { read_back: Some(&read), ..alone }).0,
            "a other content -; b unproved listed"
        );
    }

    #[test]
    fn the_digest_proves_all_files_or_shows_that_one_is_another() {
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
}
