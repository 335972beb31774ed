//! Step 3 of `create`: the registration, including one that an earlier attempt requested without seeing its result.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use azure_ai_models_core::foundry::{AcceptedRegistration, RegisterError, RegisterStatus, RegisteredModel};
use azure_ai_models_core::http::HttpError;
use azure_ai_models_core::model::ModelVersion;
use azure_ai_models_core::upload::{Session, UploadError};
use serde::Serialize;
use url::Url;

use super::{CreateFailure, CreateRun, STARTING_OVER, STEPS};
use crate::console::product::{self, JsonPieces, Product};
use crate::console::{TableStyle, render};
use crate::error::{CliError, RegistrationSuggestions, VersionConflict};

/// Product of `--no-wait`.
#[derive(Serialize)]
struct AcceptedModel<'a> {
    name: &'a str,
    version: &'a str,
    status: &'a str,
    operation: Option<&'a Url>,
    /// Command that waits for its end.
    #[serde(skip)]
    wait: String,
}

impl Product for AcceptedModel<'_> {
    fn json(&self) -> JsonPieces<'_> {
        product::document(self)
    }

    fn text(&self, style: TableStyle) -> String {
        if !style.summary {
            return render::name_line(self.name);
        }
        render::accepted_page(self.name, self.version, &self.wait)
    }
}

/// Failure of a registration, or of the wait for its end.
enum RegistrationFailure {
    /// Failure reported by the service.
    Service(RegisterError),
    /// Failure on this machine.
    Local(CliError),
}

/// State of a registration before this run requests it.
#[derive(Clone, Copy)]
enum PriorRegistration {
    /// Requested by an earlier attempt, and its model exists.
    ModelExists,
    /// Possibly requested by an earlier attempt.
    MayBeRequested,
    /// Not requested.
    NotRequested,
}

