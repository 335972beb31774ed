//! `show --web`: the portal page of the model's project.

use serde::Serialize;
use url::Url;

use crate::app::App;
use crate::commands::account::{AccountAccess, AccountArgs, access_of};
use crate::console::TableStyle;
use crate::console::product::{self, JsonPieces, Product};
use crate::error::{CliError, ErrorCode};
use crate::globals::OutputFormat;
use azure_ai_models_core::arm::{project_page, start_page};
use azure_ai_models_core::env::var;
use azure_ai_models_core::foundry::FoundryClient;
use azure_ai_models_core::model::{Cloud, CustomModel};
use azure_ai_models_core::process::Browser;

/// Address of the page.
#[derive(Serialize)]
struct WebPage<'a> {
    name: &'a str,
    version: Option<&'a str>,
    url: &'a Url,
}

impl Product for WebPage<'_> {
    fn json(&self) -> JsonPieces<'_> {
        product::document(self)
    }

    fn text(&self, _: TableStyle) -> String {
        format!("{}\n", self.url)
    }
}

/// Prints the address, and opens it if the user has a browser on this machine.
pub(super) async fn web(app: &App, foundry: &FoundryClient, model: &CustomModel) -> Result<(), CliError> {
    if foundry.endpoint().cloud() != Cloud::Public {
        return Err(CliError::usage("the Foundry portal of this cloud is unknown")
            .with_code(ErrorCode::Contradiction)
            .with_suggestion("Remove --web."));
    }
    let url = address(app, foundry).await;
    let view = model.view();
    app.show(&WebPage { name: &view.name, version: view.version.as_deref(), url: &url })?;
    if let Some(why) = obstacle(app) {
        app.console.debug(&format!("no browser is opened: {why}"));
        return Ok(());
    }
    // The address was printed: failing to open a browser is not an error.
    match Browser::find(&app.env) {
        Ok(browser) => match browser.open(&app.env, &url).await {
            Ok(()) => app.console.status("Opened in the browser."),
            Err(why) => app.console.warn(&format!("The browser could not be opened: {why}")),
        },
        Err(why) => app.console.status(&format!("Not opened in a browser: {why}.")),
    }
    Ok(())
}

/// Reason not to open a browser, even if this machine has one.
fn obstacle(app: &App) -> Option<&'static str> {
    if app.globals.output != OutputFormat::Table {
        return Some("-o json");
    }
    if app.globals.quiet {
        return Some("--quiet");
    }
    let is_pipeline = app.env.get(var::CI).is_some_and(|word| !word.eq_ignore_ascii_case("false"));
    let named = app.env.agent().or(is_pipeline.then_some(var::CI));
    named.or((!app.env.stdout_terminal).then_some("no terminal"))
}

/// Page of the project, if Azure Resource Manager has shown its account; otherwise the portal's start page.
async fn address(app: &App, foundry: &FoundryClient) -> Url {
    let tenant = || app.project().and_then(|project| project.tenant.as_deref());
    let no_options = AccountArgs::default();
    let look = access_of(app, &no_options, foundry.clone());
    let found = tokio::time::timeout(app.timings.token, Box::pin(look)).await;
    let why = match found {
        Ok(Ok(AccountAccess::Full(context))) => {
            if let Some(url) = project_page(context.id(), foundry.endpoint().project(), tenant()) {
                return url;
            }
            "its ids make no address".to_owned()
        }
        Ok(Ok(AccountAccess::ProjectOnly { why, .. }) | Err(why)) => {
            why.message().lines().next().unwrap_or_default().to_owned()
        }
        Err(_) => "no response in time".to_owned(),
    };
    app.console.status("The account of the project is unknown: this is the start page of the portal.");
    app.console.debug(&format!("the account of the project is not known: {why}"));
    start_page(tenant())
}
