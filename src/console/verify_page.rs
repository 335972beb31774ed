//! The page of `custom verify`. Pure.

use super::table::{TableStyle, table};
use azure_ai_models_core::units;
use azure_ai_models_core::verify::{DigestStatus, FileStatus, Proof, Verification, VerifiedFile};

/// Files with their results, differences first, and the number of files per proof; only the differences if quiet.
#[must_use]
pub(crate) fn verify_page(verification: &Verification, style: TableStyle) -> String {
    let mut files: Vec<&VerifiedFile> = verification.files.iter().collect();
    files.sort_by_key(|file| file.status);
    if !style.summary {
        files.retain(|file| file.status.is_difference());
    }
    let rows: Vec<Vec<String>> = files.into_iter().map(cells).collect();
    let mut page = String::new();
    if !rows.is_empty() {
        page = table(&["FILE", "STATUS", "PROVED", "SIZE"], rows, 1, style);
    }
    if style.summary {
        page = format!("{page}\n{}\n", summary(verification));
    }
    page
}

fn cells(file: &VerifiedFile) -> Vec<String> {
    let size = |bytes: Option<u64>| bytes.map_or_else(|| "-".to_owned(), units::bytes);
    let sizes = match (file.bytes, file.source_bytes) {
        (Some(stored), Some(source)) if stored != source => {
            format!("{} in the store, {} in the source", exact(stored, source), exact(source, stored))
        }
        (stored, source) => size(stored.or(source)),
    };
    let proved = file.proof.map_or("-", Proof::as_str).to_owned();
    vec![file.path.clone(), file.status.as_str().to_owned(), proved, sizes]
}

/// Size in a form that differs from that of the other one.
fn exact(bytes: u64, other: u64) -> String {
    match units::bytes(bytes) == units::bytes(other) {
        true => format!("{} bytes", units::grouped(bytes)),
        false => units::bytes(bytes),
    }
}

/// Formats `2 files: 2 hashed`, and the differences.
fn summary(verification: &Verification) -> String {
    let files = units::count(verification.files.len() as u64, "file", "files");
    let proofs = [Proof::Hashed, Proof::Sized, Proof::Listed].map(|proof| (verification.proved(proof), proof.as_str()));
    let mut parts: Vec<String> = counted(&proofs).collect();
    if verification.differs() {
        parts.push(differences(verification));
    }
    if parts.is_empty() { files } else { format!("{files}: {}", parts.join(", ")) }
}

fn counted<'a>(numbers: &'a [(u64, &'static str)]) -> impl Iterator<Item = String> + 'a {
    numbers.iter().filter(|(number, _)| *number > 0).map(|(number, word)| format!("{} {word}", units::grouped(*number)))
}

/// Formats the differences: `1 missing, 2 other content`.
#[must_use]
pub(crate) fn differences(verification: &Verification) -> String {
    let statuses = [FileStatus::Missing, FileStatus::Extra, FileStatus::OtherSize, FileStatus::OtherContent];
    let numbers = statuses.map(|status| (verification.count(status), status.as_str()));
    let mut parts: Vec<String> = counted(&numbers).collect();
    if verification.digest == DigestStatus::OtherContent {
        parts.push("the content digest differs from the registered one".to_owned());
    }
    parts.join(", ")
}

/// Reason why files are unverified, and how to verify them.
#[must_use]
pub(crate) fn unproved(files: u64, has_source: bool, is_full: bool) -> String {
    let what = units::count(files, "file", "files");
    let why = "the upload recorded no SHA-256 to compare with";
    match (has_source, is_full) {
        (true, false) => {
            format!("The content of {what} is not proved: {why}. Use --full to read the registered files back.")
        }
        (_, true) => format!("The content of {what} is not proved: {why}. Use --source PATH."),
        (false, false) => format!(
            "The content of {what} is not proved. Name the source with --source PATH, or read the registered files \
             back with --full."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, status: FileStatus, proof: Option<Proof>, sizes: (Option<u64>, Option<u64>)) -> VerifiedFile {
        let (bytes, source_bytes) = sizes;
        VerifiedFile { path: path.into(), status, proof, bytes, source_bytes, sha256: None }
    }

    fn verification() -> Verification {
        let files = vec![
            file("a\u{1b}.bin", FileStatus::Ok, Some(Proof::Hashed), (Some(5), Some(5))),
            file("b.bin", FileStatus::OtherSize, None, (Some(5), Some(2048))),
            file("c.bin", FileStatus::OtherSize, None, (Some(2_000_000), Some(2_000_001))),
            file("d.bin", FileStatus::Missing, None, (None, Some(2048))),
            file("e.bin", FileStatus::Extra, None, (Some(7), None)),
            file("f.bin", FileStatus::OtherContent, None, (Some(7), Some(7))),
            file("g.bin", FileStatus::Unproved, Some(Proof::Sized), (Some(7), Some(7))),
        ];
        Verification { files, digest: DigestStatus::Unproved }
    }

    #[test]
    fn differences_come_first() {
        let style = TableStyle { width: None, summary: true };
        insta::assert_snapshot!("verify_page", verify_page(&verification(), style));
        let quiet = TableStyle { width: None, summary: false };
        let lines = verify_page(&verification(), quiet);
        assert_eq!(lines.lines().count(), 6, "{lines}");
    }

    #[test]
    fn quiet_prints_nothing_without_differences() {
        let files = vec![file("a", FileStatus::Ok, Some(Proof::Hashed), (Some(5), Some(5)))];
        let mut same = Verification { files, digest: DigestStatus::Ok };
        assert_eq!(verify_page(&same, TableStyle { width: None, summary: false }), "");
        assert!(verify_page(&same, TableStyle { width: None, summary: true }).ends_with("\n1 file: 1 hashed\n"));
        same.digest = DigestStatus::OtherContent;
        assert_eq!(differences(&same), "the content digest differs from the registered one");
    }
}
