//! `base deployments create`: a model of the catalog, with version, SKU and capacity by the rules of the catalog.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::answers::{RequiredOption, check_answers, choose_model};
use super::base_plan::{check_quota, plan, unlisted};
use super::if_not_exists::{RequestedProperties, keep_existing};
use super::options::CreateOptions;
use super::plan::show_dry_run;
use super::{Checks, NameLookup, check_consent, confirm_billed, is_billed_unused, report_plan};
use crate::app::App;
use crate::commands::account::access;
use crate::commands::base::of_account;
use crate::commands::deployments::Group;
use crate::commands::deployments::existing::DeploymentCommand;
use crate::commands::headings;
use crate::console::ProgressMode;
use crate::error::{CliError, ErrorCode};
use azure_ai_models_core::arm::is_billed_by_time;
use azure_ai_models_core::model::{DeploymentKind, NewDeploymentName};

/// Additional options that may be required, depending on the catalog.
const LATER_OPTIONS: &str =
    "If all SKUs of the model are billed while the deployment exists, --sku-name SKU and --yes are required too.";

/// Options of `base deployments create`.
#[derive(Args, Debug)]
#[command(next_help_heading = headings::MODEL)]
pub(crate) struct BaseCreateArgs {
    /// Deployment name [default: the model's name]
    #[arg(short, long, help_heading = headings::DEPLOYMENT, value_name = "NAME")]
    name: Option<NewDeploymentName>,

    /// Catalog model
    #[arg(long, value_name = "MODEL", value_parser = NonEmptyStringValueParser::new())]
    model: Option<String>,

    /// Model version [default: the default version, else the newest]
    #[arg(long, value_name = "VERSION", value_parser = NonEmptyStringValueParser::new())]
    model_version: Option<String>,

    /// Model format, if the model is offered in more than one
    #[arg(long, value_name = "FORMAT", value_parser = NonEmptyStringValueParser::new())]
    model_format: Option<String>,

    #[command(flatten)]
    options: CreateOptions,
}

impl BaseCreateArgs {
    /// Progress mode of the command.
    pub(crate) fn progress(&self) -> ProgressMode {
        self.options.wait_limit.progress()
    }
}

/// Request of the user.
pub(super) struct BaseRequest {
    pub(super) model: String,
    pub(super) version: Option<String>,
    pub(super) format: Option<String>,
    pub(super) options: CreateOptions,
}

/// Deploys a catalog model. Missing values are prompted for or reported together; checks come before the PUT, and
/// `--dry-run` ends after them.
pub(crate) async fn base(app: &App, args: BaseCreateArgs) -> Result<(), CliError> {
    let BaseCreateArgs { name: given_name, model, model_version: version, model_format: format, options } = args;
    let needed = [RequiredOption { option: "--model MODEL", meaning: "catalog model", is_missing: model.is_none() }];
    // Only an explicitly chosen SKU can be billed while the deployment exists.
    let needs_consent = options.sku_name.as_deref().is_some_and(is_billed_by_time) && !options.dry_run;
    let is_agreed = options.yes || !needs_consent || options.if_not_exists;
    check_answers(app, &needed, is_agreed, (&options, LATER_OPTIONS))?;
    if let (None, Some(model)) = (&given_name, &model) {
        named_like(model)?;
    }
    let context = access(app, &options.account).await?.full()?;
    let catalog = match of_account(app, &context).await {
        Ok(catalog) => Some(catalog),
        Err(error) if error.is_forbidden() => None,
        Err(error) => return Err(error.into()),
    };
    let model = match model {
        Some(model) => model,
        None => choose_model(app, &context, catalog.as_ref(), format.as_deref()).await?,
    };
    let request = BaseRequest { model, version, format, options };
    let options = &request.options;
    let name = match (&given_name, catalog.as_ref().and_then(|catalog| catalog.named(&request.model).next())) {
        (Some(name), _) => name.clone(),
        (None, Some(row)) => named_like(&row.view().name)?,
        (None, None) => named_like(&request.model)?,
    };
    let name = name.as_name();
    let about = DeploymentCommand { app, account: &options.account, group: Group::Base, verb: "create", name };
    let mut checks = Checks::new(&about, &context, options.dry_run);
    if let NameLookup::Taken(deployment) = checks.check_name().await? {
        let wanted = RequestedProperties { model: &request.model, version: request.version.as_deref(), options };
        if options.if_not_exists {
            return keep_existing(&about, &context, &wanted, *deployment).await;
        }
        checks.name_is_taken(&deployment, &wanted.suggestion(&about, &deployment));
    }
    if needs_consent && options.if_not_exists {
        check_consent(app, options.yes)?;
    }
    let plan = match &catalog {
        Some(catalog) => plan(&mut checks, &about, &context, &request, catalog).await?,
        None => Some((unlisted(&mut checks, &request).await?, None)),
    };
    let again = |capacity: u64| {
        let mut arguments = vec!["create".to_owned()];
        let named = given_name.as_ref().map(|name| name.as_name().to_string());
        let values = [
            ("--name", named.as_ref()),
            ("--model", Some(&request.model)),
            ("--model-version", request.version.as_ref()),
            ("--model-format", request.format.as_ref()),
        ];
        for (option, value) in values {
            arguments.extend(value.into_iter().flat_map(|value| [option.to_owned(), value.clone()]));
        }
        arguments.extend(options.arguments_with_capacity(capacity));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        options.account.command_line(app, &Group::Base.command(&arguments))
    };
    if let Some((plan, usages)) = &plan {
        check_quota(&mut checks, (&about, &context), (plan, usages.as_deref()), &again).await?;
    }
    let plan = plan.map(|(plan, _)| plan);
    if options.dry_run {
        return show_dry_run(&about, &context, checks, plan.as_ref());
    }
    checks.outcome()?;
    let Some(plan) = plan else { return Err(CliError::failure("nothing to deploy")) };
    report_plan(app, &context, name.as_str(), &plan);
    if is_billed_unused(DeploymentKind::Base, &plan.new.sku) {
        confirm_billed(app, options.yes).await?;
    }
    let limit = (!options.no_wait).then(|| options.wait_limit.limit(app));
    plan.create(&about, &context, limit, &again).await?.show(&about, &context).await
}

/// Deployment name equal to the model's name.
fn named_like(model: &str) -> Result<NewDeploymentName, CliError> {
    model.parse().map_err(|why| {
        CliError::usage(format!("a deployment cannot be named '{model}': {why}"))
            .with_code(ErrorCode::MissingAnswer)
            .with_suggestion("Use --name NAME.")
    })
}
