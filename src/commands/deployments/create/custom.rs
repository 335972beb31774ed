//! `custom deployments create`: a registered model, or a catalogue model of Fireworks with a registered model as its draft.

use std::str::FromStr;

use clap::Args;
use time::OffsetDateTime;

use super::checks::{NO_PERMISSION, Wanted, offered};
use super::options::CreateOptions;
use super::plan::show_dry_run;
use super::{Checks, Existing, Plan, SkuChoice, agree, check_consent};
use crate::app::App;
use crate::commands::account::{Reach, access};
use crate::commands::deployments::Group;
use crate::commands::deployments::existing::About;
use crate::commands::deployments::products::DeploymentPage;
use crate::commands::deployments::wait::{await_end, show_ready};
use crate::console::ProgressMode;
use crate::error::{CliError, ErrorCode, ErrorKind};
use azure_ai_models_core::arm::{
    AccountId, AccountModel, DraftModel, Expected, NewDeployment, NewModel, default_version,
};
use azure_ai_models_core::foundry::ListError;
use azure_ai_models_core::http::HttpError;
use azure_ai_models_core::model::{
    CUSTOM_FORMAT, CustomModel, Deployment, DeploymentState, FIREWORKS_FORMAT, ModelName, ModelVersion,
    NewDeploymentName, Progress, latest,
};

/// SKU and capacity of the published example, for users of whose model nothing is listed.
const EXAMPLE: &str = "--sku-name GlobalProvisionedManaged --sku-capacity 80";

/// Options of `custom deployments create`.
#[derive(Args, Debug)]
pub(crate) struct CustomCreateArgs {
    /// Name of the deployment: 2 to 64 letters, digits, '.', '_' or '-'
    #[arg(short, long, value_name = "NAME")]
    name: Option<NewDeploymentName>,

    /// Registered model; with --draft-model, a catalogue model of Fireworks
    #[arg(long, value_name = "MODEL")]
    model: Option<ModelName>,

    /// Version of the model [default: the latest]
    #[arg(long, value_name = "VERSION")]
    model_version: Option<ModelVersion>,

    /// Registered draft model for speculative decoding, with its version or the latest
    #[arg(long, value_name = "NAME[:VERSION]", requires = "draft_tokens")]
    draft_model: Option<DraftName>,

    /// Tokens that the draft model proposes at a time
    #[arg(long, value_name = "N", requires = "draft_model", value_parser = clap::value_parser!(u32).range(1..))]
    draft_tokens: Option<u32>,

    #[command(flatten)]
    options: CreateOptions,
}

/// A registered model with or without a version.
#[derive(Clone, Debug)]
struct DraftName {
    name: ModelName,
    version: Option<ModelVersion>,
}

impl FromStr for DraftName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, version) = text.split_once(':').map_or((text, None), |(name, version)| (name, Some(version)));
        Ok(Self { name: name.parse()?, version: version.map(str::parse).transpose()? })
    }
}

impl CustomCreateArgs {
    /// How progress is shown.
    pub(crate) fn progress(&self) -> ProgressMode {
        self.options.patience.progress()
    }
}

