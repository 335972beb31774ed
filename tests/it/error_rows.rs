//! The table of the service's refusals (src/error/table.rs), a test a row: what a person reads.

use std::collections::BTreeSet;

use azure_ai_models::error::ROWS;
use foundry_emulator::{Config, Fault, FaultKind, RetryAfter, Route};
use serde_json::json;

use crate::support::{TestEnv, for_each_api_version};

/// The page of a failure of this route.
fn page_of(api: &str, row: &str, route: Route, fault: FaultKind) {
    let env =
        TestEnv::speaking(api, Config { tenant: (row == "tenant").then(|| "1111-2222".into()), ..Config::default() });
    env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
    env.emulator().add_fault(Fault::new(route, fault));
    let args: &[&str] = match route {
        Route::Delete => &["delete", "-n", "my-model", "--version", "1", "-f"],
        Route::Patch => &["update", "-n", "my-model", "--version", "1", "--description", "d"],
        _ => &["show", "-n", "my-model", "--version", "1"],
    };
    let output = env.run(&[args, &["-q"]].concat());
    assert_ne!(output.code, Some(0), "{output}");
    insta::assert_snapshot!(format!("row_{row}"), output);
}

/// A test for each row: its name, the route, what the service answers there.
macro_rules! rows {
    ($($row:ident: $route:ident, $fault:expr;)+) => {
        $(fn $row(api: &str) {
            page_of(api, stringify!($row), Route::$route, $fault);
        })+
        for_each_api_version!($($row),+);
        const TESTED: &[&str] = &[$(stringify!($row)),+];
    };
}

fn bad(code: &str, message: &str) -> FaultKind {
    FaultKind::refusal(400, code, message)
}

rows! {
    in_use: Delete, FaultKind::refusal(409, "ModelInUse", "A deployment uses the model.");
    version_conflict: Get, FaultKind::refusal(409, "ModelVersionConflict", "Version 1 exists.");
    base_model_required: Get, bad("BaseModelRequired", "This weight type needs a base model.");
    base_model_not_found: Get, bad("BaseModelNotFound", "There is no such base model.");
    base_model_no_templates: Get, bad("BaseModelNoDTs", "The base model has no deployment template.");
    base_model_deprecated: Get, bad("BaseModelDeprecated", "The base model is deprecated.");
    base_model_not_ready: Get, bad("BaseModelNotReady", "The base model is being prepared.");
    weight_format: Get, bad("UnsupportedWeightFormat", "The weights are not safetensors.");
    upload_incomplete: Get, bad("UploadIncomplete", "2 files are missing.");
    upload_expired: Get, bad("UploadExpired", "The upload location has expired.");
    lora_config: Get, bad("MissingLoraAlpha", "lora_alpha is missing.");
    lora_weights: Get, bad("NoAdapterWeights", "No adapter weights were found.");
    lora_not_supported: Get, bad("LoRANotSupported", "The base model takes no adapters.");
    api_version: Get, bad("UnsupportedApiVersionValue", "The api-version 'x' is not supported.");
    proxy_wants_sign_in: Get, FaultKind::Html { status: 407 };
    page_instead_of_a_refusal: Get, FaultKind::Html { status: 403 };
    page_instead_of_a_404: Get, FaultKind::Html { status: 404 };
    page_instead_of_an_error: Get, FaultKind::Html { status: 400 };
    tenant: Get, FaultKind::refusal(401, "InvalidAuthenticationTokenTenant", "The token is of another tenant.");
    unauthorized: Get, FaultKind::refusal(401, "Unauthorized", "The token is missing.");
    private_network: Get, FaultKind::refusal(403, "403", "Public access is disabled. Please configure private endpoint.");
    forbidden: Get, FaultKind::refusal(403, "PermissionDenied", "The principal lacks models/read.");
    no_model: Delete, FaultKind::refusal(404, "ModelNotFound", "There is no such model.");
    no_project: Get, FaultKind::refusal(404, "ProjectNotFound", "Project 'demo' was not found.");
    conflict: Patch, FaultKind::refusal(409, "Conflict", "Another request changes the model.");
    changed_meanwhile: Patch, FaultKind::refusal(412, "PreconditionFailed", "The model has changed.");
    too_large: Patch, FaultKind::refusal(413, "RequestEntityTooLarge", "The request body is too large.");
    busy_until: Get, FaultKind::retry_later(429, RetryAfter::Seconds(90));
    busy: Get, FaultKind::refusal(429, "TooManyRequests", "Too many requests.");
    broken: Get, FaultKind::refusal(500, "InternalServerError", "Something broke.");
    refused: Get, bad("ValidationError", "The name is not good.");
}

#[test]
fn every_row_has_its_test() {
    let rows: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
    assert_eq!(rows.iter().collect::<BTreeSet<_>>().len(), rows.len(), "a name stands twice");
    assert_eq!(rows, TESTED);
}
