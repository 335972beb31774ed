//! Command line of the program, and the resulting configuration.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::{Args, Parser, ValueEnum};
use foundry_emulator::{
    Arm, Auth, BlobStore, Config, Deploying, DeploymentEnd, Fault, LocationForm, OperationEnd, PendingUploadShape,
    Polling,
};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::Url;

/// A local Foundry project for trying, testing and scripting azure-ai-models without an Azure subscription.
///
/// Listens on 127.0.0.1 only and accepts any bearer token. Weights are stored in an Azurite that you start separately;
/// without one, uploads fail and everything else works.
#[derive(Debug, Parser)]
#[command(name = "foundry-emulator", version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Port; 0 selects a free one
    #[arg(long, default_value_t = 8700)]
    port: u16,
    /// Blob endpoint of an Azurite, for example http://127.0.0.1:10000
    #[arg(long, value_name = "URL")]
    azurite: Option<Url>,
    /// URL before /CONTAINER of another blob store, which accepts any SAS and has every container
    #[arg(long, value_name = "URL", conflicts_with = "azurite")]
    store: Option<Url>,
    /// Name of the project
    #[arg(long, default_value = "demo")]
    project: String,
    /// Write the endpoint to this file once the emulator accepts requests
    #[arg(long, value_name = "FILE")]
    pub(crate) write_endpoint: Option<PathBuf>,
    /// Models that exist from the start: a JSON array of objects with at least "name" and "version"
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// Fault to inject: ROUTE:KIND[=VALUE][,KEY=VALUE]...; may be repeated
    #[arg(long, value_name = "FAULT")]
    fault: Vec<Fault>,

    /// Accept this bearer token only
    #[arg(long, value_name = "TOKEN", help_heading = "Service")]
    token: Option<String>,
    /// Reject every request with 401
    #[arg(long, conflicts_with = "token", help_heading = "Service")]
    reject_all: bool,
    /// Models per page
    #[arg(long, value_name = "N", default_value_t = 50, help_heading = "Service")]
    page_size: usize,
    /// Time in createdAt, for reproducible output: 2026-01-02T03:04:05Z
    #[arg(long, value_name = "TIME", value_parser = read_time, help_heading = "Service")]
    clock: Option<OffsetDateTime>,
    /// Status of DELETE: 200, 204 or 202
    #[arg(long, value_name = "STATUS", default_value_t = 200, value_parser = read_delete_status, help_heading = "Service")]
    delete_status: u16,
    /// Model that is in use by a deployment and cannot be deleted; can be repeated
    #[arg(long, value_name = "NAME", help_heading = "Service")]
    in_use: Vec<String>,

    /// Shape of the startPendingUpload response
    #[arg(long, value_enum, default_value_t = Shape::Datastore, help_heading = "Uploads")]
    shape: Shape,
    /// Lifetime of a SAS in seconds; a negative value issues expired ones
    #[arg(long, value_name = "N", default_value_t = 3600, allow_negative_numbers = true, help_heading = "Uploads")]
    sas_seconds: i64,
    /// Lifetime of the first SAS of each upload; repeat it for the second and so on
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Uploads")]
    first_sas_seconds: Vec<i64>,
    /// Permissions of a SAS
    #[arg(long, value_name = "LETTERS", default_value = "rcwl", help_heading = "Uploads")]
    sas_permissions: String,
    /// Return a new container from each startPendingUpload
    #[arg(long, help_heading = "Uploads")]
    new_container_each_time: bool,
    /// Register without checking the container
    #[arg(long, help_heading = "Uploads")]
    no_blob_check: bool,

    /// Omit createAsync, so that clients have to use PUT
    #[arg(long, help_heading = "Registration")]
    no_create_async: bool,
    /// Status of PUT for a new version: 200, 201 or 202
    #[arg(long, value_name = "STATUS", default_value_t = 201, value_parser = read_put_status, help_heading = "Registration")]
    put_status: u16,
    /// Number of polls that see an operation running before it ends
    #[arg(long, value_name = "N", default_value_t = 2, help_heading = "Registration")]
    polls: u32,
    /// URL of operations: absolute, relative, body, none, or a foreign http://HOST
    #[arg(long, value_name = "FORM", default_value = "absolute", value_parser = read_location, help_heading = "Registration")]
    location: LocationForm,
    /// Make registrations fail with this code
    #[arg(long, value_name = "CODE", help_heading = "Registration")]
    fail: Option<String>,
    /// Error message for --fail
    #[arg(long, value_name = "TEXT", default_value = "The model was refused.", help_heading = "Registration")]
    fail_message: String,

    #[command(flatten)]
    arm: ArmOptions,
}

