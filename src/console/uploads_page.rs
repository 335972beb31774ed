//! The table of uploads. Pure.

use std::time::Duration;

use super::table::{TableStyle, table};
use azure_ai_models_core::display::printable;
use azure_ai_models_core::units;

/// One row of [`uploads_table`].
#[derive(Clone, Debug)]
pub(crate) struct UploadRow {
    /// Id for the other commands.
    pub(crate) id: String,
    /// Name of the model.
    pub(crate) name: String,
    /// Version of the model.
    pub(crate) version: String,
    /// State, including whether it is running.
    pub(crate) state: String,
    /// Number of files; `None` for a remote source.
    pub(crate) files: Option<u64>,
    /// Total size in bytes; `None` for a remote source.
    pub(crate) bytes: Option<u64>,
    /// Time since the last update.
    pub(crate) age: Duration,
    /// Path, or URL without its query.
    pub(crate) source: String,
    /// Process that is working on it.
    pub(crate) pid: Option<u32>,
    /// Progress and rate.
    pub(crate) speed: UploadSpeed,
}

/// Progress and rate of a running upload; `None` for an unknown value.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct UploadSpeed {
    /// Percentage of its bytes, with one decimal.
    pub(crate) percent: Option<f64>,
    /// Rate in bytes per second.
    pub(crate) bytes_per_second: Option<u64>,
    /// Remaining time in seconds.
    pub(crate) eta_seconds: Option<u64>,
}

impl UploadSpeed {
    fn cells(self) -> [String; 3] {
        let known = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        [
            known(self.percent.map(|percent| format!("{percent:.1}%"))),
            known(self.bytes_per_second.map(|rate| format!("{}/s", units::bytes(rate)))),
            known(self.eta_seconds.map(|seconds| units::duration(Duration::from_secs(seconds)))),
        ]
    }
}

/// Table of `uploads list`.
#[must_use]
pub(crate) fn uploads_table(rows: &[UploadRow], style: TableStyle) -> String {
    // These four columns would be empty if nothing is running.
    let runs = rows.iter().any(|row| row.pid.is_some());
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let unknown = || "-".to_owned();
            let mut cells = vec![row.id.clone(), row.name.clone(), row.version.clone(), row.state.clone()];
            if runs {
                cells.extend(row.speed.cells());
                cells.push(row.pid.map_or_else(unknown, |pid| pid.to_string()));
            }
            cells.extend([
                row.files.map_or_else(unknown, units::grouped),
                row.bytes.map_or_else(unknown, units::bytes),
                age(row.age),
                printable(&row.source),
            ]);
            cells
        })
        .collect();
    let mut out = String::new();
    if !cells.is_empty() {
        let speed: &[&str] = if runs { &["DONE", "RATE", "ETA", "PID"] } else { &[] };
        let headings = [&["ID", "NAME", "VERSION", "STATE"], speed, &["FILES", "SIZE", "AGE", "SOURCE"]].concat();
        out = table(&headings, cells, 2, style);
    }
    if style.summary {
        let gap = if rows.is_empty() { "" } else { "\n" };
        let ended = rows.iter().any(|row| matches!(row.state.as_str(), "done" | "failed"));
        let [one, many] = if ended { ["upload", "uploads"] } else { ["unfinished upload", "unfinished uploads"] };
        out = format!("{out}{gap}{} found\n", units::count(rows.len() as u64, one, many));
    }
    out
}

/// Formats an age in the largest unit that fits: `3d`, `5h`, `12m`, `40s`.
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
