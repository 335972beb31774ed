//! `init` without prompts, from options or from the values of other extensions.
#![cfg(unix)]

use fake_azd_host::{FakeHost, Fault, HostState, refusal};
use foundry_emulator::{Arm, ArmTenant, Config, Fault as FoundryFault, FaultKind, Route};

use crate::init::{ID, SUBSCRIPTION, assert_nothing_created, azd_calls, host_state, init, stored, with};
use crate::support::{Terminal, TestEnv};

const OTHER: &str = "00000000-0000-0000-0000-000000000002";

fn tenant(id: &str, subscriptions: &[&str]) -> ArmTenant {
    let subscriptions = subscriptions.iter().map(|id| ((*id).to_owned(), format!("name of {id}"))).collect();
    ArmTenant { id: id.into(), token: None, subscriptions }
}

fn two_subscriptions() -> Config {
    Config { arm: Arm { tenants: vec![tenant("t1", &[SUBSCRIPTION, OTHER])], ..Arm::default() }, ..Config::default() }
}

fn two_projects() -> Config {
    Config { arm: Arm { more_projects: vec!["second".into()], ..Arm::default() }, ..Config::default() }
}

#[test]
fn only_project_is_used_without_a_prompt() {
    let mut env = with(Config::default());
    let output = init(&env, &["--no-prompt"]).success();
    assert!(output.stdout.contains("  Environment:     here-dev\n"), "{output}");
    assert!(output.stdout.contains("  Project:         demo\n"), "{output}");
    assert_eq!(stored(&env, "here-dev").lines().count(), 7);
    // A repeated run searches for nothing.
    let asked = env.emulator().requests().len();
    assert_eq!(init(&env, &["--no-prompt"]).success().stdout, output.stdout);
    assert_eq!(env.emulator().requests().len(), asked);
    // A pipeline has no terminal, and azd reports the project that it found.
    for (name, value) in [("CI", "true"), ("AZD_NO_PROMPT", "true")] {
        std::fs::remove_dir_all(env.work().join(".azure")).expect("removed");
        env.set(name, value);
        assert_eq!(init(&env, &[]).success().stdout, output.stdout, "{name}");
    }
}

