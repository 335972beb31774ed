//! Deployable models, as `AccountModel`: a few by default, and as many as a test needs. Pure.

use serde_json::{Value, json};

use crate::quota::FIREWORKS;

/// Number of models in the recorded list of a real region, which lists each one once per kind of account that can
/// deploy it.
const RECORDED: usize = 218;
/// Number of OpenAI models among them.
const RECORDED_OPENAI: usize = 81;
/// Date that means "no retirement is planned".
const NEVER: &str = "2099-12-31T00:00:00Z";

/// Small catalog: OpenAI with a default and an older version, a retired model, Microsoft, an embedding model, and
/// Fireworks.
pub(crate) fn built_in() -> Vec<Value> {
    vec![gpt(), older_gpt(), mini(), retired(), phi(), embedding(), fireworks()]
}

/// As many models as a real region listed, of the recorded size: 436 rows with the wrappers of a region's list, over
/// 600 kB.
#[must_use]
pub fn recorded_size() -> Vec<Value> {
    numbered(RECORDED, RECORDED_OPENAI)
}

/// This number of rows of the recorded size, each for a different model; the first `openai` rows are of OpenAI.
#[must_use]
pub fn numbered(rows: usize, openai: usize) -> Vec<Value> {
    let row = |number: usize| {
        let mut model = gpt();
        model["name"] = format!("model-{number:03}").into();
        model["isDefaultVersion"] = number.is_multiple_of(2).into();
        model["lifecycleStatus"] = ["GenerallyAvailable", "Stable", "Preview"][number % 3].into();
        if number >= openai {
            model["format"] = ["Meta", "Mistral AI", "Cohere", "DeepSeek"][number % 4].into();
            model["publisher"] = model["format"].clone();
        }
        model
    };
    (0..rows).map(row).collect()
}

/// Registered model as the account lists it.
pub(crate) fn custom(name: &str, version: &str, source: &str) -> Value {
    json!({
        "format": "FireworksCustom",
        "name": name,
        "version": version,
        "source": source,
        "isDefaultVersion": true,
        "skus": [provisioned(FIREWORKS, 80, 80, 40)],
        "capabilities": {"chatCompletion": "true"},
        "lifecycleStatus": "GenerallyAvailable",
    })
}

/// Rows of a region: each model once per kind of account that can deploy it, in a wrapper.
pub(crate) fn region_rows(models: &[Value], location: &str) -> Vec<Value> {
    let wrapped = |kind: &str, model: &Value| {
        let text = |key: &str| model[key].as_str().unwrap_or_default().to_owned();
        let name = format!("{}.{}.{}", text("format"), text("name"), text("version"));
        json!({
            "id": format!("/subscriptions/providers/Microsoft.CognitiveServices/locations/{location}/models/{name}"),
            "type": "Microsoft.CognitiveServices/locations/models",
            "name": name,
            "location": location,
            "kind": kind,
            "skuName": "S0",
            "model": model,
        })
    };
    let ours = models.iter().map(|model| wrapped("AIServices", model));
    let (openai, others): (Vec<&Value>, Vec<&Value>) = models.iter().partition(|model| model["format"] == "OpenAI");
    let openai = openai.into_iter().map(|model| wrapped("OpenAI", model));
    ours.chain(others.into_iter().map(|model| wrapped("MaaS", model))).chain(openai).collect()
}

fn gpt() -> Value {
    let token_cost = |name: &str| json!({"name": name, "meterId": "", "unit": "1K Tokens"});
    let hosting = json!({"name": "Hosting", "meterId": "10000000-0000-0000-0000-000000000001", "unit": "1 Unit/Hour"});
    json!({
        "format": "OpenAI",
        "name": "gpt-4.1",
        "version": "2025-04-14",
        "description": "",
        "isDefaultVersion": true,
        "skus": [
            {
                "name": "GlobalStandard",
                "usageName": "OpenAI.GlobalStandard.gpt4.1",
                "capacity": {"maximum": 1_000_000, "default": 10},
                "deprecationDate": NEVER,
                "rateLimits": [
                    {"key": "request", "renewalPeriod": 60, "count": 1},
                    {"key": "token", "renewalPeriod": 60, "count": 1000},
                ],
                "costs": [token_cost("CachedContextToken"), token_cost("ContextToken"), token_cost("GeneratedToken")],
            },
            {
                "name": "Standard",
                "usageName": "OpenAI.Standard.gpt4.1",
                "capacity": {"maximum": 1_000_000},
                "rateLimits": [
                    {"key": "request", "renewalPeriod": 60, "count": 1},
                    {"key": "token", "renewalPeriod": 60, "count": 1000},
                ],
                "costs": [token_cost("ContextToken")],
            },
            {
                "name": "GlobalProvisionedManaged",
                "usageName": "OpenAI.GlobalProvisionedManaged",
                "capacity": {"minimum": 15, "maximum": 30_000, "step": 5},
                "costs": [hosting],
            },
            {
                "name": "DeveloperTier",
                "usageName": "OpenAI.GlobalStandard.gpt4.1-finetune",
                "capacity": {"maximum": 250, "default": 250},
                "costs": [],
            },
        ],
        "maxCapacity": 3,
        "capabilities": {
            "agentsV2": "true", "area": "US", "assistants": "true", "chatCompletion": "true", "responses": "true",
            "jsonObjectResponse": "true", "jsonSchemaResponse": "true", "maxContextToken": "1047576",
            "maxOutputToken": "32768",
        },
        "deprecation": {"fineTune": NEVER, "inference": NEVER},
        "lifecycleStatus": "GenerallyAvailable",
        "modelCatalogAssetId": "azureml://registries/azure-openai/models/gpt-4.1/versions/2025-04-14",
        "systemData": {
            "createdBy": "Microsoft", "createdByType": "Application", "createdAt": "2025-04-14T00:00:00Z",
            "lastModifiedBy": "Microsoft", "lastModifiedByType": "Application",
            "lastModifiedAt": "2025-04-14T00:00:00Z",
        },
    })
}

