//! `deployments test`: sends one prompt to a deployment.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde::Serialize;
use serde_json::Value;

use crate::app::App;
use crate::commands::account::{AccountAccess, AccountArgs, access};
use crate::commands::inference::{Inference, PROMPT, question};
use crate::console::TableStyle;
use crate::console::deployments_page::{self, TestPage};
use crate::console::product::{self, JsonPieces, Product};
use crate::error::{CliError, ErrorCode};
use azure_ai_models_core::credential::Audience;
use azure_ai_models_core::inference::{ChatAnswer, InferenceClient};
use azure_ai_models_core::model::DeploymentName;

/// Options of `deployments test`.
#[derive(Args, Debug)]
pub(crate) struct TestArgs {
    /// Deployment name
    #[arg(value_name = "NAME")]
    name: DeploymentName,

    /// Prompt to send
    #[arg(long, value_name = "TEXT", default_value = PROMPT, value_parser = NonEmptyStringValueParser::new())]
    prompt: String,

    #[command(flatten)]
    account: AccountArgs,
}

/// Response of a deployment.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TestResult<'a> {
    name: &'a str,
    answer: &'a str,
    latency_ms: u64,
    usage: Option<Value>,
    endpoint: String,
    curl: String,
}

impl Product for TestResult<'_> {
    fn json(&self) -> JsonPieces<'_> {
        product::document(self)
    }

    fn text(&self, style: TableStyle) -> String {
        let Self { answer, latency_ms, usage, endpoint, curl, .. } = self;
        let latency_ms = *latency_ms;
        deployments_page::test_page(&TestPage { answer, latency_ms, usage: usage.as_ref(), endpoint, curl }, style)
    }
}

/// Sends one chat request to a deployment, and prints the answer, its time in milliseconds and its tokens.
pub(super) async fn test(app: &App, args: TestArgs) -> Result<(), CliError> {
    let TestArgs { name, prompt, account } = args;
    let inference = match access(app, &account).await? {
        AccountAccess::Full(context) => Inference::of(&context),
        // Without a role in Azure Resource Manager the deployment may still respond, at the project's host.
        AccountAccess::ProjectOnly { foundry, .. } => Inference::new(None, foundry.endpoint(), foundry.sign_in()),
    };
    let tokens = app.tokens_for(inference.host(), Audience::Inference)?;
    let client = InferenceClient::new(app.http(), tokens, inference.base_url());
    let list = account.command_line(app, &["deployments", "list"]);
    let answered = client.chat(&question(name.as_str(), &prompt)).await;
    let ChatAnswer { text, usage, latency } =
        answered.map_err(|error| CliError::inference(error, name.as_str(), &list))?;
    if text.is_empty() {
        return Err(CliError::failure(format!("deployment '{name}' returned no text"))
            .with_code(ErrorCode::BadAnswer)
            .with_suggestion("Try another --prompt. Use --debug to trace the requests."));
    }
    app.show(&TestResult {
        name: name.as_str(),
        answer: &text,
        latency_ms: u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
        usage,
        endpoint: inference.base(),
        curl: inference.curl(name.as_str(), &prompt),
    })
}
