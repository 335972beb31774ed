//! Pages for a deployment, and for the use of one. Pure.

use std::fmt::Write as _;

use super::deployments_table::UNKNOWN;
use super::render::{RULE, aligned, section};
use super::table::TableStyle;
use azure_ai_models_core::display::{printable, printable_json, printable_lines};
use azure_ai_models_core::model::{
    DeploymentKind, DeploymentState, DeploymentView, ModelReference, ProjectDeploymentView, RateLimit,
};
use azure_ai_models_core::units;

/// Addresses and commands to use a deployment.
pub(crate) struct DeploymentUsage {
    /// Base address of the OpenAI API.
    pub(crate) base: String,
    /// Base address of the same API on the project's host.
    pub(crate) project_base: String,
    /// Command that sends one prompt.
    pub(crate) curl: String,
    /// Command that waits until the deployment is ready.
    pub(crate) wait: String,
}

/// Page of a deployment.
#[must_use]
pub(crate) fn page(deployment: &DeploymentView, usage: &DeploymentUsage) -> String {
    let properties = deployment.properties();
    let sku = deployment.sku.clone().unwrap_or_default();
    let rates = properties.rate_limits.as_deref().unwrap_or_default();
    let mut page = format!("Deployment: {}\n{RULE}\n", printable(&deployment.name));
    let state = match (&properties.provisioning_state, &properties.deployment_state) {
        (Some(state), Some(run)) if !run.eq_ignore_ascii_case("running") => Some(format!("{state} ({run})")),
        (state, _) => state.clone(),
    };
    let general = [
        ("Name", Some(deployment.name.clone())),
        ("Kind", Some(deployment.kind().word().to_owned())),
        ("State", state),
        ("Model", deployment.model().map(model_line)),
        ("Draft model", deployment.draft_model().map(model_line)),
        ("SKU", sku.name.clone()),
        ("Capacity", sku.capacity.map(|capacity| capacity_line(capacity, sku.name.as_deref(), rates))),
        ("Content filter", properties.rai_policy_name.clone()),
        ("Version upgrade", properties.version_upgrade_option.clone()),
        ("Spillover", properties.spillover_deployment_name.clone()),
    ];
    section(&mut page, "General", &general);
    let limits: Vec<(&str, Option<String>)> =
        rates.iter().map(|rate| (rate.key.as_str(), Some(rate_line(rate)))).collect();
    section(&mut page, "Rate limits", &limits);
    let tags: Vec<(&str, Option<String>)> =
        deployment.tags.iter().map(|(key, value)| (key.as_str(), Some(value.clone()))).collect();
    section(&mut page, "Tags", &tags);
    format!("{page}{RULE}\n\n{}", next(deployment, usage))
}

/// Next steps for a deployment in its current state.
fn next(deployment: &DeploymentView, usage: &DeploymentUsage) -> String {
    match deployment.state() {
        DeploymentState::Succeeded => {}
        DeploymentState::Failed(_) => return "The deployment failed: it does not answer requests.\n".to_owned(),
        DeploymentState::Deleting => return "The deployment is being deleted.\n".to_owned(),
        DeploymentState::Running(_) => return format!("To wait until it is ready:\n  {}\n", printable(&usage.wait)),
    }
    let rows = [
        ("Endpoint", Some(usage.base.clone())),
        ("In the project", Some(usage.project_base.clone())),
        ("Model name in requests", Some(deployment.name.clone())),
    ];
    let mut text = format!("Use it with any OpenAI client:\n{}", aligned(&rows));
    if chats(deployment) {
        // Writing to a string cannot fail.
        let _ = write!(text, "\nTo try it:\n  {}\n", printable(&usage.curl));
    }
    text
}

/// True if the deployment supports chat completions, as far as known: custom models always count.
fn chats(deployment: &DeploymentView) -> bool {
    let capabilities = deployment.properties().capabilities.as_ref();
    let says = capabilities.and_then(|all| all.get("chatCompletion")).is_some_and(|value| value == "true");
    says || deployment.kind() == DeploymentKind::Custom
}

fn model_line(model: &ModelReference) -> String {
    let ModelReference { format, name, version, .. } = model;
    let notes = [version.as_ref().map(|version| format!("version {version}")), format.clone()];
    let notes: Vec<String> = notes.into_iter().flatten().collect();
    let name = name.as_deref().unwrap_or_default();
    if notes.is_empty() { name.to_owned() } else { format!("{name} ({})", notes.join(", ")) }
}

/// Formats a capacity: `80 (provisioned throughput units)`, `10 (10 requests and 10,000 tokens per 60 s)`.
fn capacity_line(capacity: u64, sku: Option<&str>, rates: &[RateLimit]) -> String {
    let provisioned = sku.is_some_and(|sku| sku.to_ascii_lowercase().contains("provisioned"));
    let meaning = match (provisioned, rates) {
        (true, _) => "provisioned throughput units".to_owned(),
        (false, []) => return units::grouped(capacity),
        (false, rates) => rates.iter().map(rate_line).collect::<Vec<_>>().join(", "),
    };
    format!("{} ({meaning})", units::grouped(capacity))
}

/// Formats a rate limit: `10,000 tokens per 60 s`.
fn rate_line(rate: &RateLimit) -> String {
    let what = if rate.key.is_empty() { "units" } else { &rate.key };
    let plural = if what.ends_with('s') { "" } else { "s" };
    format!("{} {what}{plural} per {} s", grouped(rate.count), rate.renewal_period)
}

/// Formats a count that the service sends as a float.
fn grouped(count: f64) -> String {
    format!("{count:.0}").parse().map_or_else(|_| count.to_string(), units::grouped)
}

