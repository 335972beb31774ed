//! `doctor`: one page of checks of all requirements of an upload. Does not prompt, and changes nothing except for
//! `--speed`.

use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use url::Url;

use crate::app::App;
use crate::console::TableStyle;
use crate::console::doctor_page::{CheckRow, doctor_page};
use crate::console::product::{self, JsonPieces, Product};
use crate::error::CliError;
use crate::globals::OutputFormat;
use azure_ai_models_core::azcopy::{self, AzCopy};
use azure_ai_models_core::azd;
use azure_ai_models_core::credential::{Audience, CredentialError, CredentialMethod};
use azure_ai_models_core::doctor::{self, Check, CheckId, Fix, HostObservation, RoleRequest, SignIn};
use azure_ai_models_core::env::var;
use azure_ai_models_core::foundry::{FirstPage, FoundryClient, ListError};
use azure_ai_models_core::http::HttpError;
use azure_ai_models_core::model::{BlobUri, ModelVersion, NewModelName};
use azure_ai_models_core::notices::with_notices;
use azure_ai_models_core::project::{FindError, ProjectLookup, ResolvedProject, trusted, trusted_for_hub};
use azure_ai_models_core::units;
use azure_ai_models_core::upload::{self, LocalUpload};

pub(crate) const EXAMPLES: &str = "\
Examples:
  azd ai models doctor
  azd ai models doctor -o json > doctor.json
  azd ai models doctor --speed --name my-model

Each line is a check: ok, warning or failed, what was found, and the command that fixes it. Ends with exit code 1 if a \
check failed; warnings do not count.";

/// Options of `doctor`.
#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// Measure the upload speed by sending 16 MiB (no model is registered)
    #[arg(long, requires = "name")]
    speed: bool,

    /// Model whose next free version provides the upload location of --speed
    #[arg(short, long, value_name = "NAME", requires = "speed")]
    name: Option<NewModelName>,
}

/// Version of the JSON document.
const SCHEMA: u32 = 1;

/// Checks, each with its fix in the form that this run prints.
struct Doctor(Vec<(Check, Option<String>)>);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    schema_version: u32,
    checks: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    status: &'a str,
    message: &'a str,
    fix: Option<&'a str>,
}

impl Product for Doctor {
    fn json(&self) -> JsonPieces<'_> {
        let checks = self.0.iter().map(|(check, fix)| Entry {
            id: check.id.as_str(),
            status: check.status.as_str(),
            message: &check.message,
            fix: fix.as_deref(),
        });
        product::document(&Document { schema_version: SCHEMA, checks: checks.collect() })
    }

    fn text(&self, style: TableStyle) -> String {
        let rows = self.0.iter().map(|(check, fix)| CheckRow {
            id: check.id.as_str(),
            status: check.status.as_str(),
            message: &check.message,
            fix: fix.as_deref(),
        });
        doctor_page(&rows.collect::<Vec<_>>(), style)
    }
}

/// Runs all checks, independent ones concurrently.
///
/// # Errors
/// When a check failed; with JSON output the document reports it.
pub(crate) async fn doctor(app: &App, args: &DoctorArgs) -> Result<(), CliError> {
    app.collect_warnings();
    let pauses = (app.timings.wait_notice, app.timings.status_line);
    let say = |elapsed| app.console.notice(&format!("Still checking ({})...", units::duration(elapsed)));
    let kept = app.env.azd_config_dir().map_or_else(|| Ok(Vec::new()), |directory| upload::local_uploads(&directory));
    let remote = Box::pin(remote(app, args, kept.as_deref().unwrap_or_default()));
    let azd = azd::program_version(&app.env, &app.timings);
    let all = async { tokio::join!(Box::pin(azd), Box::pin(azcopy(app)), remote) };
    let (azd, azcopy, remote) = with_notices(pauses, say, all).await;
    app.take_warnings().iter().for_each(|warning| app.console.warn(warning));
    let azd = doctor::azd(&azd, CredentialMethod::of(app.trusted_env()).unwrap_or(CredentialMethod::Azd));
    let machine = [azcopy, doctor::disk(&app.env), doctor::open_files(), doctor::uploads(&kept)];
    let checks = [azd].into_iter().chain(remote.before).chain(machine).chain(remote.speed);
    let checks: Vec<_> =
        checks.map(|check| (fix_command(app, &check), check)).map(|(fix, check)| (check, fix)).collect();
    let failed: Vec<&str> =
        checks.iter().filter(|(check, _)| check.is_failed()).map(|(check, _)| check.id.as_str()).collect();
    let outcome = match failed.len() {
        0 => Ok(()),
        count => {
            let error = CliError::failure(format!("{count} of {} checks failed: {}", checks.len(), failed.join(", ")))
                .with_suggestion("Fix the first one first: it often causes the failures below it.");
            Err(if app.globals.output == OutputFormat::Json { error.reported() } else { error })
        }
    };
    app.show(&Doctor(checks))?;
    outcome
}

