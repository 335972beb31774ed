//! `init` started by azd: azd's server creates, prompts and stores.

use fake_azd_host::{FakeHost, Fault, HostState, refusal};

use super::{ID, SUBSCRIPTION, azd_calls, env, host_state, init};
use crate::support::Terminal;

/// The existing values are as if set by hand.
#[test]
fn partial_values_are_completed_without_a_prompt() {
    let mut env = env();
    let endpoint = env.emulator().endpoint();
    let values = [("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION), ("AZURE_PROJECT_ENDPOINT", endpoint.as_str())];
    let mut host_state = host_state();
    host_state.project = Some(("demo".into(), "/demo".into()));
    let host = FakeHost::start(host_state.with_environment("dev", true, &values));
    env.run_by(&host);
    init(&env, &["--no-prompt"]).success();
    let dev = host.host_state().environments["dev"].clone();
    assert_eq!((dev.values.len(), dev.values["AZURE_ACCOUNT_NAME"].as_str()), (7, "emulator"));
}

#[test]
fn under_azd_all_changes_are_made_by_azd() {
    let mut env = env();
    let host = FakeHost::start(host_state());
    env.run_by(&host).set("AZD_NO_PROMPT", "true");
    insta::assert_snapshot!(init(&env, &["-p", ID, "-n", "dev"]));
    let dev = host.host_state().environments["dev"].clone();
    assert_eq!(dev.values["AZURE_TENANT_ID"], "mine", "the tenant of the user");
    assert_eq!(dev.values.len(), 7);
    assert!(azd_calls(&env).is_empty(), "no second azd");
    let run: Vec<_> = host.calls().into_iter().filter(|call| call.method == "Workflow.Run").collect();
    assert_eq!(run.len(), 2);
    assert!(run[0].message.contains(r#"["init", "--minimal"]"#), "{run:?}");
    assert!(run[1].message.contains(r#"["env", "new", "dev", "--subscription""#), "{run:?}");
}

/// On a pipe, azd would read the answers to its own prompts from input that is meant for something else.
#[test]
fn azd_cannot_prompt_without_a_terminal() {
    let mut env = env();
    let host = FakeHost::start(HostState { subscriptions: host_state().subscriptions, ..HostState::default() });
    env.run_by(&host);
    // A separate azd process creates the environment, which this host does not see.
    init(&env, &["-p", ID, "-n", "dev"]).fails_with(1);
    assert!(azd_calls(&env).iter().any(|call| call.starts_with("env new dev") && call.ends_with("--no-prompt")));
    assert!(!host.methods().iter().any(|method| method == "Workflow.Run"));
}

#[test]
fn under_azd_its_prompts_select_the_project() {
    let mut env = env();
    let host = FakeHost::start(HostState { texts: ["dev".to_owned()].into(), ..host_state() });
    env.run_by(&host);
    let ended = Terminal::start(&env, 100, &["init"]).finish();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    let asked: Vec<String> = host.methods().into_iter().filter(|method| method.starts_with("Prompt.")).collect();
    assert_eq!(
        asked,
        [
            "Prompt.Prompt",
            "Prompt.PromptSubscription",
            "Prompt.PromptResourceGroup",
            "Prompt.PromptResourceGroupResource"
        ]
    );
    assert_eq!(host.host_state().environments["dev"].values["AZURE_PROJECT_NAME"], "demo");
    // A repeated run has all values and does not prompt; with --force it prompts again.
    let before = host.calls().len();
    assert_eq!(Terminal::start(&env, 100, &["init"]).finish().code, 0);
    assert!(!host.methods()[before..].iter().any(|method| method.starts_with("Prompt.")));
    assert_eq!(Terminal::start(&env, 100, &["init", "--force"]).finish().code, 0);
    assert_eq!(host.methods().iter().filter(|method| *method == "Prompt.PromptResourceGroupResource").count(), 2);
}

#[test]
fn under_azd_json_does_not_prompt_and_keeps_stdout_clean() {
    let mut env = env();
    let host = FakeHost::start(HostState::default());
    env.run_by(&host);
    host.change(|host_state| host_state.subscriptions = self::host_state().subscriptions);
    // A separate azd process creates the environment; its output goes to standard error.
    let output = init(&env, &["-n", "dev", "-o", "json"]);
    assert!(azd_calls(&env).iter().any(|call| call.starts_with("env new dev")), "{output}");
    assert!(!host.methods().iter().any(|method| method == "Workflow.Run" || method.starts_with("Prompt.")));
    assert!(output.stderr.contains("azd made dev"), "{output}");
}

#[test]
fn azd_failure_creates_nothing() {
    for method in ["Project.Get", "Environment.List", "Environment.GetValues"] {
        let mut env = env();
        let host_state = HostState::default().with_environment("dev", true, &[]);
        let host = FakeHost::start(host_state.with_fault(method, Fault::Status(refusal(14, "no connection"))));
        env.run_by(&host);
        init(&env, &["-p", ID]).fails_with(9);
        assert!(!host.methods().iter().any(|one| one == "Workflow.Run" || one == "Environment.SetValue"), "{method}");
        assert!(env.emulator().requests().is_empty());
    }
}

#[test]
fn value_that_cannot_be_saved_is_named() {
    let mut env = env();
    let full = Fault::StatusAfter(2, refusal(2, "disk full"));
    let host = FakeHost::start(host_state().with_fault("Environment.SetValue", full));
    env.run_by(&host).set("AZD_NO_PROMPT", "true");
    let output = init(&env, &["-p", ID, "-n", "dev"]).fails_with(1);
    let report = host.reports().pop().expect("a report");
    assert_eq!(
        report.message,
        "AZURE_RESOURCE_GROUP_NAME could not be saved in the azd environment 'dev': azd refused: disk full\n\
         Saved: AZURE_TENANT_ID, AZURE_SUBSCRIPTION_ID.",
        "{output}"
    );
    host.change(|host_state| host_state.faults.clear());
    init(&env, &["-p", ID, "-n", "dev"]).success();
    assert_eq!(host.host_state().environments["dev"].values.len(), 7);
}

#[test]
fn next_commands_name_an_environment_that_is_not_the_default() {
    let mut env = env();
    let mut host_state = host_state();
    host_state.project = Some(("demo".into(), "/demo".into()));
    let host = FakeHost::start(host_state.with_environment("prod", true, &[]).with_environment("dev", false, &[]));
    env.run_by(&host);
    let output = init(&env, &["-p", ID, "-n", "dev"]).success();
    assert!(output.stdout.contains("\n  azd ai models custom list -e dev\n"), "{output}");
    assert!(host.host_state().environments["prod"].values.is_empty());
}
