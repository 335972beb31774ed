//! Checks of the endpoint, of the variables, and of the responses of the project.

use foundry_emulator::{Fault, FaultKind, Route};

use super::{check, doctor, failures, fixture, problems};

#[test]
fn missing_endpoint_fails_without_a_request() {
    let mut env = fixture();
    env.unset("AZURE_PROJECT_ENDPOINT");
    insta::assert_snapshot!(failures(&doctor(&env), "endpoint"), @"
    failed   endpoint    no Foundry project endpoint is configured  Fix: azure-ai-models init
    warning  dns         not checked: see endpoint
    warning  proxy       not checked: see endpoint
    warning  tls         not checked: see endpoint
    warning  clock       not checked: see tls
    warning  role        not checked: see endpoint
    warning  blob-store  not checked: see role
    ");
}

#[test]
fn invalid_endpoint_names_the_violated_rule() {
    let mut env = fixture();
    env.set("AZURE_PROJECT_ENDPOINT", "https://foundry.example.com/api/projects/demo");
    let check = check(&env, "endpoint");
    insta::assert_snapshot!(format!("{check:#}"), @r#"
    {
      "id": "endpoint",
      "status": "failed",
      "message": "the project endpoint in environment variable AZURE_PROJECT_ENDPOINT cannot be used: foundry.example.com is not a Foundry host",
      "fix": "Use the form https://ACCOUNT.services.ai.azure.com/api/projects/PROJECT. If you trust this host with your token, set AZURE_AI_MODELS_ALLOW_HOST=foundry.example.com."
    }
    "#);
}

#[test]
fn missing_project_fails() {
    let env = fixture();
    let endpoint = env.emulator().endpoint().replace("/demo", "/other");
    insta::assert_snapshot!(failures(&env.run(&["doctor", "-e", &endpoint]), "role"), @"
    failed   role        project not found: Project 'other' was not found. (ProjectNotFound)  Fix: azure-ai-models init --force --project-endpoint http://[EMULATOR]/api/projects/other
    warning  blob-store  not checked: see role
    ");
}

#[test]
fn failing_service_receives_one_request() {
    let env = fixture();
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::status(500)));
    insta::assert_snapshot!(failures(&doctor(&env), "role"), @"
    failed   role        Foundry refused: The emulator was told to fail. (InjectedFault)  Fix: azure-ai-models custom list --debug
    warning  blob-store  not checked: see role
    ");
    assert_eq!(env.emulator().requests().len(), 2);
}

#[test]
fn ignored_variable_is_named() {
    let mut env = fixture();
    env.write("azure.yaml", "name: demo\n");
    env.write(".azure/config.json", r#"{"version":1,"defaultEnvironment":"dev"}"#);
    env.write(".azure/dev/.env", "AZURE_AI_MODELS_SCOPE=\"https://evil/.default\"\n");
    env.set("AZURE_AI_MODELS_SCOPE", "https://evil/.default");
    let endpoint = env.emulator().endpoint();
    insta::assert_snapshot!(problems(&env.run(&["doctor", "-e", &endpoint])), @"warning  variables   AZURE_AI_MODELS_SCOPE is ignored: it is set by the azd environment 'dev', but only accepted from your own environment  Fix: Set it in your own environment, and remove it from the azd environment.");
}