pub(crate) async fn custom(app: &App, args: CustomCreateArgs) -> Result<(), CliError> {
    let CustomCreateArgs { name, model, model_version, draft_model, draft_tokens, options } = args;
    let name = answer(app, name, "Name of the deployment", "--name NAME").await?;
    let model = answer(app, model, "Registered model to deploy", "--model MODEL").await?;
    let draft = draft_model.zip(draft_tokens);
    if !options.dry_run && !options.if_not_exists {
        check_consent(app, options.yes)?;
    }
    let name = name.as_name();
    let about = About { app, account: &options.account, group: Group::Custom, verb: "create", name };
    let reach = access(app, &options.account).await?.full()?;
    let mut checks = Checks::new(&about, &reach);
    if let Existing::Taken(deployment) = checks.look_at_name().await? {
        if options.if_not_exists {
            let version = model_version.as_ref().map(ModelVersion::as_str);
            let wanted = Wanted { model: model.as_str(), version, options: &options };
            return keep(&about, &reach, &wanted, *deployment).await;
        }
        checks.name_is_taken(&deployment);
    }
    if !options.dry_run && options.if_not_exists {
        check_consent(app, options.yes)?;
    }
    let target = match &draft {
        Some((draft, tokens)) => {
            target_with_draft(&mut checks, &reach, (&model, &model_version), (draft, *tokens)).await?
        }
        None => target(&mut checks, &reach, &model, model_version.as_ref()).await?,
    };
    let plan = match target {
        Some(target) => plan(&mut checks, &about, &reach, target, &options).await?,
        None => None,
    };
    let again =
        |plan: &Plan| Again { app, name: name.as_str(), model: model.as_str(), options: &options, plan: plan.clone() };
    if let Some(plan) = &plan {
        let again = again(plan);
        let advice = |left| plan.advice(&about, Some(left), &|capacity| again.command(capacity));
        checks.look_at_quota(&plan.sku_choice(), true, &advice).await?;
    }
    if options.dry_run {
        return show_dry_run(&about, &reach, checks, plan.as_ref());
    }
    checks.outcome()?;
    let Some(plan) = plan else { return Err(CliError::failure("nothing to deploy")) };
    say_plan(app, &reach, name.as_str(), &plan);
    agree(app, options.yes).await?;
    let limit = (!options.no_wait).then(|| options.patience.limit(app));
    let again = again(&plan);
    let created = plan.create(&about, &reach, limit, &|capacity| again.command(capacity)).await?;
    created.show(&about, &reach).await
}

/// The user's own command, with another capacity.
struct Again<'a> {
    app: &'a App,
    name: &'a str,
    model: &'a str,
    options: &'a CreateOptions,
    plan: Plan,
}

impl Again<'_> {
    fn command(&self, capacity: u64) -> String {
        let NewDeployment { model: NewModel { version, .. }, draft, .. } = &self.plan.new;
        let own = ["create", "--name", self.name, "--model", self.model, "--model-version", version];
        let mut words: Vec<String> = own.map(str::to_owned).into();
        if let Some(DraftModel { model, tokens }) = draft {
            let (draft, tokens) = (format!("{}:{}", model.name, model.version), tokens.to_string());
            words.extend(["--draft-model".to_owned(), draft, "--draft-tokens".to_owned(), tokens]);
        }
        words.extend(self.options.words_with_capacity(capacity));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.options.account.command_line(self.app, &Group::Custom.command(&words))
    }
}

/// A value of the command line, else of the terminal.
pub(super) async fn answer<T: FromStr<Err = String>>(
    app: &App,
    given: Option<T>,
    question: &str,
    option: &str,
) -> Result<T, CliError> {
    if let Some(given) = given {
        return Ok(given);
    }
    if !app.can_choose() {
        return Err(CliError::usage(format!("{option} is missing"))
            .with_code(ErrorCode::MissingAnswer)
            .with_suggestion(format!("Give {option}.")));
    }
    let answer = app.ask(&format!("{question}: ")).await?.unwrap_or_default();
    answer.trim().parse().map_err(CliError::usage)
}

/// Names what is about to be created, and where: the place may come from an azd environment.
pub(super) fn say_plan(app: &App, reach: &Reach, name: &str, plan: &Plan) {
    let NewDeployment { sku, capacity, model: NewModel { name: model, version, .. }, draft, .. } = &plan.new;
    let draft = draft.as_ref().map(|draft| format!(", draft {} (version {})", draft.model.name, draft.model.version));
    let draft = draft.unwrap_or_default();
    app.console
        .status(&format!("Deployment '{name}': model {model} (version {version}){draft}, {sku}, capacity {capacity}."));
    let AccountId { subscription, group, account, .. } = reach.id();
    app.console.status(&format!("Account '{account}', resource group '{group}', subscription {subscription}."));
}

