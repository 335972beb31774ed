//! Engine of an upload.

use azure_ai_models_core::azcopy::AzCopy;
use azure_ai_models_core::hub::HubTransfer;
use azure_ai_models_core::model::Source;
use azure_ai_models_core::upload::{AzCopyEngine, NativeEngine, TransferEngine};

use super::{CreateRun, EngineChoice};
use crate::commands::custom::engine;
use crate::error::CliError;

impl CreateRun<'_> {
    /// Returns the upload engine; AzCopy is located once, and only when something must be sent.
    pub(super) async fn engine(&self) -> Result<&dyn TransferEngine, CliError> {
        let make = async || -> Result<Box<dyn TransferEngine>, CliError> {
            let engine: Box<dyn TransferEngine> = match self.spec.engine {
                EngineChoice::Native { parallel, hash } => {
                    let (copy, verify) = (self.spec.copy, self.spec.verify);
                    let hub = self.reader.clone().map(|reader| HubTransfer { reader, copy, verify });
                    // The files are already hashed.
                    Box::new(NativeEngine { parallel, hash: hash && self.sums.is_none(), hub })
                }
                EngineChoice::AzCopy => Box::new(AzCopyEngine::new(self.find_azcopy().await?)),
            };
            Ok(engine)
        };
        Ok(&**self.engine.get_or_try_init(make).await?)
    }

    async fn find_azcopy(&self) -> Result<AzCopy, CliError> {
        let found = engine::find(self.app, self.spec.azcopy_path.as_deref()).await;
        let found = found.map_err(|error| match &self.spec.source {
            Source::Local(_) => error.with_native_engine(),
            Source::Blob(_) | Source::Hub(_) => error,
        })?;
        self.app.console.status(&format!("Using azcopy: {} ({})", found.path().display(), found.version()));
        Ok(found)
    }
}