fn fix_command(app: &App, check: &Check) -> Option<String> {
    check.fix.as_ref().map(|fix| match fix {
        Fix::Text(text) => text.clone(),
        Fix::Own(words) => app.command_line(&words.iter().map(String::as_str).collect::<Vec<_>>()),
    })
}

async fn azcopy(app: &App) -> Check {
    let found = match azcopy::locate(&app.env, None) {
        Ok(candidate) => Ok(AzCopy::verify(candidate, &app.env, &app.timings, &app.reporter()).await),
        Err(error) => Err(error),
    };
    doctor::azcopy(&found)
}

/// Checks of the project and the network path to it.
struct Remote {
    before: Vec<Check>,
    speed: Option<Check>,
}

async fn remote(app: &App, args: &DoctorArgs, kept: &[LocalUpload]) -> Remote {
    let variables = variables(app);
    let found = match app.search_project(app.globals.endpoint.as_deref()).await {
        Ok(ProjectLookup::Found(found)) => Ok(app.set_project(*found)),
        Ok(ProjectLookup::NeedsChoice { .. }) => Err(FindError::NotConfigured),
        Err(error) => Err(error),
    };
    let mut warnings = app.take_warnings();
    warnings.retain(|warning| !variables.contains(warning));
    let endpoint = match &found {
        Ok(found) => doctor::endpoint(found, &warnings),
        Err(error) => doctor::no_endpoint(error),
    };
    let (found, variables) = (found.ok(), doctor::variables(&variables));
    let service = Box::pin(service(app, found)).await;
    let Service { host, signed_in, foundry, page } = &service;
    let blobs = Box::pin(blobs(app, page.as_ref().and_then(|page| page.as_ref().ok()), kept)).await;
    let speed = if args.speed { Some(Box::pin(speed(app, foundry.as_ref(), args.name.as_ref())).await) } else { None };
    let sign_in = doctor::sign_in(signed_in);
    let of_host = |id, check: fn(&HostObservation) -> Check| {
        host.as_ref().map_or_else(|| Check::not_checked(id, CheckId::Endpoint), check)
    };
    let tls = of_host(CheckId::Tls, doctor::tls);
    let role = match (page, signed_in, found) {
        (Some(answer), Ok(sign_in), Some(found)) => {
            let project_id = found.value(&app.env, var::AZURE_AI_PROJECT_ID);
            doctor::role(&RoleRequest { answer, sign_in, source: &found.source, project_id })
        }
        (_, _, None) => Check::not_checked(CheckId::Role, CheckId::Endpoint),
        _ if sign_in.is_failed() => Check::not_checked(CheckId::Role, CheckId::SignIn),
        _ => Check::not_checked(CheckId::Role, CheckId::Tls),
    };
    let (dns, proxy) = (of_host(CheckId::Dns, doctor::dns), of_host(CheckId::Proxy, doctor::proxy));
    let clock = doctor::clock(&[host.as_ref(), blobs.as_ref()]);
    let blob_store = match &blobs {
        Some(host) => doctor::blob_store(host),
        None if matches!(page, Some(Ok(_))) => Check::nothing(CheckId::BlobStore, "no model or upload names one yet"),
        None => Check::not_checked(CheckId::BlobStore, CheckId::Role),
    };
    let before = vec![endpoint, variables, sign_in, dns, proxy, tls, clock, role, blob_store];
    Remote { before, speed }
}

