//! Result of `create`.

use azure_ai_models_core::model::{ArrivedFile, CustomModel};
use azure_ai_models_core::source::UploadSource;
use serde::Serialize;
use serde_json::Value;

use crate::console::product::{self, JsonPieces, Product};
use crate::console::{TableStyle, render};

/// Registered model; in JSON with its files if the native engine computed their checksums.
pub(super) struct CreatedModel<'a> {
    pub(super) json: CreatedJson<'a>,
    pub(super) files: Option<Vec<ArrivedFile>>,
    /// Page of the deployment, if there is one.
    pub(super) deployed: Option<String>,
    /// Final state as reported by the operation.
    pub(super) state: Option<&'a str>,
    pub(super) source: &'a UploadSource,
    /// Command that deploys the model.
    pub(super) deploy: String,
}

/// JSON of the registered model and its deployment.
#[derive(Serialize)]
pub(super) struct CreatedJson<'a> {
    #[serde(flatten)]
    pub(super) model: &'a CustomModel,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deployment: Option<Value>,
}

impl Product for CreatedModel<'_> {
    fn json(&self) -> JsonPieces<'_> {
        match &self.files {
            Some(files) => product::document_with(&self.json, "files", files.iter().collect()),
            None => product::document(&self.json),
        }
    }

    fn text(&self, style: TableStyle) -> String {
        if !style.summary {
            return render::name_line(&self.json.model.view().name);
        }
        let next = self.deployed.clone().unwrap_or_else(|| render::deploy_section(&self.deploy));
        render::created_page(self.json.model, self.state, self.source.format(), self.source.bytes(), &next)
    }
}
