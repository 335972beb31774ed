//! The table of unfinished uploads. Pure.

use std::time::Duration;

use super::table::{TableStyle, table};
use azure_ai_models_core::display::harmless;
use azure_ai_models_core::units;

/// One row of [`uploads_table`].
#[derive(Clone, Debug)]
pub(crate) struct UploadRow {
    /// Id that the other commands take.
    pub(crate) id: String,
    /// Name of the model.
    pub(crate) name: String,
    /// Version of the model.
    pub(crate) version: String,
    /// State, and whether it is running.
    pub(crate) state: String,
    /// Number of files; `None` for a remote source.
    pub(crate) files: Option<u64>,
    /// Their bytes; `None` for a remote source.
    pub(crate) bytes: Option<u64>,
    /// Since it was worked on last.
    pub(crate) age: Duration,
    /// Path, or URL without its query.
    pub(crate) source: String,
}

/// The table of `uploads list`.
#[must_use]
pub(crate) fn uploads_table(rows: &[UploadRow], style: TableStyle) -> String {
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let unknown = || "-".to_owned();
            vec![
                row.id.clone(),
                row.name.clone(),
                row.version.clone(),
                row.state.clone(),
                row.files.map_or_else(unknown, units::grouped),
                row.bytes.map_or_else(unknown, units::bytes),
                age(row.age),
                harmless(&row.source),
            ]
        })
        .collect();
    let mut out = String::new();
    if !cells.is_empty() {
        out = table(&["ID", "NAME", "VERSION", "STATE", "FILES", "SIZE", "AGE", "SOURCE"], cells, 2, style);
    }
    if style.summary {
        let gap = if rows.is_empty() { "" } else { "\n" };
        out =
            format!("{out}{gap}{} found\n", units::count(rows.len() as u64, "unfinished upload", "unfinished uploads"));
    }
    out
}

/// The largest unit that fits: `3d`, `5h`, `12m`, `40s`.
fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_one_unit() {
        let ages: Vec<String> =
            [0, 59, 60, 3599, 3600, 86_399, 86_400, 1_000_000].map(Duration::from_secs).map(age).to_vec();
        assert_eq!(ages, ["0s", "59s", "1m", "59m", "1h", "23h", "1d", "11d"]);
    }
}
