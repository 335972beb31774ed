//! The few reads of Azure Resource Manager that lead to a project.

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::models::{SKIP_TOKEN, next_link};
use crate::call::ArmCall;
use crate::config::{Arm, ArmTenant, Auth, Config};
use crate::record::Incoming;
use crate::refusal::{Answer, Refusal};

pub(super) fn answer(config: &Config, request: &Incoming, call: &ArmCall) -> Answer {
    let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let unauthorized =
        || Refusal::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", "The access token is invalid.");
    if token.is_empty() || config.auth == Auth::RejectAll {
        return Err(unauthorized());
    }
    let wanted = match call {
        ArmCall::Tenants | ArmCall::Subscriptions | ArmCall::Subscription { .. } => "2022-12-01",
        _ => "2025-06-01",
    };
    if request.parameter("api-version") != Some(wanted) {
        return Err(Refusal::bad_request("InvalidApiVersionParameter", format!("Send api-version={wanted}.")));
    }
    let arm = &config.arm;
    let opened: Vec<&ArmTenant> =
        arm.tenants.iter().filter(|tenant| tenant.token.as_deref().is_none_or(|wanted| wanted == token)).collect();
    if opened.is_empty() {
        return Err(unauthorized());
    }
    let is_first_page = request.parameter(SKIP_TOKEN).is_none_or(|token| token == "0");
    let list = |items: Vec<Value>| {
        if arm.in_pages && is_first_page {
            return json!({"value": [], "nextLink": next_link(config, request, 0, 1)});
        }
        json!({"value": items})
    };
    let body = match call {
        ArmCall::Tenants => list(arm.tenants.iter().map(|tenant| json!({"tenantId": tenant.id})).collect()),
        ArmCall::Subscriptions => list(opened.iter().flat_map(|tenant| subscriptions(tenant)).collect()),
        ArmCall::Subscription { subscription } => {
            let known = opened.iter().flat_map(|tenant| subscriptions(tenant));
            known
                .into_iter()
                .find(|one| one["subscriptionId"] == subscription.as_str())
                .ok_or_else(|| absent(subscription))?
        }
        ArmCall::Accounts { subscription } => {
            let owner = holder(arm, &opened, subscription)?;
            list(owner.then(|| account(config, request)).into_iter().collect())
        }
        ArmCall::Account { group, account: name, subscription } => {
            here(config, &opened, (subscription, group, name))?;
            account(config, request)
        }
        ArmCall::Projects { group, account: name, subscription } => {
            here(config, &opened, (subscription, group, name))?;
            let more = arm.more_projects.iter().map(String::as_str);
            let names = [config.project.as_str()].into_iter().chain(more);
            list(names.map(|name| project(config, request, name)).collect())
        }
        ArmCall::Project { group, account: name, project: asked, subscription } => {
            here(config, &opened, (subscription, group, name))?;
            let known = *asked == config.project || arm.more_projects.contains(asked);
            if !known {
                return Err(Refusal::new(
                    StatusCode::NOT_FOUND,
                    "ResourceNotFound",
                    format!("The project '{asked}' was not found."),
                ));
            }
            project(config, request, asked)
        }
    };
    Ok(Json(body).into_response())
}

fn subscriptions(tenant: &ArmTenant) -> Vec<Value> {
    let one = |(id, name): &(String, String)| json!({"subscriptionId": id, "displayName": name, "tenantId": tenant.id, "state": "Enabled"});
    tenant.subscriptions.iter().map(one).collect()
}

fn absent(subscription: &str) -> Refusal {
    let message = format!("The subscription '{subscription}' could not be found.");
    Refusal::new(StatusCode::NOT_FOUND, "SubscriptionNotFound", message)
}

/// The subscription that holds the account: the first one.
fn first(arm: &Arm) -> Option<&str> {
    arm.tenants.iter().flat_map(|tenant| &tenant.subscriptions).map(|(id, _)| id.as_str()).next()
}

/// Whether a subscription that may be seen holds the account.
fn holder(arm: &Arm, opened: &[&ArmTenant], subscription: &str) -> Result<bool, Refusal> {
    let seen = opened.iter().flat_map(|tenant| &tenant.subscriptions).any(|(id, _)| id == subscription);
    if seen { Ok(first(arm) == Some(subscription)) } else { Err(absent(subscription)) }
}

fn here(
    config: &Config,
    opened: &[&ArmTenant],
    (subscription, group, account): (&str, &str, &str),
) -> Result<(), Refusal> {
    let arm = &config.arm;
    let is_here = holder(arm, opened, subscription)?
        && group.eq_ignore_ascii_case(&arm.resource_group)
        && account.eq_ignore_ascii_case(&config.account);
    let message = format!("The Resource 'Microsoft.CognitiveServices/accounts/{account}' was not found.");
    if is_here { Ok(()) } else { Err(Refusal::new(StatusCode::NOT_FOUND, "ResourceNotFound", message)) }
}

fn id(config: &Config) -> String {
    let subscription = first(&config.arm).unwrap_or_default();
    let (group, account) = (&config.arm.resource_group, &config.account);
    format!(
        "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}"
    )
}

/// This server, as the client reached it.
fn origin(request: &Incoming) -> String {
    format!("http://{}", request.header("host").unwrap_or_default())
}

fn account(config: &Config, request: &Incoming) -> Value {
    json!({
        "id": id(config),
        "name": config.account,
        "kind": "AIServices",
        "location": config.arm.location,
        "properties": {
            "customSubDomainName": config.arm.subdomain.as_deref().unwrap_or(&config.account),
            "endpoints": {"AI Foundry API": format!("{}/", origin(request))},
            "provisioningState": "Succeeded",
        },
    })
}

fn project(config: &Config, request: &Incoming, name: &str) -> Value {
    json!({
        "id": format!("{}/projects/{name}", id(config)),
        "name": format!("{}/{name}", config.account),
        "location": config.arm.location,
        "properties": {
            "endpoints": {"AI Foundry API": format!("{}/api/projects/{name}", origin(request))},
            "provisioningState": "Succeeded",
        },
    })
}