#[test]
fn default_subscription_of_azd_is_used() {
    let env = with(two_subscriptions());
    let output = init(&env, &["--no-prompt"]).fails_with(2);
    insta::assert_snapshot!(env.clean(&output.stderr));
    assert_nothing_created(&env);
    std::fs::create_dir_all(env.home().join(".azd")).expect("a directory");
    let config = format!(r#"{{"defaults":{{"subscription":"{SUBSCRIPTION}"}}}}"#);
    std::fs::write(env.home().join(".azd/config.json"), config).expect("a file");
    init(&env, &["--no-prompt"]).success();
    assert!(stored(&env, "here-dev").contains("AZURE_PROJECT_NAME=demo\n"));
}

#[test]
fn users_subscription_takes_precedence_over_azds_default() {
    let mut env = with(two_subscriptions());
    env.set("AZURE_SUBSCRIPTION_ID", OTHER);
    let output = init(&env, &["--no-prompt"]).fails_with(3);
    assert!(output.stderr.contains("no Foundry project found in subscription"), "{output}");
    env.set("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION);
    init(&env, &["--no-prompt"]).success();
}

#[test]
fn none_of_several_projects_is_used() {
    let env = with(two_projects());
    let output = init(&env, &["--no-prompt"]).fails_with(2);
    insta::assert_snapshot!(env.clean(&output.stderr));
    assert_nothing_created(&env);
    init(&env, &["--no-prompt", "-p", &ID.replace("/demo", "/second")]).success();
}

/// azd under a coding agent refuses all prompts, whatever it announced to the program.
#[test]
fn refused_prompt_uses_its_default() {
    let refused = || Fault::Status(refusal(2, "prompt required"));
    let host_state =
        host_state().with_fault("Prompt.Prompt", refused()).with_fault("Prompt.PromptSubscription", refused());
    let host_state = host_state.with_fault("Prompt.PromptResourceGroup", refused());
    let host = FakeHost::start(host_state);
    let mut env = with(Config::default());
    env.run_by(&host);
    let ended = Terminal::start(&env, 100, &["init"]).finish();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    assert_eq!(host.host_state().environments["here-dev"].values["AZURE_PROJECT_NAME"], "demo");
}

#[test]
fn refused_prompt_without_a_default_names_the_options() {
    let refused = Fault::Status(refusal(2, "prompt required"));
    let host = FakeHost::start(host_state().with_fault("Prompt.PromptSubscription", refused));
    let mut env = with(two_subscriptions());
    env.run_by(&host);
    // The command needs a project, and prompts for one.
    let ended = Terminal::start(&env, 100, &["custom", "list"]).finish();
    assert_eq!(ended.code, 2, "{}", ended.screen);
    let report = host.reports().pop().expect("a report");
    assert_eq!(report.message, "no Foundry project endpoint is configured");
    assert!(report.suggestion.contains("--project-endpoint https://"), "{report:?}");
    let ended = Terminal::start(&env, 100, &["init", "-n", "dev"]).finish();
    assert_eq!(ended.code, 2, "{}", ended.screen);
    let report = host.reports().pop().expect("a report");
    assert!(report.suggestion.contains("--project-resource-id ID") && report.suggestion.contains("--subscription ID"));
    assert!(report.message.contains(&format!("({OTHER})")), "{report:?}");
}

#[test]
fn endpoint_alone_is_sufficient() {
    let arm = Arm { tenants: vec![tenant("t1", &[SUBSCRIPTION]), tenant("t2", &[OTHER])], ..Arm::default() };
    let env = with(Config { arm, ..Config::default() });
    let endpoint = env.emulator().endpoint();
    init(&env, &["-e", &endpoint]).success();
    let stored = stored(&env, "here-dev");
    for line in ["AZURE_ACCOUNT_NAME=emulator", "AZURE_RESOURCE_GROUP_NAME=rg-emulator", "AZURE_TENANT_ID=t1"] {
        assert!(stored.lines().any(|one| one == line), "{line}: {stored}");
    }
}

#[test]
fn endpoint_without_an_account_creates_nothing() {
    let env = with(two_subscriptions());
    let endpoint = env.emulator().endpoint().replace("/demo", "/other");
    let output = init(&env, &["-e", &endpoint]).fails_with(3);
    insta::assert_snapshot!(env.clean(&output.stderr));
    assert_nothing_created(&env);
}

#[test]
fn without_access_only_the_endpoint_is_stored() {
    let forbidden = FoundryFault::new(Route::Arm, FaultKind::refusal(403, "AuthorizationFailed", "no role"));
    let no_subscription = Arm { tenants: vec![tenant("t1", &[])], ..Arm::default() };
    for config in
        [Config { faults: vec![forbidden], ..Config::default() }, Config { arm: no_subscription, ..Config::default() }]
    {
        let env = with(config);
        let endpoint = env.emulator().endpoint();
        let output = init(&env, &["-e", &endpoint, "-o", "json"]).success();
        assert_eq!(output.json()["AZURE_ACCOUNT_NAME"], serde_json::Value::Null);
        assert_eq!(output.json()["AZURE_PROJECT_ENDPOINT"], "http://[EMULATOR]/api/projects/demo");
        insta::allow_duplicates! {
            insta::assert_snapshot!(env.clean(&stored(&env, "here-dev")));
        }
        assert!(output.stderr.contains("WARNING: You do not have access to the Foundry account"), "{output}");
        assert!(output.stderr.contains("works for everything except deployments"), "{output}");
        // Registered models need no other value.
        env.run(&["custom", "list"]).success();
    }
}

/// The account of another project would be used as the account of this endpoint.
#[test]
fn endpoint_alone_does_not_keep_the_account_of_another_project() {
    let arm = Arm { tenants: vec![tenant("t1", &[])], ..Arm::default() };
    let mut env = with(Config { arm, ..Config::default() });
    let values = [("AZURE_ACCOUNT_NAME", "old"), ("AZURE_SUBSCRIPTION_ID", "s-old"), ("AZURE_LOCATION", "westus")];
    let host = FakeHost::start(HostState::default().with_environment("dev", true, &values));
    env.run_by(&host);
    init(&env, &["-e", &env.emulator().endpoint()]).success();
    let dev = host.host_state().environments["dev"].values.clone();
    assert_eq!((&*dev["AZURE_ACCOUNT_NAME"], &*dev["AZURE_SUBSCRIPTION_ID"]), ("", "s-old"));
    assert_eq!((&*dev["AZURE_LOCATION"], &*dev["AZURE_PROJECT_NAME"]), ("westus", "demo"));
}

/// The values are those after `azd provision` with the Foundry provider.
#[test]
fn values_of_other_extensions_are_sufficient() {
    let mut env = with(two_subscriptions());
    let endpoint = env.emulator().endpoint();
    let values = [("AZURE_AI_PROJECT_ID", ID), ("FOUNDRY_PROJECT_ENDPOINT", endpoint.as_str())];
    let mut host_state = host_state().with_environment("dev", true, &values);
    host_state.project = Some(("demo".into(), "/demo".into()));
    let host = FakeHost::start(host_state);
    env.run_by(&host);
    // No `init` is needed.
    env.run(&["custom", "list"]).success();
    env.run(&["deployments", "list"]).success();
    assert!(!env.emulator().requests().iter().any(|one| one.path == "/subscriptions"), "searched");
    // `init` prompts for nothing, although it has a terminal.
    let ended = Terminal::start(&env, 100, &["init"]).finish();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    assert!(!host.methods().iter().any(|method| method.starts_with("Prompt.")), "{:?}", host.methods());
    let dev = host.host_state().environments["dev"].values.clone();
    assert_eq!((dev.len(), &*dev["AZURE_ACCOUNT_NAME"], &*dev["AZURE_PROJECT_ENDPOINT"]), (9, "emulator", &*endpoint));
    assert!(azd_calls(&env).is_empty());
}

#[test]
fn unsuitable_directory_is_reported_before_any_prompt() {
    let words = "failed to run workflow: error executing step command 'init --minimal': the folder is not empty";
    let mut env = with(Config::default());
    let host = FakeHost::start(host_state().with_fault("Workflow.Run", Fault::Status(refusal(13, words))));
    env.run_by(&host);
    let ended = Terminal::start(&env, 100, &["init"]).finish();
    assert_eq!(ended.code, 1, "{}", ended.screen);
    assert_eq!(host.reports().pop().expect("a report").message, "the folder is not empty");
    assert!(!host.methods().iter().any(|method| method.starts_with("Prompt.")), "{:?}", host.methods());
    assert!(env.emulator().requests().is_empty());
    // azd may not prompt here: the directory's name is not a valid project name.
    let words = "failed to run workflow: error executing step command 'init --minimal': prompt required";
    host.change(|host_state| drop(host_state.faults.insert("Workflow.Run".into(), Fault::Status(refusal(13, words)))));
    env.set("AZD_NO_PROMPT", "true");
    init(&env, &[]).fails_with(1);
    let report = host.reports().pop().expect("a report");
    assert_eq!(report.message, "`azd init --minimal` prompts for a value that has no default");
    assert_eq!(report.suggestion, "Run `azd init --minimal`, then run this command again.");
}

fn page(request: &str, status: &str, code: &str, message: &str) -> String {
    let ruler = "-".repeat(80);
    format!(
        "{request}\n{ruler}\nRESPONSE {status}\nERROR CODE: {code}\n{ruler}\n{{\n  \"error\": {{\n    \"code\": \"{code}\",\n    \"message\": \"{message}\"\n  }}\n}}\n{ruler}\n"
    )
}

#[test]
fn azure_error_page_of_azd_becomes_a_message() {
    let group =
        format!("GET https://management.azure.com/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-emulator/resources");
    let role = format!(
        "The client 'x' with object id 'y' does not have authorization to perform action 'Microsoft.Resources/subscriptions/resourceGroups/read' over scope '/subscriptions/{SUBSCRIPTION}' or the scope is invalid."
    );
    let mut outputs = String::new();
    for (method, text, code) in [
        (
            "Prompt.PromptSubscription",
            page(
                "listing subscriptions: GET https://management.azure.com/subscriptions",
                "403: 403 Forbidden",
                "AuthorizationFailed",
                &role,
            ),
            4,
        ),
        (
            "Prompt.PromptResourceGroup",
            page(
                &format!("GET https://management.azure.com/subscriptions/{SUBSCRIPTION}/resourcegroups"),
                "403: 403 Forbidden",
                "AuthorizationFailed",
                "no role",
            ),
            4,
        ),
        (
            "Prompt.PromptResourceGroupResource",
            page(
                &group,
                "404: 404 Not Found",
                "ResourceGroupNotFound",
                "Resource group 'rg-emulator' could not be found.",
            ),
            3,
        ),
        ("Prompt.PromptResourceGroupResource", page(&group, "503: 503 Service Unavailable", "ServerBusy", "busy"), 9),
        ("Prompt.PromptResourceGroupResource", "some other words".to_owned(), 1),
    ] {
        let mut env = with(Config::default());
        let host = FakeHost::start(host_state().with_fault(method, Fault::Status(refusal(2, &text))));
        env.run_by(&host);
        let ended = Terminal::start(&env, 100, &["init", "-n", "dev"]).finish();
        assert_eq!(ended.code, code, "{}", ended.screen);
        let report = host.reports().pop().expect("a report");
        outputs = format!("{outputs}{}\n> {}\n\n", report.message, report.suggestion);
        assert!(!ended.screen.contains("RESPONSE"), "{}", ended.screen);
    }
    insta::assert_snapshot!(masked(&outputs));
}

#[test]
fn debug_shows_the_error_page() {
    let text =
        page("GET https://management.azure.com/subscriptions", "403: 403 Forbidden", "AuthorizationFailed", "no");
    let host = FakeHost::start(host_state().with_fault("Prompt.PromptSubscription", Fault::Status(refusal(2, &text))));
    let mut env: TestEnv = with(Config::default());
    env.run_by(&host);
    let ended = Terminal::start(&env, 100, &["init", "-n", "dev", "--debug"]).finish();
    assert!(ended.screen.contains("RESPONSE 403: 403 Forbidden"), "{}", ended.screen);
}

/// Masks the subscription id.
fn masked(text: &str) -> String {
    text.replace(SUBSCRIPTION, "[SUBSCRIPTION]")
}
