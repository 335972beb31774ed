//! Azure Resource Manager: authorization, and the reads that find a project. Deployments and the catalog are in
//! sibling modules.

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::models::{SKIP_TOKEN, next_link};
use super::{base_models, deployments};
use crate::arm_call::{AccountPath, ArmCall, Verb};
use crate::arm_config::{Arm, ArmTenant};
use crate::config::{Auth, Config};
use crate::record::Incoming;
use crate::refusal::{Answer, Refusal};
use crate::state::State;
use crate::wire::merge_patch;

const FEATURES_VERSION: &str = "2021-07-01";
const SUBSCRIPTIONS_VERSION: &str = "2022-12-01";

pub(super) fn answer(state: &mut State, request: &Incoming, call: &ArmCall) -> Answer {
    let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if token.is_empty() || state.config.auth == Auth::RejectAll {
        return Err(unauthorized());
    }
    require_version(&state.config.arm, request, call)?;
    let arm = &state.config.arm;
    let visible: Vec<ArmTenant> = arm
        .tenants
        .iter()
        .filter(|tenant| tenant.token.as_deref().is_none_or(|wanted| wanted == token))
        .cloned()
        .collect();
    if visible.is_empty() {
        return Err(unauthorized());
    }
    match call {
        ArmCall::Deployments(account)
        | ArmCall::Deployment { account, .. }
        | ArmCall::DeploymentSkus { account, .. }
        | ArmCall::AccountModels(account)
        | ArmCall::ContentFilters(account) => {
            require_account(&state.config, &visible, account)?;
            require_permission(&state.config, account, action(call))?;
        }
        ArmCall::Capacities { subscription, .. } | ArmCall::Feature { subscription, .. } => {
            holds_account(arm, &visible, subscription).map(drop)?;
        }
        ArmCall::RegionModels(region)
        | ArmCall::Usages(region)
        | ArmCall::Operation { region, .. }
        | ArmCall::OperationResult { region, .. } => holds_account(arm, &visible, &region.subscription).map(drop)?,
        _ => return read(&state.config, request, call, &visible),
    }
    match call {
        ArmCall::Deployments(_) => deployments::list(state, request),
        ArmCall::Deployment { name, verb, .. } => match verb {
            Verb::Get => deployments::get(state, request, name),
            Verb::Put => deployments::put(state, request, name),
            Verb::Patch => deployments::patch(state, request, name),
            Verb::Delete => deployments::delete(state, request, name),
        },
        ArmCall::DeploymentSkus { name, .. } => deployments::skus(state, name),
        ArmCall::Operation { id, .. } => deployments::operation(state, id),
        ArmCall::OperationResult { id, .. } => deployments::operation_result(state, request, id),
        ArmCall::AccountModels(_) => base_models::of_account(state, request),
        ArmCall::ContentFilters(_) => base_models::content_filters(&state.config),
        ArmCall::RegionModels(region) => base_models::of_region(&state.config, request, &region.location),
        ArmCall::Usages(region) => base_models::usages(state, request, &region.location),
        ArmCall::Capacities { location, .. } => base_models::capacities(state, request, location.as_deref()),
        ArmCall::Feature { subscription, provider, feature } => {
            base_models::feature(&state.config, (subscription, provider, feature))
        }
        _ => Err(Refusal::no_route()),
    }
}

fn unauthorized() -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", "The access token is invalid.")
}

fn require_version(arm: &Arm, request: &Incoming, call: &ArmCall) -> Result<(), Refusal> {
    let wanted = match call {
        ArmCall::Tenants | ArmCall::Subscriptions | ArmCall::Subscription { .. } => {
            vec![SUBSCRIPTIONS_VERSION.to_owned()]
        }
        ArmCall::Feature { .. } => vec![FEATURES_VERSION.to_owned()],
        _ => arm.api_versions.clone(),
    };
    let wanted_list = wanted.join(", ");
    let Some(given) = request.parameter("api-version") else {
        let message = "The api-version query parameter (?api-version=) is required for all requests.";
        return Err(Refusal::bad_request("MissingApiVersionParameter", message));
    };
    if wanted.iter().any(|version| version == given) {
        return Ok(());
    }
    let location = &arm.location;
    Err(Refusal::bad_request(
        "NoRegisteredProviderFound",
        format!(
            "No registered resource provider found for location '{location}' and API version '{given}' for type \
             'accounts'. The supported api-versions are '{wanted_list}'. The supported locations are '{location}'."
        ),
    ))
}

/// Action that a role must allow.
fn action(call: &ArmCall) -> &'static str {
    match call {
        ArmCall::Deployment { verb: Verb::Put | Verb::Patch, .. } => "accounts/deployments/write",
        ArmCall::Deployment { verb: Verb::Delete, .. } => "accounts/deployments/delete",
        ArmCall::Deployments(_) | ArmCall::Deployment { .. } | ArmCall::DeploymentSkus { .. } => {
            "accounts/deployments/read"
        }
        ArmCall::AccountModels(_) => "accounts/models/read",
        ArmCall::ContentFilters(_) => "accounts/raiPolicies/read",
        _ => "accounts/read",
    }
}

fn require_permission(config: &Config, account: &AccountPath, action: &str) -> Result<(), Refusal> {
    if !config.arm.hides_account {
        return Ok(());
    }
    let AccountPath { subscription, group, account } = account;
    let scope = format!(
        "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}"
    );
    Err(Refusal::unauthorized_action(action, &scope))
}

