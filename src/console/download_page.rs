//! Texts of `custom download`. Pure.

use azure_ai_models_core::display::printable;
use azure_ai_models_core::download::PresentContent;
use azure_ai_models_core::units;

fn files(number: u64) -> String {
    units::count(number, "file", "files")
}

/// First line: `Downloading model 'm' (version 1) to ./out: 2 files, 1.0 GB`.
#[must_use]
pub(crate) fn start_line(name: &str, version: &str, to: &str, there: &PresentContent) -> String {
    let (what, bytes) = (files(there.missing), units::bytes(there.missing_bytes));
    format!("Downloading model '{name}' (version {version}) to {}: {what}, {bytes}", printable(to))
}

/// Line about files that are already present; `None` if there are none.
#[must_use]
pub(crate) fn present_content(there: &PresentContent) -> Option<String> {
    let PresentContent { present, completed, bytes, partial_bytes, .. } = *there;
    let complete = (present + completed > 0)
        .then(|| format!("{} ({}) already downloaded", files(present + completed), units::bytes(bytes)));
    let partial = (partial_bytes > 0).then(|| format!("{} of the rest", units::bytes(partial_bytes)));
    match (complete, partial) {
        (None, None) => None,
        (Some(complete), None) => Some(format!("{complete}.")),
        (Some(complete), Some(partial)) => Some(format!("Resuming download: {complete}, and {partial}.")),
        (None, Some(_)) => Some(format!("Resuming download: {} already downloaded.", units::bytes(partial_bytes))),
    }
}

/// Summary line.
#[must_use]
pub(crate) fn summary(to: &str, (all, bytes): (u64, u64), downloaded: u64, hashed: u64) -> String {
    let proved = match (hashed, all - hashed) {
        (0, _) => "sized".to_owned(),
        (_, 0) => "hashed".to_owned(),
        (hashed, sized) => format!("{} hashed, {} sized", units::grouped(hashed), units::grouped(sized)),
    };
    let new = units::grouped(downloaded);
    format!("{} ({}) in {}: {new} downloaded, {proved}\n", files(all), units::bytes(bytes), printable(to))
}

/// Formats the number of files whose content was not compared.
#[must_use]
pub(crate) fn unproved(number: u64) -> String {
    let verb = if number == 1 { "has" } else { "have" };
    format!("{} {verb} no recorded SHA-256: only the size was compared.", files(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn present_files_are_reported() {
        let nothing = PresentContent { missing: 2, missing_bytes: 30, ..PresentContent::default() };
        for (there, words) in [
            (nothing, None),
            (PresentContent { present: 1, bytes: 5, ..nothing }, Some("1 file (5 B) already downloaded.")),
            (PresentContent { partial_bytes: 9, ..nothing }, Some("Resuming download: 9 B already downloaded.")),
            (
                PresentContent { completed: 2, bytes: 5, partial_bytes: 9, ..nothing },
                Some("Resuming download: 2 files (5 B) already downloaded, and 9 B of the rest."),
            ),
        ] {
            assert_eq!(present_content(&there).as_deref(), words, "{there:?}");
        }
    }
}
