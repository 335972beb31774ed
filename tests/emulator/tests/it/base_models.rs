//! Catalogue, quota, and inference.

use foundry_emulator::{Arm, Config, recorded_size};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};

const SUBSCRIPTION: &str = "/subscriptions/00000000-0000-0000-0000-000000000001";
const PROVIDER: &str = "/providers/Microsoft.CognitiveServices";

async fn get_as(client: &Client, path: &str, (version, token): (&str, &str)) -> Answer {
    let url = format!("{}{SUBSCRIPTION}{path}", client.emulator.origin());
    Answer::of(client.http.get(url).bearer_auth(token).query(&[("api-version", version)])).await
}

async fn get(client: &Client, path: &str) -> Answer {
    get_as(client, path, ("2025-06-01", "arm")).await
}

async fn of_account(client: &Client, path: &str) -> Answer {
    get(client, &format!("/resourceGroups/rg-emulator{PROVIDER}/accounts/emulator{path}")).await
}

fn rows(answer: &Answer) -> &Vec<Value> {
    answer.body["value"].as_array().unwrap()
}

#[tokio::test]
async fn the_account_lists_models_and_the_region_wraps_them_once_per_account_kind() {
    let client = Client::new(Config::default());
    client.seed("tiny", "1");
    let account = of_account(&client, "/models").await;
    let formats: Vec<&str> = rows(&account).iter().map(|row| row["format"].as_str().unwrap()).collect();
    for format in ["OpenAI", "Microsoft", "Fireworks", "FireworksCustom"] {
        assert!(formats.contains(&format), "{formats:?}");
    }
    assert!(rows(&account)[0]["skus"][0]["costs"].is_array() && rows(&account)[0].get("publisher").is_none());
    let region = get(&client, &format!("{PROVIDER}/locations/eastus2/models")).await;
    assert_eq!(rows(&region)[0]["name"], "OpenAI.gpt-4.1.2025-04-14");
    let kinds = rows(&region).iter().filter(|row| row["model"]["name"] == "Phi-4").map(|row| &row["kind"]);
    assert_eq!(kinds.collect::<Vec<_>>(), ["AIServices", "MaaS"]);
    get(&client, &format!("{PROVIDER}/locations/atlantis/models"))
        .await
        .assert_refused(400, "LocationNotAvailableForResourceType");
}

#[tokio::test]
async fn a_region_of_the_recorded_size_has_436_rows() {
    let arm = Arm { models: recorded_size(), ..Arm::default() };
    let client = Client::new(Config { arm, ..Config::default() });
    assert_eq!(rows(&get(&client, &format!("{PROVIDER}/locations/eastus2/models")).await).len(), 436);
}

#[tokio::test]
async fn deployments_count_against_usages_and_capacities() {
    let client = Client::new(Config::default());
    client.emulator.seed_deployment(&json!({"name": "chat", "sku": {"capacity": 150}})).unwrap();
    let usages = get(&client, &format!("{PROVIDER}/locations/eastus2/usages")).await;
    let name = "OpenAI.GlobalStandard.gpt4.1-mini";
    let usage = rows(&usages).iter().find(|usage| usage["name"]["value"] == name).unwrap();
    assert_eq!((&usage["currentValue"], &usage["limit"]), (&json!(150.0), &json!(200.0)));
    let path = format!("{PROVIDER}/modelCapacities?modelFormat=OpenAI&modelName=gpt-4.1-mini&modelVersion=2025-04-14");
    let capacities = get(&client, &path).await;
    let of = |row: &Value| (row["location"].clone(), row["properties"]["availableCapacity"].clone());
    let capacities: Vec<_> = rows(&capacities).iter().map(of).collect();
    assert_eq!(
        capacities,
        [(json!("eastus2"), json!(50)), (json!("swedencentral"), json!(400)), (json!("westus3"), json!(0)),]
    );
    let bare = format!("{PROVIDER}/modelCapacities");
    get(&client, &bare).await.assert_refused(400, "MissingQueryParameter");
}