/// Azure Resource Manager: deployable models, and the behaviour of deployments.
#[derive(Debug, Args)]
#[command(next_help_heading = "Deployments")]
struct ArmOptions {
    /// Deployments that exist from the start: a JSON array of ARM objects with at least "name"
    #[arg(long, value_name = "FILE")]
    deployments: Option<PathBuf>,
    /// Deployable models, instead of the built-in ones: a JSON array of AccountModel
    #[arg(long, value_name = "FILE", conflicts_with = "many_base_models")]
    base_models: Option<PathBuf>,
    /// List as many deployable models as a real region
    #[arg(long)]
    many_base_models: bool,
    /// Usages of the region: a JSON array
    #[arg(long, value_name = "FILE")]
    usages: Option<PathBuf>,
    /// State of the feature Fireworks.EnableDeploy
    #[arg(long, value_name = "STATE", default_value = "Registered")]
    feature: String,
    /// The user has no role on the account
    #[arg(long)]
    no_role: bool,
    /// Number of polls that see a deployment unfinished
    #[arg(long, value_name = "N", default_value_t = 2)]
    deployment_polls: u32,
    /// Header with the URL of a write's operation: none, Azure-AsyncOperation, or Location
    #[arg(long, value_enum, default_value_t = PollingOption::AsyncOperation)]
    polling: PollingOption,
    /// Return AuthorizationFailed from that URL
    #[arg(long)]
    deny_operation: bool,
    /// Retry-After of writes and while they run
    #[arg(long, value_name = "SECONDS")]
    deployment_retry_after: Option<u64>,
    /// Make deployments fail with this code
    #[arg(long, value_name = "CODE")]
    fail_deployment: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PollingOption {
    Resource,
    AsyncOperation,
    Location,
}

impl ArmOptions {
    fn arm(&self) -> io::Result<Arm> {
        let defaults = Arm::default();
        let or = |file: &Option<PathBuf>, default: Vec<Value>| file.as_deref().map_or(Ok(default), read_values);
        let end = self.fail_deployment.as_ref().map_or(DeploymentEnd::Succeeded, |code| DeploymentEnd::Failed {
            state: "Failed".to_owned(),
            code: code.clone(),
            message: "The emulator was told to fail.".to_owned(),
        });
        let models = if self.many_base_models { foundry_emulator::recorded_size() } else { defaults.models };
        Ok(Arm {
            deployments: or(&self.deployments, Vec::new())?,
            models: or(&self.base_models, models)?,
            usages: or(&self.usages, defaults.usages)?,
            feature: self.feature.clone(),
            hides_account: self.no_role,
            deploying: Deploying {
                polls_until_done: self.deployment_polls,
                polling: match self.polling {
                    PollingOption::Resource => Polling::Resource,
                    PollingOption::AsyncOperation => Polling::AsyncOperation,
                    PollingOption::Location => Polling::Location,
                },
                denies_operation: self.deny_operation,
                retry_after: self.deployment_retry_after,
                end,
                ..defaults.deploying
            },
            ..defaults
        })
    }
}

const EXAMPLES: &str = "\
Examples:
  foundry-emulator --azurite http://127.0.0.1:10000
  foundry-emulator --port 0 --write-endpoint endpoint.txt
  foundry-emulator --fault list:status=503,retryAfter=2,count=1 --fault poll:stall

Routes of faults:
  any, list, versions, get, startPendingUpload, createAsync, poll, put, patch, delete, credentials, deployments, chat
  arm, or one of its own: armAccounts, armDeployments, armGet, armPut, armPatch, armDelete, armSkus, armModels,
  armFilters, armUsages, armCapacities, armOperation, armFeature
Kinds:
  status=N (with code=, message=, retryAfter=SECONDS, retryAfterDate=SECONDS), stall, reset,
  truncated, html=N, junkJson, emptyBody, delay=MS, hugeBody=BYTES, redirect=URL
Keys:
  count=N, skip=N, processed (process the request, but break its response)";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shape {
    Datastore,
    Sdk,
    Flat,
}

