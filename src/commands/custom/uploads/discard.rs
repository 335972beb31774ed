//! `uploads discard`.

use clap::Args;

use super::{all, find};
use crate::app::{AcceptedAnswer, App, Confirm};
use crate::commands::custom::running;
use crate::console::TableStyle;
use crate::console::product::{self, JsonPieces, Product};
use crate::error::CliError;
use azure_ai_models_core::units;
use azure_ai_models_core::upload::LocalUpload;

/// Options of `custom uploads discard`.
#[derive(Args, Debug)]
pub(crate) struct DiscardArgs {
    /// Upload ID from 'uploads list', or its first digits
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    id: Option<String>,

    /// Discard all uploads
    #[arg(long)]
    all: bool,

    /// Discard without a prompt
    #[arg(short, long)]
    yes: bool,
}

/// Ids of the discarded uploads.
struct DiscardedUploads<'a>(Vec<&'a str>);

impl Product for DiscardedUploads<'_> {
    fn json(&self) -> JsonPieces<'_> {
        product::document(&self.0)
    }

    fn text(&self, _: TableStyle) -> String {
        String::new()
    }
}

/// Removes the private directories of uploads, after a confirmation. Files stay at the upload location, unregistered.
pub(super) async fn discard(app: &App, args: DiscardArgs) -> Result<(), CliError> {
    let config_dir = app.config_dir()?;
    let uploads = match &args.id {
        Some(id) => vec![find(app, id)?],
        None => all(app)?,
    };
    if !args.yes && !uploads.is_empty() {
        confirm(app, &uploads).await?;
    }
    let mut discarded = Vec::new();
    for upload in &uploads {
        let directory = upload.take().map_err(|why| running::error(app, why))?;
        directory.remove().map_err(|why| CliError::no_uploads(&config_dir, &why))?;
        app.console.done(&format!("Upload {} discarded", upload.id));
        discarded.push(upload.id.as_str());
    }
    app.show(&DiscardedUploads(discarded))
}

async fn confirm(app: &App, uploads: &[LocalUpload]) -> Result<(), CliError> {
    let what = units::count(uploads.len() as u64, "upload", "uploads");
    let confirm = Confirm {
        action: "the discard",
        unattended: "Use --yes to discard without a prompt.",
        question: &format!("Discard {what}? All files must then be sent again."),
        accepts: AcceptedAnswer::Yes,
        declined: "Nothing was discarded.",
    };
    app.can_confirm(&confirm)?;
    for upload in uploads {
        let (_, name, version, source) = upload.model();
        let size = units::bytes(upload.journal.as_ref().map_or(0, |journal| journal.files.bytes()));
        app.console.status(&format!("{}: {name} (version {version}), {size}, {source}", upload.id));
    }
    app.confirm(&confirm).await
}
