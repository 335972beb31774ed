//! Findings of the model check as text. Pure.
//!
//! Not a table: the last column of a table is truncated on a terminal, and that column would be the suggestion.

use azure_ai_models_core::display::printable;
use azure_ai_models_core::model::{Finding, FindingLevel, WeightType};
use azure_ai_models_core::units;

/// Maximum number of files and errors listed in an error message; `check` shows all.
const MAX_LISTED_ERRORS: usize = 10;

/// Summary of a check.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CheckSummary {
    /// Number of files to upload.
    pub(crate) files: u64,
    /// Their total size in bytes.
    pub(crate) bytes: u64,
    /// Weight type that the check assumed.
    pub(crate) weight_type: WeightType,
}

/// Page of `check`; with a summary unless quiet. `None`: the files could not even be listed.
#[must_use]
pub(crate) fn findings_page(findings: &[Finding], checked: Option<CheckSummary>, summary: bool) -> String {
    let width = |text: fn(&Finding) -> &str| findings.iter().map(|finding| text(finding).len()).max().unwrap_or(0);
    let codes = width(|finding| finding.code.as_str());
    let mut page = String::new();
    for Finding { level, code, file, message, suggestion } in findings {
        let (level, code, file) = (level.to_string(), code.as_str(), printable(file));
        let (message, suggestion) = (printable(message), printable(suggestion));
        page = format!("{page}{level:<7}  {code:<codes$}  {file}\n         {message}\n         {suggestion}\n\n");
    }
    if summary {
        page += &summary_line(findings, checked);
    }
    page
}

fn summary_line(findings: &[Finding], checked: Option<CheckSummary>) -> String {
    let of = |level| findings.iter().filter(|finding| finding.level == level).count() as u64;
    let errors = units::count(of(FindingLevel::Error), "error", "errors");
    let warnings = units::count(of(FindingLevel::Warning), "warning", "warnings");
    let looked_at = checked.map(|CheckSummary { files, bytes, weight_type }| {
        format!(" in {}, {} ({weight_type})", units::count(files, "file", "files"), units::bytes(bytes))
    });
    let looked_at = looked_at.unwrap_or_default();
    if findings.is_empty() {
        format!("No problems found{looked_at}\n")
    } else {
        format!("{errors}, {warnings}{looked_at}\n")
    }
}

/// Formats the errors, one per line, as part of an error message.
#[must_use]
pub(crate) fn error_lines(findings: &[Finding]) -> String {
    let errors: Vec<&Finding> = findings.iter().filter(|finding| finding.is_error()).collect();
    let mut lines: Vec<String> =
        errors.iter().take(MAX_LISTED_ERRORS).map(|finding| format!("  {}", finding_line(finding))).collect();
    if errors.len() > MAX_LISTED_ERRORS {
        lines.push(format!(
            "  and {} more; 'custom check' shows them all",
            errors.len().saturating_sub(MAX_LISTED_ERRORS)
        ));
    }
    lines.join("\n")
}

/// Formats a finding: `config.json: the file is empty (empty-file)`.
#[must_use]
pub(crate) fn finding_line(finding: &Finding) -> String {
    let Finding { code, file, message, .. } = finding;
    if file == "." { format!("{message} ({code})") } else { format!("{file}: {message} ({code})") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_ai_models_core::model::FindingCode;

    #[test]
    fn a_page_has_finding_file_and_suggestion() {
        let findings = [
            Finding::error(FindingCode::MissingConfig, ".", "there is no config.json", "Add it."),
            Finding::warning(FindingCode::CodeFile, "a\u{1b}.py", "the file is code", "Leave it out."),
        ];
        let checked = CheckSummary { files: 3, bytes: 2048, weight_type: WeightType::FullWeight };
        insta::assert_snapshot!(findings_page(&findings, Some(checked), true), @"
        error    missing-config  .
                 there is no config.json
                 Add it.

        warning  code-file       a�.py
                 the file is code
                 Leave it out.

        1 error, 1 warning in 3 files, 2.0 KB (FullWeight)
        ");
        assert!(findings_page(&findings, None, true).ends_with("\n1 error, 1 warning\n"));
        assert_eq!(findings_page(&[], Some(checked), true), "No problems found in 3 files, 2.0 KB (FullWeight)\n");
        assert_eq!(findings_page(&[], Some(checked), false), "");
        assert_eq!(error_lines(&findings), "  there is no config.json (missing-config)");
        let many = vec![findings[0].clone(); 12];
        assert!(error_lines(&many).ends_with("\n  and 2 more; 'custom check' shows them all"));
    }
}
