//! Events of `--progress json`: one JSON object per line on standard error. All are declared here; the tables of
//! `skill` and design/cli.md#progress-events are generated from this list.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use azure_ai_models_core::display::printable_json;

/// First line of the events.
pub(super) const SCHEMA_LINE: &str = r#"{"schema":"azure.ai.models/progress","version":1}"#;

/// Declares each event with its name and its fields; the comment is its description for users.
macro_rules! events {
    ($($(#[doc = $doc:literal])+ $event:ident = $name:literal, [$($field:literal),+];)+) => {
        /// Event that scripts may read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum ProgressEvent {
            $($(#[doc = $doc])+ $event,)+
        }

        impl ProgressEvent {
            /// All events, in the order of an upload.
            pub(crate) const ALL: &[Self] = &[$(Self::$event),+];

            /// Value of `event`.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$event => $name,)+
                }
            }

            /// Fields besides `event` and `time`, in their order. Unknown numbers are `null`.
            pub(crate) fn fields(self) -> &'static [&'static str] {
                match self {
                    $(Self::$event => &[$($field),+],)+
                }
            }

            /// One sentence in Markdown.
            pub(crate) fn description(self) -> &'static str {
                match self {
                    $(Self::$event => concat!($($doc),+).trim_ascii_start(),)+
                }
            }
        }
    };
}

events! {
    /// A step of `create` begins.
    Step = "step", ["n", "of", "name"];
    /// The commit and the files of an import are known.
    ImportResolved = "import.resolved", ["repo", "sha", "ref", "files", "bytes"];
    /// Carrier of an import: `server` is the blob store, `client` this machine.
    ImportMode = "import.mode", ["mode", "reason"];
    /// A file of an import has another carrier than `import.mode`.
    ImportFile = "import.file", ["path", "mode", "reason"];
    /// Progress of computing the SHA-256 of local files before they are sent or compared.
    HashProgress = "hash.progress", ["bytes", "totalBytes"];
    /// Progress of an upload; `bytesRemote` and `bytesSent` for imports only.
    UploadProgress = "upload.progress", ["bytes", "totalBytes", "files", "totalFiles", "bytesPerSecond", "etaSeconds", "bytesRemote", "bytesSent"];
    /// A file is uploaded (native engine); `sha256` is `null` with `--no-hash`.
    UploadFile = "upload.file", ["path", "bytes", "sha256"];
    /// No byte was sent for this long.
    UploadStalled = "upload.stalled", ["seconds", "networkErrorPercent"];
    /// The upload is complete and verified.
    UploadDone = "upload.done", ["bytes", "files", "seconds"];
    /// Progress of a download of a model; that of AzCopy has `bytes` and `totalBytes` only.
    DownloadProgress = "download.progress", ["bytes", "totalBytes", "files", "totalFiles", "bytesPerSecond", "etaSeconds"];
    /// A file is downloaded.
    DownloadFile = "download.file", ["path", "bytes", "sha256"];
    /// No byte was received for this long.
    DownloadStalled = "download.stalled", ["seconds", "networkErrorPercent"];
    /// All files are received.
    DownloadDone = "download.done", ["bytes", "files", "seconds"];
    /// Progress of `verify --full`.
    VerifyProgress = "verify.progress", ["bytes", "totalBytes"];
    /// State of a registration, as the service reports it.
    RegisterProgress = "register.progress", ["status", "seconds"];
    /// State of a deployment, as the service reports it; `name` is the deployment's.
    DeployProgress = "deploy.progress", ["name", "status", "seconds"];
    /// The model is registered, or with `deploy.progress` before it, the deployment has reached its state.
    Done = "done", ["name", "version", "status"];
    /// The command failed: the six keys of a JSON error.
    Error = "error", ["kind", "code", "message", "status", "requestId", "suggestion"];
}

impl ProgressEvent {
    /// Event with this name; `None` for lines of other versions, and for those that only `uploads attach` reads.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|event| event.name() == name)
    }

    /// Formats the event as one line: its name, the time, then its own fields.
    ///
    /// # Panics
    /// In debug builds, if a field is not declared; a name with a leading `_` need not be.
    pub(super) fn line(self, fields: Value) -> String {
        debug_assert!(
            fields.as_object().is_some_and(|fields| {
                fields.keys().all(|field| field.starts_with('_') || self.fields().contains(&field.as_str()))
            }),
            "{} does not declare all of {fields}",
            self.name()
        );
        event_line(self.name(), fields)
    }
}

/// Formats a line that is not a public event: the name begins with `_`.
pub(super) fn private_line(name: &'static str, fields: Value) -> String {
    debug_assert!(name.starts_with('_'), "{name} is not private");
    event_line(name, fields)
}

fn event_line(event: &'static str, fields: Value) -> String {
    let now = OffsetDateTime::now_utc();
    let now = now.replace_millisecond(now.millisecond()).unwrap_or(now);
    let mut object = json!({ "event": event, "time": now.format(&Rfc3339).unwrap_or_default() });
    if let (Some(object), Value::Object(fields)) = (object.as_object_mut(), fields) {
        object.extend(fields);
    }
    printable_json(object.to_string())
}
