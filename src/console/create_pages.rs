//! Pages of `create`, except for that of the registered model. Pure.

use super::findings::finding_line;
use super::render::aligned;
use azure_ai_models_core::display::printable;
use azure_ai_models_core::model::Finding;
use azure_ai_models_core::units;

/// Data of the page of `create --dry-run`.
#[derive(Debug)]
pub(crate) struct CreateDryRunPage<'a> {
    /// Name of the model.
    pub(crate) name: &'a str,
    /// Version of the model.
    pub(crate) version: &'a str,
    /// Location of the files.
    pub(crate) source: &'a str,
    /// Additional lines about an import, with their titles.
    pub(crate) import: Vec<(&'static str, String)>,
    /// Path and bytes of each file; empty for a remote source.
    pub(crate) files: Vec<(&'a str, u64)>,
    /// Path and reason of each excluded file.
    pub(crate) excluded: Vec<(&'a str, String)>,
    /// Sizes of the excluded files in bytes, if known, as for an import.
    pub(crate) excluded_bytes: Vec<u64>,
    /// Findings of the check.
    pub(crate) findings: &'a [Finding],
    /// Method and path of each request.
    pub(crate) requests: &'a [String],
    /// Estimated duration of the upload; `None` if the size is unknown.
    pub(crate) estimate: Option<String>,
}

/// Page of `create --dry-run`.
#[must_use]
pub(crate) fn dry_run_page(plan: &CreateDryRunPage<'_>) -> String {
    let bytes: u64 = plan.files.iter().map(|(_, bytes)| bytes).sum();
    let upload = match &plan.estimate {
        Some(estimate) => {
            let files = units::count(plan.files.len() as u64, "file", "files");
            format!("{files}, {}, {estimate}", units::bytes(bytes))
        }
        None => "size unknown (the source is not read)".to_owned(),
    };
    let mut rows = vec![
        ("Name", Some(plan.name.to_owned())),
        ("Version", Some(plan.version.to_owned())),
        ("Source", Some(printable(plan.source))),
        ("Upload", Some(upload)),
    ];
    rows.extend(plan.import.iter().map(|(title, text)| (*title, Some(printable(text)))));
    let sizes: Vec<String> = plan.files.iter().map(|(_, bytes)| units::bytes(*bytes)).collect();
    let width = sizes.iter().map(String::len).max().unwrap_or(0);
    let files = plan.files.iter().zip(&sizes).map(|((path, _), size)| format!("{size:>width$}  {}", printable(path)));
    let left: Vec<String> = plan.excluded_bytes.iter().map(|bytes| units::bytes(*bytes)).collect();
    let width = left.iter().map(String::len).max().unwrap_or(0);
    let excluded = plan.excluded.iter().enumerate().map(|(at, (path, reason))| match left.get(at) {
        Some(size) => format!("{size:>width$}  {} ({reason})", printable(path)),
        None => format!("{} ({reason})", printable(path)),
    });
    let findings =
        plan.findings.iter().map(|finding| printable(&format!("{}: {}", finding.level, finding_line(finding))));
    [
        format!("Dry run: nothing is sent.\n\n{}", aligned(&rows)),
        list("Files", files),
        list("Excluded", excluded),
        list("Findings", findings),
        list("Requests that would be sent", plan.requests.iter().cloned()),
    ]
    .concat()
}

/// Formats a titled list; empty if there are no lines.
fn list(title: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: String = lines.map(|line| format!("  {line}\n")).collect();
    if lines.is_empty() { lines } else { format!("\n{title}:\n{lines}") }
}

/// `12 of 41 files, 16.1 of 48.3 GB`: selected part of a repository.
#[must_use]
pub(crate) fn selected_line((files, bytes): (u64, u64), (all_files, all_bytes): (u64, u64)) -> String {
    let (some, all) = (units::bytes(bytes), units::bytes(all_bytes));
    let same_unit = some.split_once(' ').filter(|(_, unit)| all.ends_with(&format!(" {unit}")));
    let some = same_unit.map_or(some.as_str(), |(number, _)| number);
    format!("{} of {}, {some} of {all}", units::grouped(files), units::count(all_files, "file", "files"))
}

/// Shape of an adapter in one line; unknown values are shown as `?`.
#[must_use]
pub(crate) fn lora_line(
    rank: Option<u32>,
    alpha: Option<&str>,
    modules: Option<&[String]>,
    dropout: Option<f64>,
) -> String {
    let known = |value: Option<String>| value.map_or_else(|| "?".to_owned(), |text| printable(&text));
    format!(
        "rank {}, alpha {}, target modules {}, dropout {}",
        known(rank.map(|rank| rank.to_string())),
        known(alpha.map(str::to_owned)),
        known(modules.map(|modules| modules.join(", "))),
        known(dropout.map(|dropout| dropout.to_string())),
    )
}

/// Page of a detached upload, with the commands that attach to it and stop it.
#[must_use]
pub(crate) fn detached_page(id: &str, (name, version): (&str, &str), pid: u32, commands: &[String; 2]) -> String {
    let [attach, stop] = commands;
    format!(
        "Upload {id} of model '{name}' (version {version}) continues in the background (process {pid}).\n\nTo show its progress:\n  {attach}\nTo stop it:\n  {stop}\n"
    )
}

/// Page of a registration that is not awaited.
#[must_use]
pub(crate) fn accepted_page(name: &str, version: &str, wait: &str) -> String {
    format!("Model '{name}' (version {version}) is being registered.\n\nTo wait for the result:\n  {wait}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selected_files_of_a_repository_fit_one_line() {
        const GB: u64 = 1 << 30;
        for (taken, all, expected) in [
            ((12, 16 * GB), (41, 48 * GB), "12 of 41 files, 16.0 of 48.0 GB"),
            ((1, 500), (1, 500), "1 of 1 file, 500 of 500 B"),
            ((2, 600 << 20), (3, 2 * GB), "2 of 3 files, 600.0 MB of 2.0 GB"),
        ] {
            assert_eq!(selected_line(taken, all), expected);
        }
    }
}