impl Options {
    /// Configuration for these options. Reads the seed file.
    pub(crate) fn config(&self) -> io::Result<Config> {
        let defaults = Config::default();
        Ok(Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)),
            project: self.project.clone(),
            auth: match &self.token {
                Some(token) => Auth::Token(token.clone()),
                None if self.reject_all => Auth::RejectAll,
                None => Auth::Any,
            },
            blobs: match (&self.azurite, &self.store) {
                (Some(endpoint), _) => BlobStore::Azurite { endpoint: endpoint.clone() },
                (None, Some(base)) => BlobStore::None { base: base.clone(), extra_sas_query: None },
                (None, None) => BlobStore::default(),
            },
            sas_seconds: self.sas_seconds,
            first_sas_seconds: self.first_sas_seconds.clone(),
            sas_permissions: self.sas_permissions.clone(),
            pending_upload_shape: match self.shape {
                Shape::Datastore => PendingUploadShape::Datastore,
                Shape::Sdk => PendingUploadShape::Sdk,
                Shape::Flat => PendingUploadShape::Flat,
            },
            new_container_each_time: self.new_container_each_time,
            checks_blobs: !self.no_blob_check,
            has_create_async: !self.no_create_async,
            put_status: Some(self.put_status),
            location: self.location.clone(),
            polls_until_done: self.polls,
            operation_end: match &self.fail {
                Some(code) => OperationEnd::Failed {
                    status: "Failed".to_owned(),
                    code: code.clone(),
                    message: self.fail_message.clone(),
                },
                None => OperationEnd::Succeeded,
            },
            delete_status: self.delete_status,
            models_in_use: self.in_use.clone(),
            page_size: self.page_size,
            clock: self.clock,
            arm: self.arm.arm()?,
            models: self.seed.as_deref().map_or_else(|| Ok(Vec::new()), read_values)?,
            faults: self.fault.clone(),
            ..defaults
        })
    }
}

fn read_values(file: &Path) -> io::Result<Vec<Value>> {
    let at_file = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
    let text = std::fs::read(file).map_err(at_file)?;
    serde_json::from_slice(&text).map_err(|error| at_file(error.into()))
}

fn read_time(text: &str) -> Result<OffsetDateTime, time::error::Parse> {
    OffsetDateTime::parse(text, &Rfc3339)
}

fn read_put_status(text: &str) -> Result<u16, String> {
    one_of(text, &[200, 201, 202])
}

fn read_delete_status(text: &str) -> Result<u16, String> {
    one_of(text, &[200, 202, 204])
}

fn one_of(text: &str, allowed: &[u16]) -> Result<u16, String> {
    text.parse().ok().filter(|status| allowed.contains(status)).ok_or_else(|| format!("expected one of {allowed:?}"))
}

fn read_location(text: &str) -> Result<LocationForm, String> {
    Ok(match text {
        "absolute" => LocationForm::Absolute,
        "relative" => LocationForm::Relative,
        "body" => LocationForm::BodyOnly,
        "none" => LocationForm::None,
        url => LocationForm::Foreign(Url::parse(url).map_err(|error| error.to_string())?),
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_valid() {
        Options::command().debug_assert();
    }
}