/// Responses of the project's host and its service.
struct Service {
    host: Option<HostObservation>,
    signed_in: Result<SignIn, CredentialError>,
    foundry: Option<FoundryClient>,
    /// First page of the models, if host and sign-in permit the request.
    page: Option<Result<FirstPage, HttpError>>,
}

async fn service(app: &App, found: Option<&ResolvedProject>) -> Service {
    let http = app.http();
    // Without a project, the scope of the public cloud shows whether the user is signed in.
    let public = || Url::parse("https://ai.azure.com/").ok();
    let host = found.map(|found| found.endpoint.host_url());
    let tokens = host.clone().or_else(public).map(|url| app.tokens_for(&url, Audience::Foundry)).transpose();
    let tenant = found.and_then(|found| found.tenant.as_deref());
    let sign_in = async {
        match &tokens {
            Ok(Some(tokens)) => Ok(SignIn::observe(tokens, tenant).await),
            Ok(None) => Err(CredentialError::NoScope { host: String::new() }),
            Err(error) => Err(error.clone()),
        }
    };
    let host = async {
        match host {
            Some(url) => Some(doctor::observe(&http, url).await),
            None => None,
        }
    };
    let (signed_in, host) = tokio::join!(sign_in, host);
    let tokens = tokens.ok().flatten().filter(|_| !doctor::sign_in(&signed_in).is_failed());
    let foundry = found.zip(tokens).map(|(found, tokens)| app.client_with(found, Arc::clone(&tokens)));
    let foundry = foundry.filter(|_| host.as_ref().is_some_and(HostObservation::is_reached));
    let page = match &foundry {
        Some(foundry) => Some(foundry.first_page().await),
        None => None,
    };
    Service { host, signed_in, foundry, page }
}

/// Warnings about ignored variables, regardless of the program's caller.
fn variables(app: &App) -> Vec<String> {
    let (environment, reporter) = (app.globals.environment.as_deref(), app.reporter());
    drop(trusted(&app.env, environment, None, &reporter));
    drop(trusted_for_hub(&app.env, environment, &reporter));
    let mut ignored: Vec<String> = app.ignored.iter().cloned().chain(app.take_warnings()).collect();
    ignored.sort_unstable();
    ignored.dedup();
    ignored
}

/// Blob store of the newest model, otherwise of an upload on this machine.
async fn blobs(app: &App, page: Option<&FirstPage>, kept: &[LocalUpload]) -> Option<HostObservation> {
    let of_upload = || kept.iter().find_map(|kept| Some(kept.journal.as_ref()?.registration.blob_uri.clone()));
    let uri: BlobUri = page.and_then(|page| page.newest_blob_uri.clone()).or_else(of_upload)?;
    let mut url = Url::parse(uri.as_str()).ok()?;
    url.set_path("/");
    Some(doctor::observe(&app.http(), url).await)
}

/// Sends test data to the location of the next free version, which is not registered.
async fn speed(app: &App, foundry: Option<&FoundryClient>, name: Option<&NewModelName>) -> Check {
    let (Some(foundry), Some(name)) = (foundry, name) else {
        return Check::not_checked(CheckId::Speed, CheckId::Role);
    };
    let measured = async {
        let name = name.as_name();
        let versions = match foundry.list_versions(name).await {
            Err(ListError::Http(error)) if error.status() != Some(404) => return Err(error),
            versions => versions.unwrap_or_default(),
        };
        let known = versions.iter().filter_map(|model| model.view().version.as_deref());
        let version = ModelVersion::after(known).unwrap_or_else(ModelVersion::first);
        let location = foundry.start_pending_upload(name, &version).await?;
        Ok((location.host(), location.measure(&app.http()).await?))
    };
    doctor::speed(&measured.await)
}