#[tokio::test]
async fn filters_and_features_are_listed() {
    let client = Client::new(Config::default());
    let filters = of_account(&client, "/raiPolicies").await;
    assert_eq!(
        rows(&filters).iter().map(|one| &one["name"]).collect::<Vec<_>>(),
        ["Microsoft.Default", "Microsoft.DefaultV2"]
    );
    let feature = "/providers/Microsoft.Features/providers/Microsoft.CognitiveServices/features/Fireworks.EnableDeploy";
    let answer = get_as(&client, feature, ("2021-07-01", "arm")).await;
    assert_eq!(answer.body["properties"]["state"], "Registered");
    get(&client, feature).await.assert_refused(400, "NoRegisteredProviderFound");
}

async fn chat(client: &Client, token: &str, body: &Value) -> Answer {
    let url = format!("{}/openai/v1/chat/completions", client.emulator.origin());
    Answer::of(client.http.request(Method::POST, url).bearer_auth(token).json(body)).await
}

#[tokio::test]
async fn a_deployment_responds_or_returns_the_reason() {
    let client = Client::new(Config::default());
    let of_model = |name: &str, model: &str, version: &str| json!({"name": name, "properties": {"model": {"name": model, "version": version}}});
    let seed = |deployment: Value| client.emulator.seed_deployment(&deployment).unwrap();
    seed(json!({"name": "good"}));
    seed(json!({"name": "paused", "properties": {"deploymentState": "Paused"}}));
    seed(json!({"name": "young", "properties": {"provisioningState": "Creating"}}));
    seed(of_model("old", "gpt-35-turbo", "0613"));
    seed(json!({"name": "embed", "properties": {"capabilities": {"chatCompletion": null}}}));
    let prompt = |model: &str| json!({"model": model, "messages": [{"role": "user", "content": "hello there"}]});
    let answer = chat(&client, "t", &prompt("good")).await;
    assert_eq!(answer.body["choices"][0]["message"]["content"], "You said: hello there");
    assert_eq!(answer.body["usage"], json!({"prompt_tokens": 2, "completion_tokens": 4, "total_tokens": 6}));
    for (name, status, code) in [
        ("paused", 423, "DeploymentPaused"),
        ("young", 404, "DeploymentNotFound"),
        ("none", 404, "DeploymentNotFound"),
        ("old", 410, "ModelRetired"),
        ("embed", 400, "OperationNotSupported"),
    ] {
        chat(&client, "t", &prompt(name)).await.assert_refused(status, code);
    }
    let mut body = prompt("good");
    body["max_tokens"] = 5.into();
    chat(&client, "t", &body).await.assert_refused(400, "InvalidRequestBody");
}

#[tokio::test]
async fn a_token_is_accepted_only_by_its_service() {
    let client = Client::new(Config::default());
    client.emulator.seed_deployment(&json!({"name": "good"})).unwrap();
    let prompt = json!({"model": "good", "messages": [{"role": "user", "content": "hi"}]});
    let (arm, project) = ("for:https://management.azure.com", "for:https://ai.azure.com/.default");
    let inference = "for:https://cognitiveservices.azure.com/.default";
    assert_eq!(chat(&client, inference, &prompt).await.status, 200);
    chat(&client, project, &prompt).await.assert_refused(401, "Unauthorized");
    let accounts = format!("{PROVIDER}/accounts");
    assert_eq!(get_as(&client, &accounts, ("2025-06-01", arm)).await.status, 200);
    let refused = get_as(&client, &accounts, ("2025-06-01", inference)).await;
    refused.assert_refused(401, "InvalidAuthenticationTokenAudience");
    let list = client.bare(Method::GET, "/models?api-version=2025-11-15-preview");
    Answer::of(list.bearer_auth(arm)).await.assert_refused(401, "Unauthorized");
}
