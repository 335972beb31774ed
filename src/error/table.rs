//! Error messages for rejections by the service: one table, in which the first matching row counts.
//!
//! Codes come before statuses, since the service documents no status for them.

use super::ErrorKind::{self, Auth, Conflict, Failure, NotFound, Service};
use azure_ai_models_core::http::ServiceError;

/// Row of the table: a rejection, and its message for the user.
#[derive(Debug)]
pub(crate) struct RefusalRow {
    /// Name of the row in tests.
    pub(crate) name: &'static str,
    /// Matching codes of the service, case-insensitive.
    codes: &'static [&'static str],
    /// Additional condition for the row.
    when: fn(&ServiceError) -> bool,
    pub(super) kind: ErrorKind,
    /// Text before the message of the service; `{status}` is replaced with the status if the message does not contain
    /// it.
    pub(super) headline: &'static str,
    /// Suggestion; `{tenant}` and `{wait}` are replaced with those of the response.
    pub(super) suggestion: &'static str,
    pub(super) links: &'static [(&'static str, &'static str)],
}

/// Row for these codes.
const fn code(
    name: &'static str,
    codes: &'static [&'static str],
    kind: ErrorKind,
    suggestion: &'static str,
) -> RefusalRow {
    // A conflict needs no headline.
    let headline = if matches!(kind, Conflict) { "" } else { "Foundry returned" };
    RefusalRow { name, codes, when: |_| false, kind, headline, suggestion, links: &[] }
}

/// Row for matching responses.
const fn when(
    name: &'static str,
    when: fn(&ServiceError) -> bool,
    kind: ErrorKind,
    headline: &'static str,
    suggestion: &'static str,
) -> RefusalRow {
    RefusalRow { name, codes: &[], when, kind, headline, suggestion, links: &[] }
}

/// Row for pages of an intermediary.
const fn page(name: &'static str, fits: fn(&ServiceError) -> bool, kind: ErrorKind) -> RefusalRow {
    let suggestion = "Check the host name in the project endpoint, HTTPS_PROXY, and whether this network requires a sign-in in a browser.";
    when(name, fits, kind, "the response came from a proxy or gateway, not from Foundry", suggestion)
}

const ROLES: &[(&str, &str)] = &[
    ("Roles", "https://learn.microsoft.com/azure/ai-foundry/concepts/rbac-azure-ai-foundry"),
    ("Assign a role", "https://learn.microsoft.com/azure/role-based-access-control/role-assignments-portal"),
];
const NETWORK: &[(&str, &str)] =
    &[("Private networks", "https://learn.microsoft.com/azure/ai-foundry/how-to/configure-private-link")];

