//! Step 3 of `create`: the registration, also one that an earlier try asked for and did not see the end of.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use serde::Serialize;
use url::Url;

use super::steps::{Create, STEPS};
use crate::cli::OutputFormat;
use crate::console::render;
use crate::error::{CliError, ErrorKind};
use azure_ai_models_core::foundry::{RegisterError, RegisterStatus, Started};
use azure_ai_models_core::model::CustomModel;
use azure_ai_models_core::upload::{Journal, Stage, UploadDirectory};

/// What `--no-wait` says as JSON.
#[derive(Serialize)]
struct Accepted<'a> {
    name: &'a str,
    version: &'a str,
    status: &'a str,
    operation: Option<&'a Url>,
}

/// How the registration of this run came to be.
enum Asked {
    /// An earlier try asked for it: the model is there.
    Seen,
    /// It is asked for now; an earlier try may have done so too.
    Now { asked_before: bool },
}

impl Create<'_> {
    /// Step 3: the registered model; `None` where its registration was accepted and is not waited for.
    pub(super) async fn register(
        &self,
        directory: &UploadDirectory,
        journal: &mut Journal,
    ) -> Result<Option<CustomModel>, CliError> {
        self.work.app.console.step(3, STEPS, "Registering model...");
        let asked_before = journal.stage == Stage::Registering;
        journal.stage = Stage::Registering;
        journal.registration.details = self.work.spec.details.clone();
        directory.write_journal(journal)?;
        self.registered(directory, journal, Asked::Now { asked_before }).await
    }

    /// The model, if an earlier try registered it and was ended before it knew.
    pub(super) async fn registered_before(
        &self,
        directory: &UploadDirectory,
        journal: &mut Journal,
    ) -> Result<Option<CustomModel>, CliError> {
        let (app, spec, foundry) = (self.work.app, self.work.spec, self.work.foundry);
        let found = app.cancel.or(foundry.get_model(&spec.name, &self.version)).await;
        match found.ok_or_else(CliError::interrupted)? {
            Ok(model) if model.view().blob_uri.as_deref() == Some(journal.blob_uri().as_str()) => {
                self.registered(directory, journal, Asked::Seen).await
            }
            Ok(_) if spec.overwrite => {
                self.make_way(0).await?;
                Ok(None)
            }
            Ok(_) => {
                let taken = self.version_exists(CliError::conflict()).await.with_kind(ErrorKind::RegistrationFailed);
                Err(taken.with_more(&self.kept()))
            }
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What a version in the way means for a complete upload.
    fn kept(&self) -> String {
        let again = &self.work.spec.again;
        format!(
            "The files of this upload are complete and kept; once the version is free, the same command registers them:\n  {again}"
        )
    }

    /// Has the model registered, with the progress of that.
    async fn registered(
        &self,
        directory: &UploadDirectory,
        journal: &mut Journal,
        asked: Asked,
    ) -> Result<Option<CustomModel>, CliError> {
        let (app, spec) = (self.work.app, self.work.spec);
        let view = RefCell::new(app.console.register_view(app.timings.status_line));
        let mut on = |status: RegisterStatus| view.borrow_mut().on(&status.status, status.elapsed);
        let registered = app.cancel.or(self.ask(directory, journal, asked, &mut on)).await;
        let name = spec.name.as_str();
        match registered {
            Some(Ok(Some(model))) => {
                let state = model.view().provisioning_state.as_deref().unwrap_or("Succeeded");
                view.borrow_mut().registered(name, self.version.as_str(), state);
                drop(view);
                app.console.done("Model registered successfully!");
                app.console.gap();
                Ok(Some(model))
            }
            Some(Ok(None)) => {
                drop(view);
                app.console.done("Registration accepted");
                app.console.gap();
                Ok(None)
            }
            Some(Err(Ask::Service(error))) if error.is_conflict() => {
                Err(self.version_exists(error.into()).await.with_more(&self.kept()))
            }
            Some(Err(Ask::Service(error))) => Err(CliError::from(error).with_kept(&spec.again)),
            Some(Err(Ask::Here(error))) => Err(error),
            None => {
                let show = app.command_line(&["custom", "show", "--name", name, "--version", self.version.as_str()]);
                Err(CliError::interrupted()
                    .with_code("registration_interrupted")
                    .with_message("Interrupted after the upload. Foundry may still register the model.")
                    .with_suggestion(format!("See whether it is there:\n  {show}"))
                    .with_kept(&spec.again))
            }
        }
    }

    /// Registers; a conflict with what an earlier try asked for is no conflict, but that registration under way. Where
    /// the service tells of it stands in the journal before it is waited for.
    async fn ask(
        &self,
        directory: &UploadDirectory,
        journal: &mut Journal,
        asked: Asked,
        on: &mut dyn FnMut(RegisterStatus),
    ) -> Result<Option<CustomModel>, Ask> {
        let (app, spec, foundry) = (self.work.app, self.work.spec, self.work.foundry);
        let (name, version) = (&spec.name, &self.version);
        let (limit, begun) = (spec.timeout.unwrap_or(app.timings.register), Instant::now());
        let started = match asked {
            Asked::Seen => Started::under_way(journal.operation.clone()),
            Asked::Now { asked_before } => match foundry.register(name, version, &journal.registration, limit).await {
                Ok(started) => {
                    journal.operation = started.operation.clone().filter(is_plain);
                    directory.write_journal(journal).map_err(|why| Ask::Here(why.into()))?;
                    started
                }
                Err(RegisterError::Refused(error)) if asked_before && error.status() == Some(409) => {
                    Started::under_way(journal.operation.clone())
                }
                Err(error) => return Err(Ask::Service(error)),
            },
        };
        if spec.no_wait {
            self.accepted(started.operation.as_ref()).map_err(Ask::Here)?;
            return Ok(None);
        }
        let left = limit.saturating_sub(begun.elapsed()).max(Duration::from_millis(1));
        foundry.await_registration(name, version, started, left, on).await.map(Some).map_err(Ask::Service)
    }

    /// The product of `--no-wait`.
    fn accepted(&self, operation: Option<&Url>) -> Result<(), CliError> {
        let (app, spec) = (self.work.app, self.work.spec);
        let (name, version) = (spec.name.as_str(), self.version.as_str());
        if app.globals.output == OutputFormat::Json {
            return app.json(&Accepted { name, version, status: "InProgress", operation });
        }
        let wait = app.command_line(&["custom", "wait", "--name", name, "--version", version]);
        app.product(&render::accepted_page(name, version, &wait))
    }
}

/// Why there is no registration, or no word of its end.
enum Ask {
    Service(RegisterError),
    Here(CliError),
}

/// An address without a secret in it: the journal keeps no other.
fn is_plain(operation: &Url) -> bool {
    operation.query_pairs().all(|(key, _)| key == "api-version")
}
