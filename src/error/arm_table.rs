//! Error messages for rejections by Azure Resource Manager that concern deployments: one table, in which the first
//! matching row counts.

use super::ErrorKind::{self, Auth, Conflict, Failure, NotFound, Service};
use azure_ai_models_core::http::ServiceError;

/// Row of the table: a rejection, and its suggestion.
#[derive(Debug)]
pub(crate) struct ArmRow {
    /// Name of the row in tests.
    pub(crate) name: &'static str,
    /// Matching codes, case-insensitive; ARM wraps errors of resource providers, so details count.
    codes: &'static [&'static str],
    /// Additional condition for the rejection.
    when: fn(&ServiceError) -> bool,
    pub(super) kind: ErrorKind,
    /// Suggestion; `{action}` and `{scope}` are replaced with those of the missing role.
    pub(super) suggestion: &'static str,
    /// Additional suggestion for models of Fireworks.
    pub(super) fireworks: &'static str,
}

const REGISTER: &str = "Custom models need the feature Fireworks.EnableDeploy on the subscription, which takes up to 30 minutes: az feature register --namespace Microsoft.CognitiveServices --name Fireworks.EnableDeploy";

const fn code(name: &'static str, codes: &'static [&'static str], kind: ErrorKind, suggestion: &'static str) -> ArmRow {
    ArmRow { name, codes, when: |_| true, kind, suggestion, fireworks: "" }
}

const fn when(
    name: &'static str,
    when: fn(&ServiceError) -> bool,
    kind: ErrorKind,
    suggestion: &'static str,
) -> ArmRow {
    ArmRow { name, codes: &[], when, kind, suggestion, fireworks: "" }
}

/// All rows.
pub(crate) static ARM_ROWS: &[ArmRow] = &[
    when(
        "support_block",
        |error| error.mentions(&["715-123420"]),
        Failure,
        "The subscription is blocked by a fraud check. Open a support request with both IDs.",
    ),
    when(
        "content_filter",
        |error| error.status == 400 && error.mentions(&["content filter", "rai policy", "raipolicy"]),
        Failure,
        "Use an existing content filter with --rai-policy.",
    ),
    ArmRow {
        when: |error| error.mentions(&["cannot create/update/move resource"]),
        ..code(
            "account_limit",
            &["InsufficientQuota"],
            Failure,
            "This limit is for Foundry accounts: delete an unused account, or request a higher limit in the Azure portal.",
        )
    },
    ArmRow {
        fireworks: "Request quota for Fireworks models: https://aka.ms/fireworks-quota",
        ..code(
            "quota",
            &["InsufficientQuota"],
            Failure,
            "Use a smaller --sku-capacity or another --sku-name, or request quota: https://ai.azure.com/managementCenter/quota\nThe quota of a deleted deployment can take a few minutes to become available.",
        )
    },
    code("capacity", &["InvalidCapacity"], Failure, "Use a --sku-capacity in the range given in the message."),
    ArmRow {
        when: |error| error.mentions(&["not supported by the model"]),
        ..code(
            "sku_not_supported",
            &["InvalidResourceProperties"],
            Failure,
            "Use a --sku-name that the model offers: `azd ai models base show` lists the SKUs of catalog models.",
        )
    },
    code(
        "resource_properties",
        &["InvalidResourceProperties"],
        Failure,
        "Correct the value named in the message. If it is correct, update this extension: the service may have changed.",
    ),
    ArmRow {
        fireworks: REGISTER,
        ..code(
            "model_not_supported",
            &["DeploymentModelNotSupported"],
            Failure,
            "Check the name, version and format of the model, and that it is available in the region and to the subscription.",
        )
    },
    ArmRow {
        fireworks: REGISTER,
        ..code(
            "feature_required",
            &["SpecialFeatureOrQuotaIdRequired"],
            Failure,
            "Use another subscription: this one, or its offer type, does not allow the model.",
        )
    },
    code(
        "provider_data",
        &["InvalidModelProviderData", "AnthropicOrganizationCreationFailed"],
        Failure,
        "The publisher requires details about your organization: deploy this model in the Foundry portal, https://ai.azure.com.",
    ),
    code(
        "api_version",
        &["NoRegisteredProviderFound", "InvalidApiVersionParameter", "InvalidResourceType"],
        Failure,
        "Omit --api-version, or use one of the versions that the message lists.",
    ),
    code("busy", &["RequestConflict", "AccountProvisioningStateInvalid"], Conflict, "Try again later."),
    code(
        "deployment_limit",
        &["DeploymentLimitReached"],
        Failure,
        "Delete an unused deployment: `azd ai models deployments list` shows all of them.",
    ),
    ArmRow {
        fireworks: "An administrator must allow the model format FireworksCustom.",
        ..code(
            "policy",
            &["RequestDisallowedByPolicy"],
            Auth,
            "Ask your Azure administrator: a policy of your organization does not allow this.",
        )
    },
    ArmRow {
        fireworks: "For custom models also: Azure AI Developer or higher on the Foundry project itself.",
        ..when(
            "forbidden",
            |error| error.status == 403,
            Auth,
            "Ask for a role that includes {action} on {scope}: Cognitive Services Contributor, Azure AI Account Owner, Contributor or Owner. A new role assignment takes a few minutes to apply.",
        )
    },
    when(
        "unauthorized",
        |error| error.status == 401,
        Auth,
        "Run `azd auth login`; add --tenant-id ID if the subscription is in another tenant.",
    ),
    code("group_not_found", &["ResourceGroupNotFound"], NotFound, "Check --resource-group and --subscription."),
    code(
        "account_not_found",
        &["ParentResourceNotFound"],
        NotFound,
        "Check --account, --resource-group and --subscription.",
    ),
    when(
        "not_found",
        |error| error.status == 404,
        NotFound,
        "Check the names, and that you are signed in to the right account.",
    ),
    when(
        "conflict",
        |error| error.status == 409,
        Conflict,
        "Check the current state of the deployment, then try again.",
    ),
    when("too_many_requests", |error| matches!(error.status, 408 | 429), Service, "Try again in a few minutes."),
    ArmRow {
        when: |error| error.status == 500 && error.message.is_empty(),
        ..when(
            "broken_without_words",
            |_| true,
            Service,
            "Check the model format in the catalog; a wrong format can cause this error. Otherwise, try again later.",
        )
    },
    when("broken", |error| error.status >= 500, Service, "Try again later."),
    when("refused", |_| true, Failure, "Correct the value named in the message. Use --debug to trace the requests."),
];

/// Row for a rejection.
pub(super) fn arm_row_of(error: &ServiceError) -> &'static ArmRow {
    let fits = |row: &&ArmRow| (row.codes.is_empty() || error.has_code_anywhere(row.codes)) && (row.when)(error);
    ARM_ROWS.iter().find(fits).unwrap_or(&ARM_ROWS[ARM_ROWS.len() - 1])
}