fn read(config: &Config, request: &Incoming, call: &ArmCall, visible: &[ArmTenant]) -> Answer {
    let arm = &config.arm;
    let is_first_page = request.parameter(SKIP_TOKEN).is_none_or(|token| token == "0");
    let list = |items: Vec<Value>| {
        if arm.in_pages && is_first_page {
            return json!({"value": [], "nextLink": next_link(config, request, 0, 1)});
        }
        json!({"value": items})
    };
    let body = match call {
        ArmCall::Tenants => list(arm.tenants.iter().map(|tenant| json!({"tenantId": tenant.id})).collect()),
        ArmCall::Subscriptions => list(visible.iter().flat_map(subscriptions).collect()),
        ArmCall::Subscription { subscription } => visible
            .iter()
            .flat_map(subscriptions)
            .find(|one| one["subscriptionId"] == subscription.as_str())
            .ok_or_else(|| subscription_not_found(subscription))?,
        ArmCall::Accounts { subscription } => {
            let owner = holds_account(arm, visible, subscription)? && !arm.hides_account;
            let own = account(config, request);
            let more = arm.more_accounts.iter().map(|other| {
                let mut account = own.clone();
                merge_patch(&mut account, other);
                account
            });
            let all: Vec<Value> = std::iter::once(own.clone()).chain(more).collect();
            list(if owner { all } else { Vec::new() })
        }
        ArmCall::Account(path) => {
            require_account(config, visible, path)?;
            require_permission(config, path, action(call))?;
            account(config, request)
        }
        ArmCall::Projects(path) => {
            require_account(config, visible, path)?;
            require_permission(config, path, action(call))?;
            let more = arm.more_projects.iter().map(String::as_str);
            let names = [config.project.as_str()].into_iter().chain(more);
            list(names.map(|name| project(config, request, name)).collect())
        }
        ArmCall::Project { account, project: requested } => {
            require_account(config, visible, account)?;
            require_permission(config, account, action(call))?;
            let known = *requested == config.project || arm.more_projects.contains(requested);
            if !known {
                return Err(Refusal::new(
                    StatusCode::NOT_FOUND,
                    "ResourceNotFound",
                    format!("The project '{requested}' was not found."),
                ));
            }
            project(config, request, requested)
        }
        _ => return Err(Refusal::no_route()),
    };
    Ok(Json(body).into_response())
}

fn subscriptions(tenant: &ArmTenant) -> Vec<Value> {
    let one = |(id, name): &(String, String)| json!({"subscriptionId": id, "displayName": name, "tenantId": tenant.id, "state": "Enabled"});
    tenant.subscriptions.iter().map(one).collect()
}

fn subscription_not_found(subscription: &str) -> Refusal {
    let message = format!("The subscription '{subscription}' could not be found.");
    Refusal::new(StatusCode::NOT_FOUND, "SubscriptionNotFound", message)
}

/// Requires a visible subscription; true if it contains the account.
fn holds_account(arm: &Arm, visible: &[ArmTenant], subscription: &str) -> Result<bool, Refusal> {
    let seen = visible.iter().flat_map(|tenant| &tenant.subscriptions).any(|(id, _)| id == subscription);
    if seen { Ok(arm.subscription() == subscription) } else { Err(subscription_not_found(subscription)) }
}

fn require_account(config: &Config, visible: &[ArmTenant], path: &AccountPath) -> Result<(), Refusal> {
    let arm = &config.arm;
    let AccountPath { subscription, group, account } = path;
    if !holds_account(arm, visible, subscription)? || !group.eq_ignore_ascii_case(&arm.resource_group) {
        let message = format!("Resource group '{group}' could not be found.");
        return Err(Refusal::new(StatusCode::NOT_FOUND, "ResourceGroupNotFound", message));
    }
    if account.eq_ignore_ascii_case(&config.account) {
        return Ok(());
    }
    let message = format!(
        "The Resource 'Microsoft.CognitiveServices/accounts/{account}' under resource group '{group}' was not found."
    );
    Err(Refusal::new(StatusCode::NOT_FOUND, "ResourceNotFound", message))
}

/// ARM ID of the account.
pub(super) fn account_id(config: &Config) -> String {
    let (subscription, group) = (config.arm.subscription(), &config.arm.resource_group);
    format!(
        "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{}",
        config.account
    )
}

/// ARM ID of the project with the registered models.
pub(super) fn project_id(config: &Config) -> String {
    format!("{}/projects/{}", account_id(config), config.project)
}

fn account(config: &Config, request: &Incoming) -> Value {
    let host = format!("{}/", request.origin());
    let mut account = json!({
        "id": account_id(config),
        "name": config.account,
        "type": "Microsoft.CognitiveServices/accounts",
        "kind": config.arm.kind,
        "location": config.arm.location,
        "sku": {"name": "S0"},
        "properties": {
            "customSubDomainName": config.arm.subdomain.as_deref().unwrap_or(&config.account),
            "endpoint": host,
            "endpoints": {"AI Foundry API": host, "OpenAI Language Model Instance API": host},
            "provisioningState": "Succeeded",
        },
    });
    if let Some(other) = &config.arm.account {
        merge_patch(&mut account, other);
    }
    account
}

fn project(config: &Config, request: &Incoming, name: &str) -> Value {
    json!({
        "id": format!("{}/projects/{name}", account_id(config)),
        "name": format!("{}/{name}", config.account),
        "location": config.arm.location,
        "properties": {
            "endpoints": {"AI Foundry API": format!("{}/api/projects/{name}", request.origin())},
            "provisioningState": "Succeeded",
        },
    })
}