/// All rows.
pub(crate) static ROWS: &[RefusalRow] = &[
    code("in_use", &["ModelInUse"], Conflict, "Delete the deployments that use the model first."),
    code(
        "version_conflict",
        &["ModelVersionConflict"],
        Conflict,
        "Use another --version, or delete the existing version first.",
    ),
    code(
        "base_model_required",
        &["BaseModelRequired"],
        Failure,
        "Use --base-model with the model that the weights were trained from.",
    ),
    code(
        "base_model_not_found",
        &["BaseModelNotFound"],
        Failure,
        "Check --base-model: a short name such as FW-GPT-OSS-120B, or a full azureml://registries/... URI.",
    ),
    code(
        "base_model_no_templates",
        &["BaseModelNoDTs", "DeploymentTemplateNotCompatible"],
        Failure,
        "Use another --base-model: models based on this one cannot be deployed.",
    ),
    code("base_model_deprecated", &["BaseModelDeprecated"], Failure, "Use a newer --base-model."),
    code(
        "base_model_not_ready",
        &["BaseModelNotReady"],
        Service,
        "Try again in a few minutes, or use another --base-model.",
    ),
    code(
        "weight_format",
        &["UnsupportedWeightFormat", "IncompatibleArtifact"],
        Failure,
        "Convert the weights to .safetensors, and check the folder with 'custom check' before the next upload.",
    ),
    code(
        "upload_incomplete",
        &["UploadIncomplete"],
        Failure,
        "Check the folder with 'custom check', then create the model again.",
    ),
    code("upload_expired", &["UploadExpired"], Failure, "Create the model again to request a new upload location."),
    code(
        "lora_config",
        &["MissingLoraConfig", "MissingLoraAlpha", "InvalidLoraConfig"],
        Failure,
        "Correct adapter_config.json, or give --lora-rank, --lora-alpha, --lora-target-modules and --lora-dropout.",
    ),
    code(
        "lora_weights",
        &["NoAdapterWeights"],
        Failure,
        "An adapter needs adapter_model.safetensors beside its adapter_config.json; weights of a whole model are --weight-type FullWeight.",
    ),
    code(
        "lora_not_supported",
        &["LoRANotSupported"],
        Failure,
        "Use another --base-model: this one does not support adapters.",
    ),
    code(
        "api_version",
        &["UnsupportedApiVersionValue", "UnsupportedApiVersion", "InvalidApiVersionParameter"],
        Failure,
        "Unset AZURE_AI_MODELS_API_VERSION, or set it to 2025-11-15-preview or v1.",
    ),
    when(
        "proxy_wants_sign_in",
        |error| error.status == 407,
        Service,
        "the proxy requires a sign-in",
        "Add the proxy's user name and password to its address in HTTPS_PROXY.",
    ),
    page("page_instead_of_a_refusal", |error| error.is_html() && matches!(error.status, 401 | 403), Auth),
    page("page_instead_of_a_404", |error| error.is_html() && error.status == 404, NotFound),
    page("page_instead_of_an_error", |error| error.is_html() && error.status < 500 && error.status != 429, Failure),
    when(
        "tenant",
        |error| error.status == 401 && error.tenant.is_some(),
        Auth,
        "Foundry rejected the sign-in",
        "Sign in again with 'azd auth login --tenant-id {tenant}', and set AZURE_TENANT_ID to that tenant.\n'azd auth login --check-status' shows which account is signed in.",
    ),
    when(
        "unauthorized",
        |error| error.status == 401,
        Auth,
        "Foundry rejected the sign-in",
        "Sign in again with 'azd auth login'; a guest account also needs AZURE_TENANT_ID, the tenant of the project.\n'azd auth login --check-status' shows which account is signed in.",
    ),
    RefusalRow {
        links: NETWORK,
        ..when(
            "private_network",
            |error| {
                error.status == 403
                    && error.mentions(&["public access is disabled", "private endpoint", "virtual network"])
            },
            Auth,
            "the project accepts connections from private networks only",
            "Run this from a network that the project allows, or have this network allowed.",
        )
    },
    RefusalRow {
        links: ROLES,
        ..when(
            "forbidden",
            |error| error.status == 403,
            Auth,
            "no permission",
            "Ask for the role Azure AI User (or Azure AI Developer) on the Foundry project; a role on the subscription alone is not enough, and a new role assignment takes a few minutes to apply.",
        )
    },
    when(
        "no_model",
        ServiceError::is_model_not_found,
        NotFound,
        "not found",
        "Check the project endpoint, and the name and version of the model.",
    ),
    when(
        "no_project",
        |error| error.status == 404,
        NotFound,
        "not found",
        "Check the project endpoint, which ends with /api/projects/PROJECT, and that this project exists.",
    ),
    when(
        "conflict",
        |error| error.status == 409,
        Conflict,
        "",
        "Check the current state of the model; another user may have changed it.",
    ),
    when(
        "changed_meanwhile",
        |error| error.status == 412,
        Conflict,
        "the model was changed in the meantime",
        "Check its current state, then try again.",
    ),
    when(
        "too_large",
        |error| error.status == 413,
        Failure,
        "the request is too large for Foundry",
        "Shorten the description, and give fewer or shorter tags.",
    ),
    when(
        "busy_until",
        |error| matches!(error.status, 408 | 429 | 503) && error.retry_after.is_some(),
        Service,
        "Foundry is too busy",
        "Try again in {wait}.",
    ),
    when(
        "busy",
        |error| matches!(error.status, 408 | 429),
        Service,
        "Foundry is too busy",
        "Try again in a few minutes.",
    ),
    when(
        "broken",
        |error| error.status >= 500,
        Service,
        "Foundry failed{status}",
        "Try again later. If the problem persists, give the request ID to Azure support.",
    ),
    when(
        "refused",
        |_| true,
        Failure,
        "Foundry returned",
        "Correct the value named in the message. If the problem persists, give the request ID to Azure support.",
    ),
];

/// Row for a rejection.
pub(super) fn row_of(error: &ServiceError) -> &'static RefusalRow {
    let fits = |row: &&RefusalRow| error.has_code(row.codes) || (row.when)(error);
    ROWS.iter().find(fits).unwrap_or(&ROWS[ROWS.len() - 1])
}

/// True for a conflict that is identified only by its status.
pub(super) fn is_any_conflict(error: &ServiceError) -> bool {
    row_of(error).name == "conflict"
}

/// Row for a failure of which only the service's code is known.
pub(super) fn row_of_code(code: &str) -> Option<&'static RefusalRow> {
    ROWS.iter().find(|row| row.codes.iter().any(|known| known.eq_ignore_ascii_case(code)))
}
