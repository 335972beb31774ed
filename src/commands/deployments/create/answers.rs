//! Values that only the user can provide: prompted for, or reported together if no prompt is possible.

use super::{CreateOptions, consent};
use crate::app::App;
use crate::commands::account::AccountContext;
use crate::commands::base::Catalog;
use crate::commands::number::one_or_more;
use crate::error::{CliError, ErrorCode};
use azure_ai_models_core::arm::{AccountModel, CapacityRange};
use azure_ai_models_core::azd::{HostError, ModelQuestion};
use azure_ai_models_core::env::var;

/// A required option.
pub(super) struct RequiredOption<'a> {
    /// Option with its placeholder, `--name NAME`.
    pub(super) option: &'a str,
    /// Meaning of the value.
    pub(super) meaning: &'a str,
    /// True if the user did not give it.
    pub(super) is_missing: bool,
}

/// Fails if values are missing, or the user did not agree to the billing, and no prompt is possible: before any
/// request, and with all of them. `later` names options that the catalog may require.
///
/// # Errors
/// A usage error that names the options.
pub(super) fn check_answers(
    app: &App,
    needed: &[RequiredOption<'_>],
    is_agreed: bool,
    (options, later): (&CreateOptions, &str),
) -> Result<(), CliError> {
    let mut missing: Vec<(&str, &str)> =
        needed.iter().filter(|one| one.is_missing).map(|one| (one.option, one.meaning)).collect();
    let Some(obstacle) = app.prompt_obstacle().filter(|_| !missing.is_empty()) else {
        return if is_agreed { Ok(()) } else { app.can_confirm(&consent()) };
    };
    if !is_agreed && app.terminal_prompt_obstacle().is_some() {
        missing.push(("--yes (-y)", "agrees to the billing while the deployment exists"));
    }
    let names: Vec<&str> = missing.iter().filter_map(|(option, _)| option.split(' ').next()).collect();
    let (verb, names) = match names.as_slice() {
        [one] => ("is", (*one).to_owned()),
        [all @ .., last] => ("are", format!("{} and {last}", all.join(", "))),
        [] => return Ok(()),
    };
    let width = missing.iter().map(|(option, _)| option.len()).max().unwrap_or_default();
    let mut lines = vec!["Add:".to_owned()];
    lines.extend(missing.iter().map(|(option, meaning)| format!("  {option:width$}  {meaning}")));
    if options.sku_name.is_none() && !later.is_empty() {
        lines.push(later.to_owned());
    }
    Err(CliError::usage(format!("{names} {verb} required {obstacle}"))
        .with_code(ErrorCode::MissingAnswer)
        .with_suggestion(lines.join("\n")))
}

/// Asks for a capacity that the SKU accepts.
///
/// # Errors
/// When the user cancels the prompt.
pub(super) async fn ask_capacity(app: &App, range: &CapacityRange) -> Result<u64, CliError> {
    let description = range.description();
    let question = if description.is_empty() { "Capacity".to_owned() } else { format!("Capacity ({description})") };
    app.value(&question, None, |text| {
        let capacity = one_or_more(text)?;
        range.check(capacity).map(|()| capacity).map_err(|fault| fault.to_string())
    })
    .await
}

/// Asks for a text that is not empty.
///
/// # Errors
/// When the user cancels the prompt.
pub(super) async fn ask_text(app: &App, question: &str) -> Result<String, CliError> {
    app.value(question, None, |text| match text {
        "" => Err("the answer cannot be empty".into()),
        text => Ok(text.to_owned()),
    })
    .await
}

/// Asks for a model of the catalog: through azd if possible, otherwise from a list of the models that the account may
/// deploy.
///
/// # Errors
/// When the user cancels the prompt.
pub(super) async fn choose_model(
    app: &App,
    context: &AccountContext,
    catalog: Option<&Catalog>,
    format: Option<&str>,
) -> Result<String, CliError> {
    const QUESTION: &str = "Select a catalog model";
    if let Some(host) = app.host() {
        let tenant = app.project().and_then(|project| project.value(&app.env, var::AZURE_TENANT_ID));
        let question = ModelQuestion {
            message: QUESTION,
            tenant: tenant.unwrap_or_default(),
            subscription: &context.id().subscription,
            location: &context.account.location,
            format,
        };
        match host.choose_ai_model(&question).await {
            Ok(name) => return Ok(name),
            Err(HostError::Cancelled) => return Err(HostError::Cancelled.into()),
            // Older versions of azd do not support this prompt, and azd may lack a permission that this program does
            // not need.
            Err(error) => app.console.debug(&format!("azd cannot ask for a model: {error}")),
        }
    }
    let now = time::OffsetDateTime::now_utc();
    let is_offered = |model: &&AccountModel| {
        let view = model.view();
        let has_format = format.is_none_or(|format| view.format().eq_ignore_ascii_case(format));
        has_format && !view.is_custom() && !view.has_ended(now)
    };
    let models = catalog.into_iter().flat_map(|catalog| &catalog.models).filter(is_offered);
    let mut names: Vec<String> = models.map(|model| model.view().name.clone()).collect();
    names.sort_unstable_by_key(|name| name.to_lowercase());
    names.dedup();
    if names.is_empty() {
        return ask_text(app, "Catalog model to deploy").await;
    }
    let index = app.choose(QUESTION, names.clone()).await?;
    Ok(names.swap_remove(index))
}