/// `--if-not-exists` found a deployment of the name.
pub(super) async fn keep(
    about: &About<'_>,
    reach: &Reach,
    wanted: &Wanted<'_>,
    deployment: Deployment,
) -> Result<(), CliError> {
    let (app, name, options) = (about.app, about.name, wanted.options);
    if let Some(difference) = wanted.difference(&deployment) {
        return Err(CliError::new(
            ErrorKind::Conflict,
            format!("deployment '{name}' already exists with {difference}"),
        )
        .with_code(ErrorCode::DeploymentExists)
        .with_suggestion("Use another --name, or delete the deployment first."));
    }
    let delete = about.command(about.group, "delete");
    let mut deployment = deployment;
    match deployment.view().state() {
        DeploymentState::Failed(state) => {
            return Err(CliError::failure(format!("deployment '{name}' exists and ended in state '{state}'"))
                .with_code(ErrorCode::DeploymentFailed)
                .with_suggestion(format!("Delete it before you create it again:\n  {delete}")));
        }
        DeploymentState::Succeeded => {}
        DeploymentState::Running(_) | DeploymentState::Deleting if options.no_wait => {}
        DeploymentState::Running(_) | DeploymentState::Deleting => {
            app.console.status(&format!("Deployment '{name}' already exists and is not ready yet..."));
            deployment = await_end(about, reach, Expected::Known, options.patience.limit(app)).await?;
        }
    }
    if !wanted.is_as_asked(&deployment) {
        let update = about.command(about.group, "update");
        app.console
            .warn(&format!("Deployment '{name}' has other options than the ones given. To change them:\n  {update}"));
    }
    if deployment.view().state() == DeploymentState::Succeeded {
        app.console.status(&format!("Deployment '{name}' already exists: nothing was created."));
        return show_ready(about, reach, &deployment);
    }
    app.show(&DeploymentPage { deployment: &deployment, reach, wait: about.command(about.group, "wait") })
}

/// What is deployed, and where its SKUs are listed.
pub(crate) struct Target {
    pub(crate) model: NewModel,
    pub(crate) draft: Option<DraftModel>,
    /// Base model of a registered one.
    pub(crate) base_model: Option<String>,
}

/// The registered model.
async fn target(
    checks: &mut Checks<'_>,
    reach: &Reach,
    name: &ModelName,
    version: Option<&ModelVersion>,
) -> Result<Option<Target>, CliError> {
    let Some((version, base_model)) = registered(checks, reach, "model", name, version).await? else { return Ok(None) };
    Ok(Some(Target { model: custom_model(reach, name, &version), draft: None, base_model }))
}

/// A registered model as a deployment names it.
pub(crate) fn custom_model(reach: &Reach, name: &ModelName, version: &str) -> NewModel {
    NewModel {
        format: CUSTOM_FORMAT.to_owned(),
        name: name.to_string(),
        version: version.to_owned(),
        source: Some(reach.source()),
    }
}

/// A catalogue model of Fireworks with its draft, which is the registered one.
async fn target_with_draft(
    checks: &mut Checks<'_>,
    reach: &Reach,
    (name, version): (&ModelName, &Option<ModelVersion>),
    (draft, tokens): (&DraftName, u32),
) -> Result<Option<Target>, CliError> {
    let rows = reach.deployments.arm().account_models(reach.id()).await?;
    let is_it = |row: &&AccountModel| {
        let view = row.view();
        view.format().eq_ignore_ascii_case(FIREWORKS_FORMAT) && view.name.eq_ignore_ascii_case(name.as_str())
    };
    let versions = rows.iter().filter(is_it);
    let row = match version {
        Some(version) => {
            let mut versions = versions;
            versions.find(|row| row.view().version().eq_ignore_ascii_case(version.as_str()))
        }
        None => default_version(versions, OffsetDateTime::now_utc()),
    };
    let found = registered(checks, reach, "draft", &draft.name, draft.version.as_ref()).await?;
    let Some(row) = row else {
        let what = version.as_ref().map(|version| format!(" version '{version}'")).unwrap_or_default();
        let error = CliError::new(
            ErrorKind::NotFound,
            format!("the catalogue of the account has no Fireworks model '{name}'{what}"),
        )
        .with_code(ErrorCode::ModelNotFound)
        .with_suggestion(
            "With --draft-model, --model names the catalogue model that the draft is for. See 'base list'.",
        );
        checks.fail("model", error);
        return Ok(None);
    };
    let view = row.view();
    checks.pass("model", &format!("{} (version {}) of the catalogue", view.name, view.version()));
    let Some((draft_version, _)) = found else { return Ok(None) };
    let model = NewModel {
        format: view.format().to_owned(),
        name: view.name.clone(),
        version: view.version().to_owned(),
        source: None,
    };
    let draft = DraftModel { model: custom_model(reach, &draft.name, &draft_version), tokens };
    Ok(Some(Target { model, draft: Some(draft), base_model: None }))
}

