//! Checksums of the files, computed before the transfer if a plan or `--if-changed` needs them, and the tag that
//! records the digest of the whole model.

use serde::Serialize;

use super::spec::CreateSpec;
use super::{CheckedPlan, CreateRun};
use crate::app::App;
use crate::commands::custom::sums::local;
use crate::console::product::{self, JsonPieces, Product};
use crate::console::{TableStyle, render};
use crate::error::CliError;
use azure_ai_models_core::foundry::{FoundryClient, ListError};
use azure_ai_models_core::model::{
    ArrivedFile, CONTENT_DIGEST, ContentHash, OperationProgress, content_digest, newest_first,
};
use azure_ai_models_core::source::{FileSums, UploadSource};
use azure_ai_models_core::upload::Session;

/// Returns the checksums of the files if the command needs them before it sends anything.
pub(super) async fn sums(app: &App, spec: &CreateSpec, planned: &CheckedPlan) -> Result<Option<FileSums>, CliError> {
    let is_planned = spec.plan.as_ref().is_some_and(|plan| plan.has_sums());
    // An earlier attempt recorded the digest in its journal; the files may have changed.
    let is_recorded = spec.details.tags.contains_key(CONTENT_DIGEST);
    if !(is_planned || is_recorded || spec.if_changed) {
        return Ok(None);
    }
    match (&planned.source, &planned.reader) {
        (UploadSource::Local { directory, files, .. }, _) => local(app, directory, files).await.map(Some),
        (UploadSource::Hub(hub), Some(reader)) => Ok(FileSums::new(hub.list().clone(), reader.sums(hub).await?)),
        (UploadSource::Hub(_) | UploadSource::Remote { .. }, _) => Ok(None),
    }
}

/// A version with the same content: the product of `--if-changed` if there is one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Unchanged {
    name: String,
    version: String,
    content_digest: ContentHash,
    created: bool,
}

impl Product for Unchanged {
    fn json(&self) -> JsonPieces<'_> {
        product::document(self)
    }

    fn text(&self, style: TableStyle) -> String {
        match style.summary {
            true => render::unchanged_page(&self.name, &self.version),
            false => render::name_line(&self.name),
        }
    }
}

/// Finds the newest version of the model that has this content and whose registration did not fail.
pub(super) async fn same_content(
    spec: &CreateSpec,
    foundry: &FoundryClient,
    sums: &FileSums,
) -> Result<Option<Unchanged>, CliError> {
    let digest = sums.digest();
    let mut models = match foundry.list_versions(&spec.name).await {
        Ok(models) => models,
        Err(ListError::Http(error)) if error.status() == Some(404) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    newest_first(&mut models);
    let text = digest.to_string();
    let is_same = |tags: &[(String, String)]| tags.iter().any(|(key, value)| key == CONTENT_DIGEST && *value == text);
    let found = models
        .iter()
        .map(|model| model.view())
        .find(|view| is_same(&view.tags) && !matches!(view.progress(), OperationProgress::Failed));
    Ok(found.map(|view| Unchanged {
        name: view.name.clone(),
        version: view.version.clone().unwrap_or_default(),
        content_digest: digest,
        created: false,
    }))
}

impl CreateRun<'_> {
    /// Sets the tag of the digest if all checksums of the uploaded files are known, and removes it otherwise.
    pub(super) async fn tag_content(&self, session: &mut Session) {
        let digest = self.digest(session).await;
        if digest.is_none() && self.sums.is_some() {
            self.app
                .console
                .warn(&format!("Files changed after their SHA-256 was computed: the tag {CONTENT_DIGEST} is not set."));
        }
        session.set_tag(CONTENT_DIGEST, digest.map(|digest| digest.to_string()));
    }

    async fn digest(&self, session: &Session) -> Option<ContentHash> {
        let uploaded = session.journal()?.files.clone();
        if let Some(sums) = &self.sums {
            return (*sums.files() == uploaded).then(|| sums.digest());
        }
        let arrived = session.arrived_files().await;
        let of_hub = |path: &str| match &*self.source {
            UploadSource::Hub(hub) => hub.file(path).and_then(|file| file.sum.sha256()),
            UploadSource::Local { .. } | UploadSource::Remote { .. } => None,
        };
        let known: Vec<_> = arrived
            .iter()
            .filter_map(|file| Some((file.path.as_str(), file.bytes, file.sha256.or_else(|| of_hub(&file.path))?)))
            .collect();
        (!known.is_empty() && known.len() == uploaded.len()).then(|| content_digest(known))
    }

    /// Uploaded files, with the checksums that were computed before.
    pub(super) async fn arrived_files(&self, session: &Session) -> Vec<ArrivedFile> {
        let mut arrived = session.arrived_files().await;
        let (Some(sums), Some(journal)) = (&self.sums, session.journal()) else { return arrived };
        for file in arrived.iter_mut().filter(|file| file.sha256.is_none()) {
            if sums.files().get(&file.path) == journal.files.get(&file.path) {
                file.sha256 = sums.get(&file.path);
            }
        }
        arrived
    }
}