fn older_gpt() -> Value {
    let mut model = gpt();
    model["version"] = "2025-01-01".into();
    model["isDefaultVersion"] = false.into();
    model["lifecycleStatus"] = "Deprecating".into();
    model["deprecation"]["inference"] = "2031-03-31T00:00:00Z".into();
    model["replacementConfig"] = json!({"targetModelName": "gpt-4.1", "targetModelVersion": "2025-04-14"});
    model
}

fn mini() -> Value {
    json!({
        "format": "OpenAI",
        "name": "gpt-4.1-mini",
        "version": "2025-04-14",
        "isDefaultVersion": true,
        "skus": [standard("OpenAI.GlobalStandard.gpt4.1-mini", 1000, json!({"maximum": 1_000_000, "default": 10}))],
        "capabilities": {"area": "US", "chatCompletion": "true", "responses": "true"},
        "deprecation": {"fineTune": NEVER, "inference": "2032-10-14T00:00:00Z"},
        "lifecycleStatus": "GenerallyAvailable",
    })
}

fn retired() -> Value {
    json!({
        "format": "OpenAI",
        "name": "gpt-35-turbo",
        "version": "0613",
        "isDefaultVersion": true,
        "skus": [standard("OpenAI.Standard.gpt-35-turbo", 1000, json!({"maximum": 300, "default": 120}))],
        "capabilities": {"chatCompletion": "true"},
        "deprecation": {"fineTune": "2025-02-13T00:00:00Z", "inference": "2025-02-13T00:00:00Z"},
        "lifecycleStatus": "Deprecated",
    })
}

fn phi() -> Value {
    json!({
        "format": "Microsoft",
        "name": "Phi-4",
        "version": "7",
        "publisher": "Microsoft",
        "isDefaultVersion": true,
        "skus": [standard("AIServices.GlobalStandard.Phi-4", 0, json!({"maximum": 1, "default": 1}))],
        "capabilities": {"chatCompletion": "true", "maxContextToken": "16384"},
        "deprecation": {"inference": NEVER},
        "lifecycleStatus": "Stable",
        "modelCatalogAssetId": "azureml://registries/azureml/models/Phi-4/versions/7",
    })
}

fn embedding() -> Value {
    json!({
        "format": "OpenAI",
        "name": "text-embedding-3-large",
        "version": "1",
        "isDefaultVersion": true,
        "skus": [
            standard("OpenAI.GlobalStandard.text-embedding-3-large", 1000, json!({"maximum": 1_000_000, "default": 120})),
        ],
        "capabilities": {"embeddings": "true"},
        "deprecation": {"inference": "2031-04-30T00:00:00Z"},
        "lifecycleStatus": "Preview",
    })
}

fn fireworks() -> Value {
    json!({
        "format": "Fireworks",
        "name": "FW-Qwen3-14B",
        "version": "1",
        "publisher": "Fireworks",
        "isDefaultVersion": true,
        "skus": [provisioned(FIREWORKS, 80, 80, 40)],
        "capabilities": {"chatCompletion": "true"},
        "deprecation": {"inference": NEVER},
        "lifecycleStatus": "GenerallyAvailable",
        "modelCatalogAssetId": "azureml://registries/azureml-fireworks/models/FW-Qwen3-14B/versions/1",
    })
}

/// SKU of the Standard family; `tokens` per minute for each unit, 0 if only requests are limited.
fn standard(usage: &str, tokens: u64, capacity: Value) -> Value {
    let mut limits = vec![json!({"key": "request", "renewalPeriod": 60, "count": 1})];
    if tokens > 0 {
        limits.push(json!({"key": "token", "renewalPeriod": 60, "count": tokens}));
    }
    json!({"name": "GlobalStandard", "usageName": usage, "capacity": capacity, "rateLimits": limits, "costs": []})
}

fn provisioned(usage: &str, default: u64, minimum: u64, step: u64) -> Value {
    json!({
        "name": "GlobalProvisionedManaged",
        "usageName": usage,
        "capacity": {"minimum": minimum, "maximum": 100_000, "step": step, "default": default},
        "costs": [],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_size_matches_a_real_region() {
        let rows = region_rows(&recorded_size(), "eastus2");
        let of = |kind: &str| rows.iter().filter(|row| row["kind"] == kind).count();
        assert_eq!((of("AIServices"), of("MaaS"), of("OpenAI"), rows.len()), (218, 137, 81, 436));
        let bytes = serde_json::to_vec(&rows).unwrap().len();
        assert!((600_000..1_200_000).contains(&bytes), "{bytes}");
    }
}