/// Version and base model of a registered model whose registration succeeded. `None` where a check failed.
async fn registered(
    checks: &mut Checks<'_>,
    reach: &Reach,
    id: &'static str,
    name: &ModelName,
    version: Option<&ModelVersion>,
) -> Result<Option<(String, Option<String>)>, CliError> {
    let foundry = &reach.foundry;
    let found: Result<Option<CustomModel>, ListError> = match version {
        Some(version) => foundry.get_model(name, version).await.map(Some).map_err(ListError::Http),
        None => foundry.list_versions(name).await.map(|versions| latest(&versions).cloned()),
    };
    let status = |error: &ListError| match error {
        ListError::Http(error) => HttpError::status(error),
        _ => None,
    };
    let model = match found {
        Ok(model) => model,
        Err(error) if status(&error) == Some(404) => None,
        Err(error) if matches!(status(&error), Some(401 | 403)) => {
            let Some(version) = version else {
                return Err(CliError::usage("--model-version is required: the registered models cannot be read")
                    .with_code(ErrorCode::VersionRequired)
                    .with_suggestion(
                        "Give --model-version VERSION, or ask for the role Azure AI User on the Foundry project.",
                    ));
            };
            checks.skip(id, NO_PERMISSION);
            return Ok(Some((version.to_string(), None)));
        }
        Err(error) => return Err(error.into()),
    };
    let Some(model) = model else {
        let list = checks.command(&["custom", "list"]);
        checks.fail(id, CliError::no_such_model(name, version, &list));
        return Ok(None);
    };
    let view = model.view();
    let version = view.version.clone().unwrap_or_default();
    let base_model = view.base_model().map(str::to_owned);
    if view.progress() == Progress::Done {
        checks.pass(id, &format!("{name} (version {version}) is registered"));
    } else {
        let state = view.provisioning_state.clone().unwrap_or_default();
        let wait = checks.command(&["custom", "wait", "--name", name.as_str(), "--version", &version]);
        let message = format!("model '{name}' (version {version}) is not registered (state {state})");
        let error = CliError::new(ErrorKind::RegistrationFailed, message)
            .with_code(ErrorCode::RegistrationFailed)
            .with_suggestion(format!("See what becomes of it:\n  {wait}"));
        checks.fail(id, error);
    }
    Ok(Some((version, base_model)))
}

/// Makes all other checks, and the plan as far as SKU and capacity are known.
pub(crate) async fn plan(
    checks: &mut Checks<'_>,
    about: &About<'_>,
    reach: &Reach,
    target: Target,
    options: &CreateOptions,
) -> Result<Option<Plan>, CliError> {
    let Target { model, draft, base_model } = target;
    let twin = draft.is_none().then_some(&model);
    checks.look_at_others(twin, options.spillover.as_ref()).await?;
    checks.look_at_feature().await?;
    let rows = match reach.deployments.arm().account_models(reach.id()).await {
        Ok(rows) => Some(rows),
        Err(error) if error.is_forbidden() => None,
        Err(error) => return Err(error.into()),
    };
    let row = rows.as_deref().and_then(|rows| row_of(rows, &model, base_model.as_deref()));
    let Some(sku) = choose(checks, about, row, options).await? else { return Ok(None) };
    match &rows {
        None => checks.skip("sku", NO_PERMISSION),
        Some(_) => checks.check_capacity(&sku),
    }
    let new = NewDeployment {
        sku: sku.name,
        capacity: sku.capacity,
        model,
        draft,
        rai_policy: options.rai_policy.clone(),
        version_upgrade: options.version_upgrade.clone(),
        spillover: options.spillover.as_ref().map(ToString::to_string),
        tags: options.tag.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect(),
    };
    Ok(Some(Plan { new, row: sku.row }))
}

