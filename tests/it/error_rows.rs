//! Rejections by the service (src/error/table.rs), one test per row: the message for the user.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use azure_ai_models::testing::error_rows;
use foundry_emulator::{Config, Fault, FaultKind, RetryAfter, Route};
use serde_json::json;

use crate::support::{TestEnv, for_each_api_version};

/// Compares the output for a failure of this route with the snapshot of the row.
fn assert_page(api: &str, row: &str, route: Route, fault: FaultKind) {
    let env =
        TestEnv::with_api(api, Config { tenant: (row == "tenant").then(|| "1111-2222".into()), ..Config::default() });
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

/// Creates a test for each row: name, route, response of the service.
macro_rules! rows {
    ($($row:ident: $route:ident, $fault:expr;)+) => {
        $(fn $row(api: &str) {
            assert_page(api, stringify!($row), Route::$route, $fault);
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

/// Kind of an error, and its suggestion.
type KindAndSuggestion = (String, String);

/// Kind and suggestion of `show` for each of these responses, in order.
fn kinds_and_suggestions(answers: &[(u16, &str, &str, Option<RetryAfter>)]) -> Vec<KindAndSuggestion> {
    let env = TestEnv::new();
    let mut kinds_and_suggestions = Vec::new();
    for (status, code, message, retry_after) in answers {
        env.emulator().reset();
        env.emulator().configure(|config| config.tenant = Some("1111-2222".into()));
        let (code, message) = (Some((*code).to_owned()), Some((*message).to_owned()));
        let fault = FaultKind::Status { status: *status, code, message, retry_after: *retry_after };
        env.emulator().add_fault(Fault::new(Route::Get, fault));
        let output = env.run(&["show", "-n", "my-model", "--version", "1", "-q", "-o", "json"]);
        let error = output.json_error();
        let text = |key: &str| error[key].as_str().unwrap_or_else(|| panic!("{output}")).to_owned();
        kinds_and_suggestions.push((text("kind"), text("suggestion")));
    }
    kinds_and_suggestions
}

/// The service documents no statuses for its codes, so rows with codes come before all rows with statuses.
#[test]
fn known_code_takes_precedence_over_its_status() {
    const CODES: [&str; 14] = [
        "ModelInUse",
        "ModelVersionConflict",
        "BaseModelRequired",
        "BaseModelNotFound",
        "BaseModelNoDTs",
        "BaseModelDeprecated",
        "BaseModelNotReady",
        "UnsupportedWeightFormat",
        "UploadIncomplete",
        "UploadExpired",
        "MissingLoraAlpha",
        "NoAdapterWeights",
        "LoRANotSupported",
        "UnsupportedApiVersionValue",
    ];
    let private = "Public access is disabled. Please configure private endpoint.";
    let soon = Some(RetryAfter::Seconds(3));
    std::thread::scope(|scope| {
        for code in CODES {
            scope.spawn(move || {
                let answers = [
                    (400, code, "no", None),
                    (401, code, "no", None),
                    (403, code, "no", None),
                    (403, code, private, None),
                    (404, code, "no", None),
                    (407, code, "no", None),
                    (409, code, "no", None),
                    (412, code, "no", None),
                    (413, code, "no", None),
                    (429, code, "no", soon),
                    (500, code, "no", None),
                    (503, code, "no", soon),
                ];
                let kinds_and_suggestions = kinds_and_suggestions(&answers);
                for (answer, reported) in answers.iter().zip(&kinds_and_suggestions) {
                    assert_eq!(reported, &kinds_and_suggestions[0], "{answer:?}");
                }
            });
        }
    });
}

/// Responses that match several rows, with the row that applies: the most specific one.
#[test]
fn most_specific_matching_row_applies() {
    let html = |status| FaultKind::Html { status };
    let refusal = |status, code: &str, message: &str| FaultKind::refusal(status, code, message);
    let private = "Public access is disabled. Please configure private endpoint.";
    let mut table = String::new();
    for (name, tenant, fault) in [
        ("HTML 401, tenant", true, html(401)),
        ("HTML 401", false, html(401)),
        ("HTML 403", false, html(403)),
        ("HTML 404", false, html(404)),
        ("HTML 407", false, html(407)),
        ("HTML 408", false, html(408)),
        ("HTML 409", false, html(409)),
        ("HTML 412", false, html(412)),
        ("HTML 413", false, html(413)),
        ("HTML 429", false, html(429)),
        ("HTML 500", false, html(500)),
        ("HTML 503", false, html(503)),
        ("401, tenant", true, FaultKind::status(401)),
        ("403, private", false, refusal(403, "Forbidden", private)),
        ("404, model", false, refusal(404, "ResourceNotFound", "no")),
        ("404", false, refusal(404, "ProjectNotFound", "no")),
        ("429, wait", false, FaultKind::retry_later(429, RetryAfter::Seconds(90))),
        ("503, wait", false, FaultKind::retry_later(503, RetryAfter::Seconds(90))),
        ("503", false, FaultKind::status(503)),
        ("504", false, FaultKind::status(504)),
    ] {
        let env = TestEnv::with(Config { tenant: tenant.then(|| "1111-2222".into()), ..Config::default() });
        env.emulator().add_fault(Fault::new(Route::Get, fault));
        let output = env.run(&["show", "-n", "my-model", "--version", "1", "-q", "-o", "json"]);
        let (error, code) = (output.json_error(), output.code.expect("a code"));
        let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
        let (kind, message, suggestion) = (text("kind"), text("message"), text("suggestion"));
        let headline = message.split(": ").next().unwrap_or_default();
        let first = suggestion.lines().next().unwrap_or_default();
        writeln!(table, "{name}: {code} {kind}, {headline}\n    > {first}").expect("a string");
    }
    insta::assert_snapshot!(table);
}

#[test]
fn every_row_is_tested() {
    let rows: Vec<&str> = error_rows().collect();
    assert_eq!(rows.iter().collect::<BTreeSet<_>>().len(), rows.len(), "a name occurs twice");
    assert_eq!(rows, TESTED);
}
