//! The result of a command, in the output format of this run.

use super::App;
use crate::console::product::{JsonPieces, Product};
use crate::console::render;
use crate::error::CliError;
use crate::globals::OutputFormat;
use azure_ai_models_core::model::CustomModel;
use azure_ai_models_core::upload::detached::RecordedProduct;

impl App {
    /// Writes a product in the output format of this run.
    ///
    /// # Errors
    /// When standard output cannot be written. A closed pipe is not an error.
    pub(crate) fn show(&self, product: &impl Product) -> Result<(), CliError> {
        if let Some(detached) = &self.detached {
            let text = product.text(self.console.table_style());
            let pieces: Result<String, _> = product.json().collect();
            let json = pieces.map_err(|_| CliError::unexpected_response("a model that is not valid JSON"))?;
            self.console.status_unrecorded(&text);
            detached.set_product(RecordedProduct { text, json });
            return Ok(());
        }
        match self.globals.output {
            OutputFormat::Table => self.text(&product.text(self.console.table_style())),
            OutputFormat::Json => self.json(product.json()),
            OutputFormat::None => Ok(()),
        }
    }

    /// Writes a product that is text in any format except `none`.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn text(&self, text: &str) -> Result<(), CliError> {
        match self.globals.output {
            OutputFormat::None => Ok(()),
            OutputFormat::Table | OutputFormat::Json => Ok(self.console.product(text)?),
        }
    }

    /// Writes a product that is JSON in any format.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn json(&self, pieces: JsonPieces<'_>) -> Result<(), CliError> {
        for piece in pieces {
            let piece = piece.map_err(|_| CliError::unexpected_response("a model that is not valid JSON"))?;
            self.console.product(&piece)?;
        }
        Ok(())
    }

    /// Command that deploys a model, with these options for name and SKU, or by default under the model's name.
    #[must_use]
    pub(crate) fn deploy_command(&self, model: &CustomModel, options: &[String]) -> String {
        let view = model.view();
        let version = view.version.as_deref().unwrap_or("VERSION");
        let (create, name) = (["custom", "deployments", "create"], view.name.as_str());
        let options: Vec<&str> = match options {
            [] => vec!["--name", name],
            options => options.iter().map(String::as_str).collect(),
        };
        self.command_line(&[&create[..], &options, &["--model", name, "--model-version", version]].concat())
    }

    /// Page of a model, with the possible next steps.
    #[must_use]
    pub(crate) fn model_page(&self, model: &CustomModel) -> String {
        let view = model.view();
        let version = view.version.as_deref().unwrap_or("VERSION");
        let wait = self.command_line(&["custom", "wait", "--name", &view.name, "--version", version]);
        render::model_page(model, &self.deploy_command(model, &[]), &wait)
    }
}
