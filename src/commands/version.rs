//! `version`: version and build of this program.

use serde::Serialize;

use crate::app::App;
use crate::console::TableStyle;
use crate::console::product::{self, JsonPieces, Product};
use crate::error::CliError;

/// Version from Cargo.toml, which equals `version.txt` and `extension.yaml`.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
const COMMIT: Option<&str> = option_env!("AZURE_AI_MODELS_COMMIT");
const BUILD_DATE: Option<&str> = option_env!("AZURE_AI_MODELS_BUILD_DATE");

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    version: &'static str,
    commit: Option<&'static str>,
    build_date: Option<&'static str>,
}

impl Product for Version {
    fn json(&self) -> JsonPieces<'_> {
        product::document(self)
    }

    fn text(&self, _: TableStyle) -> String {
        format!("{}\n", self.version)
    }
}

/// Prints the version.
///
/// # Errors
/// Only when standard output cannot be written.
pub(crate) fn version(app: &App) -> Result<(), CliError> {
    app.show(&Version { version: VERSION, commit: COMMIT, build_date: BUILD_DATE })
}