impl CreateRun<'_> {
    /// Registers the model. Returns `None` if its registration was accepted and is not awaited.
    pub(super) async fn register(
        &self,
        session: &mut Session,
        version: &ModelVersion,
    ) -> Result<Option<RegisteredModel>, CliError> {
        match self.try_register(session, version).await {
            Ok(registered) => Ok(registered),
            Err(error) => Err(self.not_registered(session, version, error).await),
        }
    }

    /// Registers the upload of an earlier attempt; uploads again if the service no longer accepts it.
    pub(super) async fn register_uploaded(
        &self,
        session: &mut Session,
        version: &ModelVersion,
    ) -> Result<Option<RegisteredModel>, CreateFailure> {
        if self.is_registered(session, version).await? {
            return match self.follow(session, version, PriorRegistration::ModelExists).await {
                Ok(registered) => Ok(registered),
                Err(error) => Err(self.not_registered(session, version, error).await.into()),
            };
        }
        match self.try_register(session, version).await {
            Ok(registered) => Ok(registered),
            Err(RegistrationFailure::Service(error)) if error.rejects_upload().is_some() => {
                let code = error.rejects_upload().unwrap_or_default();
                self.app.console.status(&format!("\n{STARTING_OVER} ({code})"));
                session.start_over();
                self.upload(session, version).await?;
                Ok(self.register(session, version).await?)
            }
            Err(error) => Err(self.not_registered(session, version, error).await.into()),
        }
    }

    /// True if an earlier attempt registered the model and ended before it received the result.
    async fn is_registered(&self, session: &Session, version: &ModelVersion) -> Result<bool, CliError> {
        match self.foundry.get_model(&self.spec.name, version).await {
            Ok(model) => {
                let difference = session.registration().and_then(|ours| ours.difference(&model));
                let Some(difference) = difference else { return Ok(true) };
                if !self.spec.overwrite {
                    let taken = VersionConflict::Registration(RegisterError::VersionTaken { difference });
                    return Err(self.version_exists(version, taken).await.and_message(&self.kept()));
                }
                self.confirm_and_overwrite(version, 0).await?;
                Ok(false)
            }
            Err(error) if error.status() == Some(404) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn try_register(
        &self,
        session: &mut Session,
        version: &ModelVersion,
    ) -> Result<Option<RegisteredModel>, RegistrationFailure> {
        self.app.console.step(3, STEPS, "Registering model...");
        session.prove().await.map_err(|error| RegistrationFailure::Local(self.not_proved(error)))?;
        self.tag_content(session).await;
        let was_asked_for = session.begin_registration().await;
        self.follow(
            session,
            version,
            if was_asked_for { PriorRegistration::MayBeRequested } else { PriorRegistration::NotRequested },
        )
        .await
    }

    /// Registers the model and shows the progress.
    async fn follow(
        &self,
        session: &mut Session,
        version: &ModelVersion,
        asked: PriorRegistration,
    ) -> Result<Option<RegisteredModel>, RegistrationFailure> {
        let app = self.app;
        let view = RefCell::new(app.console.register_view(app.timings.status_line));
        let mut on = |status: RegisterStatus| view.borrow_mut().on(&status.status, status.elapsed);
        let show = ["custom", "show", "--name", self.spec.name.as_str(), "--version", version.as_str()];
        app.on_interrupt(CliError::registration_interrupted(&app.command_line(&show), &self.spec.resume_command));
        let done = match self.ask(session, version, asked, &mut on).await? {
            Some(registered) => {
                let own = registered.model.view().provisioning_state.as_deref();
                let state = registered.state.as_deref().or(own).unwrap_or("Succeeded");
                // Included in the final message.
                if self.deploy.is_none() {
                    view.borrow_mut().done(self.spec.name.as_str(), version.as_str(), state);
                }
                ("Model registered successfully!", Some(registered))
            }
            None => ("Registration accepted", None),
        };
        drop(view);
        app.console.done(done.0);
        app.console.gap();
        Ok(done.1)
    }

    /// Requests the registration. With `--no-wait` it waits only until it is known whose registration it is; a conflict
    /// with a registration of an earlier attempt counts as that registration in progress. The URL that reports on it is
    /// stored in the journal before the wait begins.
    async fn ask(
        &self,
        session: &mut Session,
        version: &ModelVersion,
        asked: PriorRegistration,
        on: &mut dyn FnMut(RegisterStatus),
    ) -> Result<Option<RegisteredModel>, RegistrationFailure> {
        let (app, name, foundry) = (self.app, &self.spec.name, self.foundry);
        let (limit, begun) = (self.spec.timeout.unwrap_or(app.timings.register), Instant::now());
        let (Some(registration), Some(journal)) = (session.registration(), session.journal()) else {
            return Err(RegistrationFailure::Local(CliError::failure("no upload to register")));
        };
        let operation = journal.operation.clone();
        let started = match asked {
            // The model decides: its operation may be unreadable, or never end.
            PriorRegistration::ModelExists => AcceptedRegistration::in_progress(None),
            PriorRegistration::MayBeRequested | PriorRegistration::NotRequested => {
                match foundry.register(name, version, &registration, limit).await {
                    Ok(started) => {
                        session.record_operation(started.shareable_operation().cloned()).await;
                        started
                    }
                    Err(RegisterError::Refused(error))
                        if matches!(asked, PriorRegistration::MayBeRequested)
                            && is_of_this_upload(&error, operation.as_ref()) =>
                    {
                        AcceptedRegistration::in_progress(operation)
                    }
                    Err(error) => return Err(RegistrationFailure::Service(error)),
                }
            }
        };
        let (operation, is_ours) = (started.shareable_operation().cloned(), started.is_ours);
        let model = if self.spec.no_wait && started.is_confirmed() {
            None
        } else {
            let left = limit.saturating_sub(begun.elapsed()).max(Duration::from_millis(1));
            let ended = foundry.await_registration((name, version), &registration, started, left, on).await;
            let model = ended.map_err(RegistrationFailure::Service)?;
            // Two uploads of one version share a location, so the location alone does not identify the model.
            if !is_ours && let Some(difference) = session.registered_difference().await {
                return Err(RegistrationFailure::Service(RegisterError::VersionTaken { difference }));
            }
            Some(model)
        };
        if self.spec.no_wait {
            let status = if model.is_some() { "Succeeded" } else { "InProgress" };
            self.accepted(version, status, operation.as_ref()).map_err(RegistrationFailure::Local)?;
            return Ok(None);
        }
        Ok(model)
    }

    /// Shows the product of `--no-wait`.
    fn accepted(&self, version: &ModelVersion, status: &str, operation: Option<&Url>) -> Result<(), CliError> {
        let (app, name, version) = (self.app, self.spec.name.as_str(), version.as_str());
        let wait = app.command_line(&["custom", "wait", "--name", name, "--version", version]);
        app.show(&AcceptedModel { name, version, status, operation, wait })
    }

    async fn not_registered(&self, session: &Session, version: &ModelVersion, error: RegistrationFailure) -> CliError {
        let error = match error {
            RegistrationFailure::Service(error) => error,
            RegistrationFailure::Local(error) => return error,
        };
        if self.is_conflict(version, &error).await {
            let conflict = VersionConflict::Registration(error);
            return self.version_exists(version, conflict).await.and_message(&self.kept());
        }
        let (app, name) = (self.app, self.spec.name.as_str());
        let wait = app.command_line(&["custom", "wait", "--name", name, "--version", version.as_str()]);
        let timed_out = format!("The service may still be working. To wait for it:\n  {wait}");
        let is_unknown = error.refusal_code().is_some_and(|code| !CliError::has_suggestion(code));
        let cli_error = CliError::registration(error, &RegistrationSuggestions { timed_out: &timed_out, lost: None });
        let cli_error = cli_error.with_registration_retry(&self.spec.resume_command);
        match session.id().filter(|_| is_unknown) {
            Some(id) => {
                let discard = app.command_line(&["custom", "uploads", "discard", &id]);
                cli_error
                    .and_suggestion(&format!("If it is refused again, discard the upload and start over:\n  {discard}"))
            }
            None => cli_error,
        }
    }

    /// True if a failed registration reports that the version belongs to another model.
    async fn is_conflict(&self, version: &ModelVersion, error: &RegisterError) -> bool {
        match error {
            RegisterError::VersionTaken { .. } => true,
            RegisterError::Refused(error) | RegisterError::NoRoute { second: error, .. } => {
                error.status() == Some(409) && self.is_taken(version, error).await
            }
            _ => false,
        }
    }

    /// Error of a complete upload that cannot be registered: it is no longer complete, or that cannot be verified.
    fn not_proved(&self, error: UploadError) -> CliError {
        match error {
            UploadError::Incomplete(_) => self.upload_failed(error),
            error => CliError::unproved_upload(error).with_registration_retry(&self.spec.resume_command),
        }
    }

    /// Text about the kept upload if the version already exists.
    fn kept(&self) -> String {
        let again = &self.spec.resume_command;
        format!(
            "The upload is complete and kept. When the version is free, run the same command again to register it:\n  {again}"
        )
    }
}

/// True if a 409 concerns the registration that an earlier attempt requested: by its code or its operation.
fn is_of_this_upload(error: &HttpError, operation: Option<&Url>) -> bool {
    let names_version = error.service().is_some_and(|error| error.is_version_conflict());
    names_version || (error.status() == Some(409) && operation.is_some())
}
