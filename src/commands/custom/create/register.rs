//! Step 3 of `create`: the registration, also one that an earlier try asked for and did not see the end of.

use std::cell::RefCell;

use url::Url;

use super::steps::{Create, STEPS};
use crate::error::CliError;
use crate::foundry::{RegisterError, RegisterStatus, Started};
use crate::model::{CustomModel, ModelVersion, Registration};
use crate::upload::{Journal, Stage, UploadDirectory};

/// Whether the registration was asked for by an earlier try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Never,
    /// It may have been.
    Before,
    /// It was: the model is there.
    Seen,
}

impl Create<'_> {
    /// Step 3.
    pub(super) async fn register(
        &self,
        directory: &UploadDirectory,
        journal: &mut Journal,
    ) -> Result<CustomModel, CliError> {
        let Self { app, .. } = *self;
        app.console.step(3, STEPS, "Registering model...");
        let asked_before = journal.stage == Stage::Registering;
        journal.stage = Stage::Registering;
        directory.write_journal(journal)?;
        self.registered(journal.blob_uri.clone(), if asked_before { Asked::Before } else { Asked::Never }).await
    }

    /// The registered model, with the progress of its registration.
    async fn registered(&self, blob_uri: Url, asked: Asked) -> Result<CustomModel, CliError> {
        let Self { app, args, .. } = *self;
        let registration = args.registration(blob_uri);
        let view = RefCell::new(app.console.register_view(app.timings.status_line));
        let mut on = |status: RegisterStatus| view.borrow_mut().on(&status.status, status.elapsed);
        let registered = app.cancel.or(self.ask(&registration, asked, &mut on)).await;
        let again = args.again(app, self.source);
        match registered {
            Some(Ok(model)) => {
                let state = model.view().provisioning_state.as_deref().unwrap_or("Succeeded");
                view.borrow_mut().registered(args.name.as_name().as_str(), args.version.as_str(), state);
                drop(view);
                app.console.done("Model registered successfully!");
                app.console.gap();
                Ok(model)
            }
            Some(Err(error)) if error.is_conflict() => Err(error.into()),
            Some(Err(error)) => Err(CliError::from(error).with_kept(&again)),
            None => {
                let (name, version) = (args.name.as_name().as_str(), args.version.as_str());
                let show = app.command_line(&["custom", "show", "--name", name, "--version", version]);
                Err(CliError::interrupted()
                    .with_code("registration_interrupted")
                    .with_message("Interrupted after the upload. Foundry may still register the model.")
                    .with_suggestion(format!("See whether it is there:\n  {show}"))
                    .with_kept(&again))
            }
        }
    }

    /// Registers; a conflict with what an earlier try asked for is no conflict, but that registration under way.
    async fn ask(
        &self,
        registration: &Registration,
        asked: Asked,
        on: &mut dyn FnMut(RegisterStatus),
    ) -> Result<CustomModel, RegisterError> {
        let Self { app, args, foundry, .. } = *self;
        let (name, version, limit) = (args.name.as_name(), &args.version, app.timings.register);
        if asked == Asked::Seen {
            return foundry.await_registration(name, version, Started::unwatched(), limit, on).await;
        }
        match foundry.register(name, version, registration, limit, on).await {
            Err(RegisterError::Refused(error)) if asked == Asked::Before && error.status() == Some(409) => {
                foundry.await_registration(name, version, Started::unwatched(), limit, on).await
            }
            registered => registered,
        }
    }

    /// The model, if an earlier try registered it and was ended before it knew.
    pub(super) async fn registered_before(&self, journal: &Journal) -> Result<Option<CustomModel>, CliError> {
        let Self { app, args, .. } = *self;
        let found = app.cancel.or(self.foundry.get_model(args.name.as_name(), &args.version)).await;
        let found = found.ok_or_else(CliError::interrupted)?;
        match found {
            Ok(model) if model.view().blob_uri.as_deref() == Some(journal.blob_uri.as_str()) => {
                self.registered(journal.blob_uri.clone(), Asked::Seen).await.map(Some)
            }
            Ok(_) => Err(self.version_exists(CliError::conflict()).await),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The version is there already: name the next free one, if the service tells.
    pub(super) async fn version_exists(&self, error: CliError) -> CliError {
        let Self { app, args, .. } = *self;
        let name = args.name.as_name();
        let versions = app.cancel.or(self.foundry.list_versions(name)).await.and_then(Result::ok).unwrap_or_default();
        let next = ModelVersion::after(versions.iter().filter_map(|model| model.view().version.as_deref()));
        let suggestion = match next {
            Some(next) => format!("Use the next free version: --version {next}"),
            None => "Use another --version.".to_owned(),
        };
        error
            .with_message(format!("Model '{name}' (version {}) already exists.", args.version))
            .with_suggestion(suggestion)
    }
}
