//! `init`: connects an azd environment to its Foundry project.
//!
//! All values are determined before anything is written: a missing project changes nothing.

mod environment;
mod find;
mod options;

use clap::Args;

use self::environment::{ExistingState, TargetEnvironment};
use self::options::InitOptions;
use super::finder::LocatedProject;
use crate::app::App;
use crate::console::product::{self, JsonPieces, Product};
use crate::console::{InitPage, TableStyle};
use crate::error::CliError;
use crate::globals::OutputFormat;
use azure_ai_models_core::azd::Azd;
use azure_ai_models_core::env::var;
use azure_ai_models_core::project::ProjectEndpoint;

/// Arguments of `init`.
#[derive(Args, Clone, Debug)]
pub(crate) struct InitArgs {
    /// Azure resource ID of the Foundry project
    #[arg(short, long, value_name = "ID")]
    pub(crate) project_resource_id: Option<String>,

    /// Name of the azd environment, created if missing (same as --environment)
    #[arg(short = 'n', value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Prompt for the project again, even if the environment has one
    #[arg(short, long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_parser = clap::builder::BoolishValueParser::new())]
    pub(crate) force: Option<bool>,
}

/// Values that an environment has afterwards.
const KEYS: [&str; 7] = [
    var::AZURE_TENANT_ID,
    var::AZURE_SUBSCRIPTION_ID,
    var::AZURE_RESOURCE_GROUP_NAME,
    var::AZURE_ACCOUNT_NAME,
    var::AZURE_PROJECT_NAME,
    var::AZURE_LOCATION,
    var::AZURE_PROJECT_ENDPOINT,
];

/// Values of the project, in the order of [`KEYS`]; `None` for an unknown one.
struct ProjectValues([Option<String>; 7]);

impl ProjectValues {
    fn of_project(located: &LocatedProject) -> Self {
        Self(located.values().map(|(_, value)| Some(value)))
    }

    /// Only the endpoint, if the user lacks the permissions to see more.
    fn of_endpoint(endpoint: &ProjectEndpoint, tenant: Option<String>) -> Self {
        let project = Some(endpoint.project().to_owned());
        Self([tenant, None, None, None, project, None, Some(endpoint.to_string())])
    }

    fn is_whole(&self) -> bool {
        self.0.iter().all(Option::is_some)
    }

    /// Subscription and region in azd's form for a new environment.
    fn target(&self) -> Option<(&str, &str)> {
        let [_, subscription, _, _, _, location, _] = &self.0;
        Some((subscription.as_deref()?, location.as_deref()?))
    }

    fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        KEYS.into_iter().zip(&self.0).filter_map(|(key, value)| Some((key, value.as_deref()?)))
    }
}

/// Connects an azd environment to a Foundry project.
///
/// # Errors
/// When an option is invalid, an answer is missing, azd is not installed, the project is not found, or azd does not
/// store a value.
pub(crate) async fn init(app: &App, args: &InitArgs) -> Result<(), CliError> {
    let asked = InitOptions::read(app, args)?;
    let host = app.host();
    let json = app.globals.output == OutputFormat::Json;
    let azd = Azd::new(&app.env, &app.timings, host.as_ref(), json).with_questions(app.can_choose());
    let before = ExistingState::read(app, &azd, asked.environment.as_deref()).await?;
    if let Some(values) = before.values.as_ref().and_then(|values| asked.is_answered(values)) {
        return show(app, before.target(), &ProjectValues(values.map(Some)));
    }
    let (known, name) = if app.can_choose() && !asked.names_project() {
        // A directory in which azd cannot create a project is reported before the first prompt.
        before.create_project(app, &azd).await?;
        let name = before.name_or_ask(app, host.as_ref()).await?;
        (find::find(app, &asked, &before).await?, name)
    } else {
        // A missing project must change nothing.
        let known = find::find(app, &asked, &before).await?;
        before.create_project(app, &azd).await?;
        (known, before.name_or_ask(app, host.as_ref()).await?)
    };
    let target = before.create_environment(app, &azd, name, known.target()).await?;
    let pairs: Vec<_> = known.pairs().chain(find::outdated(&known, &before).map(|key| (key, ""))).collect();
    azd.save(&target.name, &pairs).await.map_err(|why| CliError::not_saved(&target.name, why))?;
    if !known.is_whole() {
        app.console.warn(ACCOUNT_NOT_VISIBLE);
    }
    show(app, target, &known)
}

/// Note if only the endpoint is known.
const ACCOUNT_NOT_VISIBLE: &str = "You do not have access to the Foundry account of this endpoint, so its subscription, resource group, name and region are unknown. The endpoint alone works for everything except deployments. For those, ask for the role Reader on the account, then run init again.";

fn show(app: &App, target: TargetEnvironment, known: &ProjectValues) -> Result<(), CliError> {
    // Without a name the commands would use the default environment.
    let environment = (!target.is_default).then_some(target.name.as_str());
    let command = |args: &[&str]| app.command_line_in(environment, args);
    let next = [
        command(&["custom", "list"]),
        command(&["custom", "create", "--name", "my-model", "--source", "./model-weights"]),
    ];
    app.console.gap();
    app.show(&Initialized { environment: &target.name, known, next: &next })
}

/// Environment after the command.
struct Initialized<'a> {
    environment: &'a str,
    known: &'a ProjectValues,
    /// Commands for the next steps.
    next: &'a [String],
}

impl Product for Initialized<'_> {
    fn json(&self) -> JsonPieces<'_> {
        let mut document: serde_json::Map<String, serde_json::Value> =
            KEYS.iter().zip(&self.known.0).map(|(key, value)| ((*key).to_owned(), value.as_deref().into())).collect();
        document.insert("environment".into(), self.environment.into());
        product::document(&document)
    }

    fn text(&self, _: TableStyle) -> String {
        let [_, subscription, group, _, project, _, endpoint] =
            self.known.0.each_ref().map(|value| value.as_deref().unwrap_or("unknown"));
        InitPage { environment: self.environment, subscription, group, project, endpoint, next: self.next }.text()
    }
}
