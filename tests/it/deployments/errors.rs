//! Rejections by Azure Resource Manager (src/error/arm_table.rs), one test per row: the message for the user.

use std::collections::BTreeSet;

use azure_ai_models::testing::arm_error_rows;
use foundry_emulator::{Fault, FaultKind, Route};

use super::{create, env};

/// Compares the output of a rejected PUT with the snapshot of the row.
fn assert_page(row: &str, fault: FaultKind) {
    let mut env = env();
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.01/0.01");
    env.emulator().add_fault(Fault::new(Route::ArmPut, fault));
    let output = create(&env, &["--yes", "-q"]);
    assert_ne!(output.code, Some(0), "{output}");
    insta::assert_snapshot!(format!("arm_row_{row}"), output);
}

macro_rules! rows {
    ($($row:ident: $status:expr, $code:expr, $message:expr;)+) => {
        $(#[test] fn $row() { assert_page(stringify!($row), FaultKind::refusal($status, $code, $message)); })+
        const TESTED: &[&str] = &[$(stringify!($row)),+];
    };
}

rows! {
    support_block: 400, "BadRequest", "The request is blocked. Code: 715-123420";
    content_filter: 400, "InvalidResourceProperties", "The resource has an invalid content filter.";
    account_limit: 400, "InsufficientQuota", "Cannot create/update/move resource 'emulator'.";
    quota: 400, "InsufficientQuota", "This operation require 80 new capacity in quota Tokens, which is bigger than the current available capacity 200. The current quota usage is 5 and the quota limit is 205 for quota Tokens.";
    capacity: 400, "InvalidCapacity", "The capacity should be at least 1 and no more than 1000000.";
    sku_not_supported: 400, "InvalidResourceProperties", "The specified SKU 'S' of account deployment is not supported by the model 'M' version: '1'.";
    resource_properties: 400, "InvalidResourceProperties", "The deployment sku name 'S0' is invalid.";
    model_not_supported: 400, "DeploymentModelNotSupported", "The model 'Format: X, Name: m, Version: 1' of account deployment is not supported.";
    feature_required: 400, "SpecialFeatureOrQuotaIdRequired", "The subscription does not have QuotaId/Feature required.";
    provider_data: 400, "InvalidModelProviderData", "industry is required.";
    api_version: 400, "NoRegisteredProviderFound", "The supported api-versions are '2025-06-01, 2026-09-01'.";
    busy: 409, "RequestConflict", "Another operation is being performed on the parent resource.";
    deployment_limit: 400, "DeploymentLimitReached", "The account has reached its limit of deployments.";
    policy: 403, "RequestDisallowedByPolicy", "Resource 'dep' was disallowed by policy.";
    forbidden: 403, "AuthorizationFailed", "The client 'x' does not have authorization to perform action 'Microsoft.CognitiveServices/accounts/deployments/write' over scope '/subscriptions/s/resourceGroups/g' or the scope is invalid.";
    unauthorized: 401, "InvalidAuthenticationToken", "The token is invalid.";
    group_not_found: 404, "ResourceGroupNotFound", "Resource group 'g' could not be found.";
    account_not_found: 404, "ParentResourceNotFound", "The parent resource was not found.";
    not_found: 404, "ResourceNotFound", "The resource was not found.";
    conflict: 409, "DeploymentIsBeingDeleted", "The deployment is being deleted.";
    too_many_requests: 429, "TooManyRequests", "Slow down.";
    broken_without_words: 500, "", "";
    broken: 503, "ServiceUnavailable", "Try later.";
    refused: 400, "NewCode", "Something new.";
}

#[test]
fn every_row_is_tested() {
    let all: BTreeSet<&str> = arm_error_rows().collect();
    assert_eq!(all, TESTED.iter().copied().collect());
}
