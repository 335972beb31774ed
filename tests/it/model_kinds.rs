//! Each kind of model in the output of each command, in both formats.

use foundry_emulator::Config;
use serde_json::{Value, json};

use crate::support::{TestEnv, for_each_api_version};

for_each_api_version!(
    tables_of_all_kinds,
    each_kind_on_its_page_and_as_json,
    models_that_are_not_ready_are_not_deployed
);

/// One model of each kind, and all of them as versions of one model. The base model is in the field of either API
/// version.
fn kinds() -> Vec<(&'static str, Value)> {
    vec![
        (
            "full-weight",
            json!({
                "description": "Tuned on our tickets", "tags": {"team": "support", "baseArchitecture": "FW-X"},
                "derivedModelInformation": {"baseModel": "azureml://registries/azureml-fireworks/models/FW-X/versions/1"},
                "catalogInfo": {"publisherId": "contoso", "license": "MIT"},
            }),
        ),
        (
            "lora",
            json!({
                "weightType": "LoRA", "baseModel": "azureml://registries/azureml-fireworks/models/FW-X/versions/1",
                "loraConfig": {"rank": 16, "alpha": 32, "targetModules": ["q_proj", "v_proj"], "dropout": 0.05},
                "source": {"sourceType": "TrainingJob", "jobId": "job-7"},
            }),
        ),
        (
            "draft",
            json!({
                "weightType": "DraftModel",
                "source": {"sourceType": "HuggingFace", "huggingFaceRepoId": "contoso/draft", "revision": "main"},
            }),
        ),
        (
            "failed",
            json!({
                "provisioningState": "Failed", "systemData": {"lastModifiedAt": null}, "artifactProfile": null,
                "error": {"code": "UnsupportedWeightFormat", "message": "The weights are not safetensors."},
            }),
        ),
        (
            "in-progress",
            json!({"provisioningState": null, "properties": {"state": "Validating"}, "artifactProfile": null}),
        ),
        (
            "warned",
            json!({
                "artifactProfile": {"category": "RuntimeDependent", "signals": ["PickleDeserialization", "CustomPythonCode"]},
                "warnings": [
                    {"code": "RuntimeDependentArtifact", "message": "The model runs code of its own."},
                    {"message": "A warning without a code."},
                ],
            }),
        ),
    ]
}

fn env(api: &str) -> TestEnv {
    let env = TestEnv::with_api(api, Config::default());
    for (number, (name, fields)) in kinds().into_iter().enumerate() {
        for (name, version) in [(name, "1".to_owned()), ("all-kinds", (number + 8).to_string())] {
            let mut model = fields.clone();
            model["name"] = name.into();
            model["version"] = version.into();
            env.emulator().seed(&model).expect("seeded");
        }
    }
    env
}

fn tables_of_all_kinds(api: &str) {
    let env = env(api);
    insta::assert_snapshot!("kinds_list", env.run(&["list"]));
    insta::assert_snapshot!("kinds_list_json", env.run(&["list", "-o", "json"]));
    insta::assert_snapshot!("kinds_versions", env.run(&["versions", "--name", "all-kinds"]));
    insta::assert_snapshot!("kinds_versions_json", env.run(&["versions", "--name", "all-kinds", "-o", "json"]));
}

fn each_kind_on_its_page_and_as_json(api: &str) {
    let env = env(api);
    for (name, _) in kinds() {
        insta::assert_snapshot!(format!("kind_{name}"), env.run(&["show", "--name", name]));
        insta::assert_snapshot!(format!("kind_{name}_json"), env.run(&["show", "--name", name, "-o", "json"]));
    }
}

fn models_that_are_not_ready_are_not_deployed(api: &str) {
    let env = env(api);
    for (name, _) in kinds() {
        let page = env.run(&["show", "--name", name]).success().stdout;
        let ready = !["failed", "in-progress"].contains(&name);
        assert_eq!(page.contains("custom deployments create"), ready, "{page}");
        assert_eq!(page.contains("custom wait --name in-progress --version 1"), name == "in-progress", "{page}");
    }
}