/// Page of a deployment that only the project lists.
#[must_use]
pub(crate) fn project_page(deployment: &ProjectDeploymentView, kind: DeploymentKind) -> String {
    let sku = deployment.sku.clone().unwrap_or_default();
    let general = [
        ("Name", Some(deployment.name.clone())),
        ("Kind", Some(kind.word().to_owned())),
        ("State", Some(format!("{UNKNOWN} (no access to Azure Resource Manager)"))),
        ("Model", deployment.model_name.clone()),
        ("Version", deployment.model_version.clone()),
        ("Publisher", deployment.model_publisher.clone()),
        ("SKU", sku.name),
        ("Capacity", sku.capacity.map(units::grouped)),
    ];
    let mut page = format!("Deployment: {}\n{RULE}\n", printable(&deployment.name));
    section(&mut page, "General", &general);
    format!("{page}{RULE}\n")
}

/// Response of a deployment to one prompt.
pub(crate) struct TestPage<'a> {
    /// Text of the response.
    pub(crate) answer: &'a str,
    /// Time from the request to the end of the response.
    pub(crate) latency_ms: u64,
    /// Token usage, as sent by the service.
    pub(crate) usage: Option<&'a serde_json::Value>,
    /// Base address of the request.
    pub(crate) endpoint: &'a str,
    /// Command that sends the same prompt.
    pub(crate) curl: &'a str,
}

/// Page of `deployments test`; only the answer with `--quiet`.
#[must_use]
pub(crate) fn test_page(page: &TestPage<'_>, style: TableStyle) -> String {
    let answer = printable_lines(page.answer.trim_end());
    if !style.summary {
        return answer + "\n";
    }
    let tokens = page.usage.and_then(|usage| {
        let count = |key: &str| usage[key].as_u64().map(units::grouped);
        let (prompt, answer) = (count("prompt_tokens")?, count("completion_tokens")?);
        let total = count("total_tokens").map(|total| format!(", {total} total")).unwrap_or_default();
        Some(format!("{prompt} prompt, {answer} completion{total}"))
    });
    let rows = [
        ("Latency", Some(format!("{} ms", units::grouped(page.latency_ms)))),
        ("Tokens", tokens),
        ("Endpoint", Some(page.endpoint.to_owned())),
    ];
    format!("{answer}\n\n{}\nTo send the prompt yourself:\n  {}\n", aligned(&rows), printable(page.curl))
}

/// Page of a write that is not awaited.
#[must_use]
pub(crate) fn accepted_page(name: &str, state: &str, wait: &str) -> String {
    format!(
        "Deployment '{name}' is in progress (state {state}).\n\nTo wait until it is ready:\n  {}\n",
        printable(wait)
    )
}

/// Data of the page of `create --dry-run`.
pub(crate) struct DeploymentDryRunPage<'a> {
    pub(crate) name: &'a str,
    pub(crate) account: &'a str,
    pub(crate) group: &'a str,
    pub(crate) subscription: &'a str,
    /// Checks, one per line.
    pub(crate) checks: &'a [String],
    /// Method and path; `None` if the request is unknown.
    pub(crate) request: Option<String>,
    /// Body of the request.
    pub(crate) body: Option<String>,
}

/// Page of `create --dry-run`.
#[must_use]
pub(crate) fn dry_run_page(plan: &DeploymentDryRunPage<'_>) -> String {
    let rows = [
        ("Deployment", Some(plan.name.to_owned())),
        ("Account", Some(plan.account.to_owned())),
        ("Resource group", Some(plan.group.to_owned())),
        ("Subscription", Some(plan.subscription.to_owned())),
    ];
    let checks: String = plan.checks.iter().map(|line| format!("  {line}\n")).collect();
    let mut page = format!("Dry run: nothing is sent.\n\n{}\nChecks:\n{checks}", aligned(&rows));
    if let (Some(request), Some(body)) = (&plan.request, &plan.body) {
        let body = printable_json(body.clone()).replace('\n', "\n  ");
        page = format!("{page}\nRequest that would be sent:\n  {}\n  {body}\n", printable(request));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(json: &str) -> azure_ai_models_core::model::Deployment {
        serde_json::from_str(json).expect("a deployment")
    }

    fn usage() -> DeploymentUsage {
        let [base, project_base, curl, wait] = ["BASE", "PROJECT", "CURL", "WAIT"].map(str::to_owned);
        DeploymentUsage { base, project_base, curl, wait }
    }

    #[test]
    fn the_page_shows_state_capacity_and_usage() {
        let ready = deployment(
            r#"{"name":"gpt-4.1","sku":{"name":"GlobalStandard","capacity":10},"tags":{"a":"b"},"properties":{
            "provisioningState":"Succeeded","deploymentState":"Running","raiPolicyName":"Microsoft.DefaultV2",
            "versionUpgradeOption":"OnceNewDefaultVersionAvailable","capabilities":{"chatCompletion":"true"},
            "model":{"format":"OpenAI","name":"gpt-4.1","version":"2025-04-14"},
            "rateLimits":[{"key":"request","renewalPeriod":60.0,"count":10.0},{"key":"token","renewalPeriod":60.0,"count":10000.0}]}}"#,
        );
        insta::assert_snapshot!(page(ready.view(), &usage()));
    }

    #[test]
    fn a_deployment_that_is_not_ready_has_no_curl_line() {
        for (state, line) in [
            ("Creating", "To wait until it is ready:\n  WAIT\n"),
            ("Failed", "The deployment failed"),
            ("Deleting", "is being deleted"),
        ] {
            let json = format!(r#"{{"name":"d","properties":{{"provisioningState":"{state}"}}}}"#);
            let page = page(deployment(&json).view(), &usage());
            assert!(page.contains(line) && !page.contains("CURL"), "{page}");
        }
    }
}
