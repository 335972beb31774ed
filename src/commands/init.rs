//! `init`: an azd environment that knows its Foundry project.
//!
//! Everything is found before anything is written: a project that is not there leaves no trace.

mod asked;
mod environment;

use clap::Args;

use self::asked::Asked;
use self::environment::{Before, Target};
use super::choose::{Finder, Place};
use crate::app::App;
use crate::console::product::{self, JsonPieces, Product};
use crate::console::{InitPage, TableStyle};
use crate::error::CliError;
use crate::globals::OutputFormat;
use azure_ai_models_core::azd::Azd;
use azure_ai_models_core::env::var;

/// Arguments of `init`.
#[derive(Args, Clone, Debug)]
pub(crate) struct InitArgs {
    /// ARM resource id of the Foundry project
    #[arg(short, long, value_name = "ID")]
    pub(crate) project_resource_id: Option<String>,

    /// Name of the azd environment, as --environment; it is made where there is none
    #[arg(short = 'n', value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Ask for the project again, although the environment has one
    #[arg(short, long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_parser = clap::builder::BoolishValueParser::new())]
    pub(crate) force: Option<bool>,
}

/// The values that an environment holds afterwards.
const KEYS: [&str; 7] = [
    var::AZURE_TENANT_ID,
    var::AZURE_SUBSCRIPTION_ID,
    var::AZURE_RESOURCE_GROUP_NAME,
    var::AZURE_ACCOUNT_NAME,
    var::AZURE_PROJECT_NAME,
    var::AZURE_LOCATION,
    var::AZURE_PROJECT_ENDPOINT,
];

/// Connects an azd environment to a Foundry project.
///
/// # Errors
/// When an option breaks a rule or an answer is missing, when there is no azd, when the project is not there or ARM does
/// not tell, or when azd does not store a value.
pub(crate) async fn init(app: &App, args: &InitArgs) -> Result<(), CliError> {
    let asked = Asked::read(app, args)?;
    let host = app.host();
    let json = app.globals.output == OutputFormat::Json;
    let azd = Azd::new(&app.env, &app.timings, host.as_ref(), json);
    let before = Before::look(app, &azd, asked.environment.as_deref()).await?;
    if let Some(values) = before.values.as_ref().and_then(|values| asked.is_answered(values)) {
        return show(app, before.target(), &values);
    }
    // Where nobody can be asked, the first words are for what is made.
    if app.can_choose() {
        before.greet(app);
    }
    let name = before.name_or_ask(app, host.as_ref(), &asked).await?;
    let place = find(app, &asked, &before).await?;
    let target = before.make(app, &azd, name, &place).await?;
    let values = place.values();
    let pairs: Vec<(&str, &str)> = values.iter().map(|(key, value)| (*key, value.as_str())).collect();
    azd.save(&target.name, &pairs).await.map_err(|why| CliError::not_saved(&target.name, why))?;
    show(app, target, &values.map(|(_, value)| value))
}

/// The project that options, values or a person name.
async fn find(app: &App, asked: &Asked, before: &Before) -> Result<Place, CliError> {
    let known = before.values.as_ref().filter(|_| !asked.force);
    let known = |key: &str| known.and_then(|values| values.get(key)).filter(|value| !value.is_empty()).cloned();
    let endpoint = match (&asked.endpoint, &asked.id) {
        (None, None) => known(var::AZURE_PROJECT_ENDPOINT).map(|text| asked::endpoint(app, &text)).transpose()?,
        (endpoint, _) => endpoint.clone(),
    };
    let subscription = match &asked.id {
        Some(id) => Some(id.subscription.clone()),
        None => asked.subscription.clone().or_else(|| known(var::AZURE_SUBSCRIPTION_ID)),
    };
    let tenant = known(var::AZURE_TENANT_ID).or_else(|| app.env.get(var::AZURE_TENANT_ID).map(str::to_owned));
    let finder = Finder::new(app, endpoint.as_ref(), tenant)?;
    let can_choose = app.can_choose();
    let subscription = match subscription {
        Some(id) => finder.subscription(&id).await?,
        None if can_choose => finder.choose_subscription().await?,
        None => return Err(asked.no_answer("subscription", "")),
    };
    match (&asked.id, &endpoint) {
        (Some(id), endpoint) => finder.project(&subscription, id, endpoint.as_ref()).await,
        (None, Some(endpoint)) => finder.project_at(&subscription, endpoint).await,
        (None, None) if can_choose => finder.choose_project(&subscription).await,
        (None, None) => Err(asked.no_answer("Foundry project", "")),
    }
}

fn show(app: &App, target: Target, values: &[String; 7]) -> Result<(), CliError> {
    // Without a name the commands would look into the default one.
    let environment = (!target.is_default).then_some(target.name.as_str());
    let command = |args: &[&str]| app.command_line_in(environment, args);
    let next = [
        command(&["custom", "list"]),
        command(&["custom", "create", "--name", "my-model", "--source", "./model-weights"]),
    ];
    app.console.gap();
    app.show(&Initialized { environment: &target.name, values, next: &next })
}

/// The environment as it is now.
struct Initialized<'a> {
    environment: &'a str,
    /// In the order of [`KEYS`].
    values: &'a [String; 7],
    /// Commands to go on with.
    next: &'a [String],
}

impl Product for Initialized<'_> {
    fn json(&self) -> JsonPieces<'_> {
        let mut document: serde_json::Map<String, serde_json::Value> =
            KEYS.iter().zip(self.values).map(|(key, value)| ((*key).to_owned(), value.as_str().into())).collect();
        document.insert("environment".into(), self.environment.into());
        product::document(&document)
    }

    fn text(&self, _: TableStyle) -> String {
        let Self { environment, values: [_, subscription, group, _, project, _, endpoint], next } = self;
        InitPage { environment, subscription, group, project, endpoint, next }.text()
    }
}
