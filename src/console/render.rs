//! Layout shared by all pages, and the pages of models. Pure.

pub(crate) use super::create_pages::{
    CreateDryRunPage, accepted_page, detached_page, dry_run_page, lora_line, selected_line,
};
pub(crate) use super::findings::{CheckSummary, error_lines, finding_line, findings_page};
pub(crate) use super::model_page::{
    RowKind, created_page, deploy_section, model_details, model_page, model_table, name_line, unchanged_page,
};
pub(crate) use super::uploads_page::{UploadRow, UploadSpeed, uploads_table};
use super::width::{columns, padded};
use azure_ai_models_core::display::printable;

/// Line of 50 columns above and below a page.
pub(super) const RULE: &str = "──────────────────────────────────────────────────";

/// Appends a titled section; nothing if no row has a value.
pub(super) fn section(page: &mut String, title: &str, rows: &[(&str, Option<String>)]) {
    let lines = aligned(rows);
    if !lines.is_empty() {
        *page = format!("{page}\n{title}:\n{lines}");
    }
}

/// Formats rows such as `  Name:        my-model`, with aligned values.
pub(super) fn aligned(rows: &[(&str, Option<String>)]) -> String {
    let shown: Vec<(String, String)> =
        rows.iter().filter_map(|(key, value)| Some((printable(key), printable(value.as_deref()?)))).collect();
    let width = shown.iter().map(|(key, _)| columns(key)).max().unwrap_or_default();
    let mut out = String::new();
    for (key, value) in shown {
        let key = padded(&format!("{key}:"), width + 3);
        out = format!("{out}  {key}{value}").trim_end().to_owned() + "\n";
    }
    out
}