/// Row of the catalogue that lists the SKUs of a model: its own, else that of its base model.
fn row_of<'a>(rows: &'a [AccountModel], model: &NewModel, base_model: Option<&str>) -> Option<&'a AccountModel> {
    let is_own = |row: &&AccountModel| {
        row.view().format().eq_ignore_ascii_case(&model.format) && row.view().name.eq_ignore_ascii_case(&model.name)
    };
    let is_version = |row: &&AccountModel| row.view().version().eq_ignore_ascii_case(&model.version);
    let is_base = |row: &&AccountModel| {
        let asset = row.view().model_catalog_asset_id.as_deref();
        matches!((asset, base_model), (Some(asset), Some(base)) if asset.eq_ignore_ascii_case(base))
    };
    let own = || rows.iter().filter(is_own);
    own().find(is_version).or_else(|| own().next()).or_else(|| rows.iter().find(is_base))
}

/// SKU and capacity: as given, else as listed, else as the user answers. `None` where a check failed.
async fn choose(
    checks: &mut Checks<'_>,
    about: &About<'_>,
    row: Option<&AccountModel>,
    options: &CreateOptions,
) -> Result<Option<SkuChoice>, CliError> {
    let now = OffsetDateTime::now_utc();
    let listed = row.and_then(|row| match &options.sku_name {
        Some(name) => row.view().open_skus(now).find(|sku| sku.name.eq_ignore_ascii_case(name)),
        None => row.view().open_skus(now).next(),
    });
    if let (Some(row), Some(name), None) = (row, &options.sku_name, listed) {
        checks.sku_not_offered(name, &offered(row));
        return Ok(None);
    }
    let range = listed.map(azure_ai_models_core::arm::ModelSku::range);
    let name = listed.map(|sku| sku.name.clone()).or_else(|| options.sku_name.clone());
    let capacity = options.sku_capacity.or_else(|| range.and_then(|range| range.default.or(range.minimum)));
    let app = about.app;
    if (name.is_none() || capacity.is_none()) && !app.can_choose() {
        let missing = [("--sku-name", name.is_none()), ("--sku-capacity", capacity.is_none())];
        let missing: Vec<&str> = missing.iter().filter(|(_, is_missing)| *is_missing).map(|(name, _)| *name).collect();
        let missing = missing.join(" and ");
        let error = CliError::usage(format!("{missing} must be given: the catalogue lists none for this model"))
            .with_code(ErrorCode::MissingAnswer)
            .with_suggestion(format!("Microsoft's published example uses {EXAMPLE}."));
        checks.fail("sku", error);
        return Ok(None);
    }
    let name = answer(app, name.map(SkuName), "SKU, for example GlobalProvisionedManaged", "--sku-name SKU").await?;
    let capacity = answer(app, capacity.map(Capacity), "Capacity", "--sku-capacity N").await?;
    Ok(Some(SkuChoice { name: name.0, capacity: capacity.0, row: listed.cloned() }))
}

/// SKU that the user types.
struct SkuName(String);

impl FromStr for SkuName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("a SKU has a name".into()) } else { Ok(Self(text.to_owned())) }
    }
}

/// Capacity that the user types.
pub(super) struct Capacity(pub(super) u64);

impl FromStr for Capacity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(capacity) if capacity > 0 => Ok(Self(capacity)),
            _ => Err("a capacity is a whole number of 1 or more".into()),
        }
    }
}
