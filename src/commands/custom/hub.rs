//! Sources on the Hugging Face Hub: client, plan, and output lines.

use std::sync::Arc;

use crate::app::App;
use crate::console::render;
use crate::error::{CliError, ErrorCode};
use azure_ai_models_core::env::var;
use azure_ai_models_core::hub::{
    self, CopyMode, HubAddress, HubClient, HubEndpoint, HubError, HubImport, HubPin, HubReader, HubSource, HubToken,
    is_on,
};
use azure_ai_models_core::source::{PlanError, Selection};
use azure_ai_models_core::upload::{self, Journal};

/// Plans an import, pinned to the commit of an earlier attempt if there is one.
pub(super) async fn plan(
    app: &App,
    address: &HubAddress,
    selection: &Selection,
    earlier: Option<&HubPin>,
) -> Result<Result<HubImport, PlanError>, CliError> {
    let client = client(app)?;
    if let Some(host) = address.typed_host() {
        let endpoint = client.endpoint();
        app.console.status(&format!("The repository is read from {endpoint} (HF_ENDPOINT), not from {host}."));
    }
    let import = match hub::plan(&Arc::new(client), address, selection, earlier).await {
        Ok(import) => import,
        Err(HubError::Plan(error)) => return Ok(Err(error)),
        Err(error) => return Err(error.into()),
    };
    if let Some(now) = &import.moved_to {
        let HubPin { repo, sha, reference, .. } = &import.source.pin;
        app.console.status(&format!(
            "'{reference}' of {repo} now points to {}. The import that started with {} continues with that commit.",
            now.short(),
            sha.short()
        ));
    }
    Ok(Ok(import))
}

fn client(app: &App) -> Result<HubClient, CliError> {
    let env = app.hub_env();
    if is_on(env, var::HF_HUB_OFFLINE) {
        return Err(HubError::Offline.into());
    }
    let endpoint = HubEndpoint::parse(env.get(var::HF_ENDPOINT))?;
    let token = HubToken::find(env)?;
    app.console.debug(&match &token {
        Some(token) => format!("Hugging Face Hub: {endpoint}, with the token from {}", token.origin()),
        None => format!("Hugging Face Hub: {endpoint}, without a token"),
    });
    Ok(HubClient::new(app.http(), endpoint, token))
}

/// Pin of an unfinished import of this source to this model.
pub(super) fn earlier_pin(
    app: &App,
    endpoint: &str,
    (name, version): (&str, Option<&str>),
    shown_source: &str,
) -> Result<Option<HubPin>, CliError> {
    let config_dir = app.config_dir()?;
    let hub = HubEndpoint::parse(app.hub_env().get(var::HF_ENDPOINT))?.to_string();
    let uploads = upload::unfinished(&config_dir).map_err(|why| CliError::no_uploads(&config_dir, &why))?;
    let is_same = |journal: &Journal| {
        let spec = &journal.spec;
        spec.endpoint == endpoint
            && spec.name == name
            && version.is_none_or(|version| spec.version == version)
            && spec.source == shown_source
    };
    let pins = uploads.into_iter().filter(|one| is_same(&one.journal)).filter_map(|one| one.journal.spec.hub);
    Ok(pins.into_iter().find(|pin| pin.endpoint == hub))
}

/// `Checked: org/repo@main (3f2a9c0), 12 of 41 files, 16.1 of 48.3 GB`.
pub(super) fn checked_line(source: &HubSource) -> String {
    let HubPin { repo, sha, reference, .. } = &source.pin;
    format!("Checked: {repo}@{reference} ({}), {}", sha.short(), selected_line(source))
}

/// `12 of 41 files, 16.1 of 48.3 GB`.
pub(super) fn selected_line(source: &HubSource) -> String {
    render::selected_line((source.files.len() as u64, source.bytes()), source.all())
}

/// Rejects finishing an import from another Hub than the one where it began.
pub(super) fn check_same_hub(app: &App, pin: &HubPin) -> Result<(), CliError> {
    let now = HubEndpoint::parse(app.hub_env().get(var::HF_ENDPOINT))?;
    if now.to_string() == pin.endpoint {
        return Ok(());
    }
    Err(CliError::usage(format!("the import started from {}, but HF_ENDPOINT is now {now}", pin.endpoint))
        .with_code(ErrorCode::BadVariable)
        .with_suggestion(format!("Set HF_ENDPOINT to {}, or unset it if that is the public Hub.", pin.endpoint)))
}

/// Expected transfer mode, as far as known before the transfer.
pub(super) async fn expected_mode(
    source: &HubSource,
    reader: &HubReader,
    copy: CopyMode,
) -> Result<(&'static str, String), CliError> {
    let streamed = |why: String| ("client", format!("streamed through this machine: {why}"));
    Ok(match (copy, reader.copy_fault(source).await?) {
        (CopyMode::Client, _) => streamed("--copy client".to_owned()),
        (CopyMode::Auto, Some(fault)) => streamed(fault.to_string()),
        (CopyMode::Auto, None) => ("auto", "auto (decided at start)".to_owned()),
        (CopyMode::Server, None) => ("server", "copied by the blob store".to_owned()),
        (CopyMode::Server, Some(fault)) => ("server", format!("cannot be copied by the blob store: {fault}")),
    })
}
