//! `uploads list`.

use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::all;
use crate::app::App;
use crate::console::TableStyle;
use crate::console::product::{self, JsonPieces, Product};
use crate::console::render::{self, UploadRow, UploadSpeed};
use crate::error::CliError;
use azure_ai_models_core::upload::detached::EventReader;
use azure_ai_models_core::upload::{Journal, LocalUpload, Stage};

/// An upload as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UploadJson<'a> {
    id: &'a str,
    name: &'a str,
    version: &'a str,
    endpoint: &'a str,
    source: &'a str,
    state: &'a str,
    files: Option<u64>,
    bytes: Option<u64>,
    created_at: String,
    updated_at: String,
    pid: Option<u32>,
    percent: Option<f64>,
    bytes_per_second: Option<u64>,
    eta_seconds: Option<u64>,
}

/// Lists unfinished uploads, and detached ones that ended within the last 7 days. Sends no request.
pub(super) fn list(app: &App) -> Result<(), CliError> {
    let uploads: Vec<ListedUpload> = all(app)?.into_iter().map(ListedUpload::new).collect();
    app.show(&UploadList { uploads: &uploads, now: OffsetDateTime::now_utc() })?;
    for upload in uploads.iter().map(|listed| &listed.upload).filter(|upload| upload.has_crashed()) {
        let last_line = upload.files().log_tail(1).pop().map(|line| format!(": {}", line.trim())).unwrap_or_default();
        app.console.warn(&format!("Upload {} ended without a result{last_line}", upload.id));
    }
    Ok(())
}

/// Upload, with its progress and rate.
struct ListedUpload {
    upload: LocalUpload,
    speed: UploadSpeed,
}

impl ListedUpload {
    fn new(upload: LocalUpload) -> Self {
        let speed = if upload.running { speed(&upload) } else { UploadSpeed::default() };
        Self { upload, speed }
    }
}

/// Progress of a detached upload, from its newest event.
fn speed(upload: &LocalUpload) -> UploadSpeed {
    let events = EventReader::at_end(upload.files().events()).read().unwrap_or_default();
    let progress = |line: &String| {
        let event: Value = serde_json::from_str(line).ok()?;
        (event["event"] == "upload.progress" || event["event"] == "upload.done").then_some(event)
    };
    let Some(event) = events.iter().rev().find_map(progress) else { return UploadSpeed::default() };
    if event["event"] == "upload.done" {
        return UploadSpeed { percent: Some(100.0), ..UploadSpeed::default() };
    }
    let total = event["totalBytes"].as_f64().filter(|total| *total > 0.0);
    let percent = total.zip(event["bytes"].as_f64()).map(|(total, bytes)| (bytes / total * 1000.0).floor() / 10.0);
    UploadSpeed {
        percent: percent.map(|percent| percent.min(99.9)),
        bytes_per_second: event["bytesPerSecond"].as_u64(),
        eta_seconds: event["etaSeconds"].as_u64(),
    }
}

/// The uploads, as a list or a table.
struct UploadList<'a> {
    uploads: &'a [ListedUpload],
    now: OffsetDateTime,
}

impl Product for UploadList<'_> {
    fn json(&self) -> JsonPieces<'_> {
        let stamp = |time: OffsetDateTime| time.format(&Rfc3339).unwrap_or_default();
        let row = |ListedUpload { upload, speed }: &'_ ListedUpload| {
            let (endpoint, name, version, source) = upload.model();
            let files = files(upload);
            let row = UploadJson {
                id: &upload.id,
                name,
                version,
                endpoint,
                source,
                state: upload.state(),
                files: files.map(|(files, _)| files),
                bytes: files.map(|(_, bytes)| bytes),
                created_at: stamp(upload.created_at()),
                updated_at: stamp(upload.updated_at()),
                pid: upload.pid,
                percent: speed.percent,
                bytes_per_second: speed.bytes_per_second,
                eta_seconds: speed.eta_seconds,
            };
            serde_json::to_value(row).unwrap_or_default()
        };
        let rows: Vec<Value> = self.uploads.iter().map(row).collect();
        product::document(&rows)
    }

    fn text(&self, style: TableStyle) -> String {
        let rows: Vec<UploadRow> = self.uploads.iter().map(|listed| table_row(listed, self.now)).collect();
        render::uploads_table(&rows, style)
    }
}

/// Number and bytes of the files; unknown for a remote source.
fn files(upload: &LocalUpload) -> Option<(u64, u64)> {
    let list = &upload.journal.as_ref()?.files;
    (!list.is_empty()).then(|| (list.len() as u64, list.bytes()))
}

fn table_row(ListedUpload { upload, speed }: &ListedUpload, now: OffsetDateTime) -> UploadRow {
    let word = upload.state();
    let stage = |journal: &Journal| journal.stage == Stage::Uploading;
    let is_only_word = !upload.running || upload.journal.as_ref().is_some_and(stage);
    let (_, name, version, source) = upload.model();
    let files = files(upload);
    UploadRow {
        id: upload.id.clone(),
        name: name.to_owned(),
        version: version.to_owned(),
        state: if is_only_word { word.to_owned() } else { format!("{word} (running)") },
        files: files.map(|(files, _)| files),
        bytes: files.map(|(_, bytes)| bytes),
        // The age is never negative, even if the clock was set back.
        age: (now - upload.updated_at()).try_into().unwrap_or_default(),
        source: source.to_owned(),
        pid: upload.pid,
        speed: *speed,
    }
}
