//! `init`, and the project prompt of the other commands: output, requests to azd and Azure, stored values.
#![cfg(unix)]

use std::fs;

use fake_azd_host::proto::{ResourceExtended, ResourceGroup, Subscription};
use fake_azd_host::{FakeHost, Fault, HostState, refusal};
use foundry_emulator::{Arm, ArmTenant, Config, Fault as FoundryFault, FaultKind, NextLinkForm, Route};

use crate::support::{Output, Terminal, TestEnv};

pub(crate) const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";
pub(crate) const ID: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-emulator/providers/Microsoft.CognitiveServices/accounts/emulator/projects/demo";

/// An `azd` that keeps a project and its environments as azd does, and notes how it was called.
pub(crate) const AZD: &str = r#"
/bin/echo "$*" >> "$AZD_LOG"
default() { [ -f .azure/config.json ] && /bin/sed 's/.*defaultEnvironment":"\([^"]*\)".*/\1/' .azure/config.json; }
select_it() { echo "{\"version\":1,\"defaultEnvironment\":\"$1\"}" > .azure/config.json; }
named() { while [ $# -gt 0 ]; do [ "$1" = -e ] && echo "$2"; shift; done; }
case "$1 $2" in
"version -o") echo '{"azd":{"version":"1.32.0"}}' ;;
"init --minimal") echo "name: here" > azure.yaml; echo "azd made a project" ;;
"env new") /bin/mkdir -p ".azure/$3"; : > ".azure/$3/.env"; select_it "$3"; echo "azd made $3" ;;
"env select") select_it "$3" ;;
"env list")
  comma=; echo "["
  for one in .azure/*/; do [ -d "$one" ] || continue; name=${one#.azure/}; name=${name%/}
    is=false; [ "$name" = "$(default)" ] && is=true
    echo "$comma{\"Name\":\"$name\",\"DotEnvPath\":\"\",\"HasLocal\":true,\"HasRemote\":false,\"IsDefault\":$is}"; comma=,
  done; echo "]" ;;
"env set") for pair in "$@"; do case "$pair" in *=*) echo "$pair" >> ".azure/$(named "$@")/.env" ;; esac; done ;;
"env get-values")
  comma=; echo "{"
  while IFS='=' read -r key value; do echo "$comma\"$key\":\"$value\""; comma=,; done < ".azure/$(named "$@")/.env"
  echo "}" ;;
"auth token") case "$*" in *"--tenant-id guest"*) token=of-the-guest ;; *) token=of-home ;; esac
  echo "{\"token\":\"$token\",\"expiresOn\":\"2038-01-18T00:00:00Z\"}" ;;
*) echo "unknown: $*" >&2; exit 1 ;;
esac
"#;

fn env() -> TestEnv {
    with(Config::default())
}

/// A world whose Azure is the emulator, with no project named anywhere.
pub(crate) fn with(config: Config) -> TestEnv {
    let mut env = TestEnv::with(config);
    let origin = env.emulator().origin();
    env.program("azd", AZD);
    let log = env.root().join("azd.log").to_string_lossy().into_owned();
    env.unset("AZURE_PROJECT_ENDPOINT").set("AZURE_AI_MODELS_ARM_ENDPOINT", &origin).set("AZD_LOG", &log);
    env
}

pub(crate) fn azd_calls(env: &TestEnv) -> Vec<String> {
    let log = fs::read_to_string(env.root().join("azd.log")).unwrap_or_default();
    log.lines().map(str::to_owned).collect()
}

/// Values that azd stored for the environment, sorted.
pub(crate) fn stored(env: &TestEnv, environment: &str) -> String {
    let text = fs::read_to_string(env.work().join(".azure").join(environment).join(".env")).unwrap_or_default();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    env.clean(&lines.join("\n"))
}

pub(crate) fn nothing_was_made(env: &TestEnv) {
    assert!(!env.work().join("azure.yaml").exists() && !env.work().join(".azure").exists());
    let made = azd_calls(env).into_iter().filter(|call| !call.starts_with("version") && !call.starts_with("auth"));
    assert_eq!(made.collect::<Vec<_>>(), Vec::<String>::new());
}

pub(crate) fn init(env: &TestEnv, more: &[&str]) -> Output {
    env.run(&[&["init"], more].concat())
}

#[test]
fn an_id_makes_project_environment_and_all_seven_values() {
    let env = env();
    insta::assert_snapshot!(init(&env, &["-p", &format!(" {ID}/ "), "-n", "dev"]));
    insta::assert_snapshot!(stored(&env, "dev"));
    let calls = azd_calls(&env);
    let own: Vec<&str> = calls.iter().map(|call| call.split(" AZURE_").next().unwrap_or(call)).collect();
    assert_eq!(
        own,
        [
            "version -o json",
            "init --minimal --no-prompt",
            "env list -o json --no-prompt",
            &format!("env new dev --subscription {SUBSCRIPTION} --location eastus2 --no-prompt"),
            "env list -o json --no-prompt",
            "env set -e dev --no-prompt",
        ]
    );
    // The commands of the page find the project.
    assert_eq!(env.run(&["custom", "list", "-o", "json"]).success().stdout, "[]\n");
}

#[test]
fn a_second_run_asks_nothing() {
    let env = env();
    let first = init(&env, &["-p", ID, "-n", "dev"]).success();
    let asked = env.emulator().requests().len();
    for again in [&[][..], &["-p", ID], &["-n", "dev"], &["-s", SUBSCRIPTION], &["-e", &env.emulator().endpoint()]] {
        let output = init(&env, &[again, &["--no-prompt"]].concat()).success();
        assert_eq!(output.stdout, first.stdout, "{again:?}");
        assert_eq!(output.stderr, "", "{again:?}");
    }
    assert_eq!(env.emulator().requests().len(), asked, "ARM was asked again");
    assert_eq!(azd_calls(&env).iter().filter(|call| call.starts_with("env set")).count(), 1);
}

#[test]
fn options_that_say_something_else_change_the_project() {
    let arm = Arm { more_projects: vec!["second".into()], ..Arm::default() };
    let env = with(Config { arm, ..Config::default() });
    init(&env, &["-p", ID, "-n", "dev"]).success();
    let output = init(&env, &["-p", &ID.replace("/demo", "/second")]).success();
    assert!(output.stdout.contains("/api/projects/second\n"), "{output}");
    let last = stored(&env, "dev").lines().filter(|line| line.starts_with("AZURE_PROJECT_NAME=")).count();
    assert_eq!(last, 2, "stored again");
    // Another subscription does not have it, and the stored values stay.
    let before = stored(&env, "dev");
    init(&env, &["-s", "00000000-0000-0000-0000-000000000009", "--no-prompt"]).fails_with(3);
    assert_eq!(stored(&env, "dev"), before);
}

/// As if set manually.
#[test]
fn a_part_of_the_values_is_completed_without_a_question() {
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
fn json_has_one_flat_object() {
    let env = env();
    let output = init(&env, &["-p", ID, "-n", "dev", "-o", "json"]).success();
    insta::assert_snapshot!(env.clean(&output.stdout), @r#"
    {
      "AZURE_TENANT_ID": "[UUID]",
      "AZURE_SUBSCRIPTION_ID": "[UUID]",
      "AZURE_RESOURCE_GROUP_NAME": "rg-emulator",
      "AZURE_ACCOUNT_NAME": "emulator",
      "AZURE_PROJECT_NAME": "demo",
      "AZURE_LOCATION": "eastus2",
      "AZURE_PROJECT_ENDPOINT": "http://[EMULATOR]/api/projects/demo",
      "environment": "dev"
    }
    "#);
}

#[test]
fn an_endpoint_leads_to_its_account_and_stays_as_it_was_given() {
    let arm = Arm { subdomain: Some("another-label".into()), ..Arm::default() };
    let env = with(Config { arm, ..Config::default() });
    let endpoint = format!("{}/", env.emulator().endpoint());
    init(&env, &["-e", &endpoint, "-s", SUBSCRIPTION, "-n", "dev"]).success();
    let stored = stored(&env, "dev");
    assert!(stored.contains("AZURE_ACCOUNT_NAME=emulator\n"), "{stored}");
    assert!(stored.contains("AZURE_PROJECT_ENDPOINT=http://[EMULATOR]/api/projects/demo\n"), "{stored}");
}

#[test]
fn a_missing_project_leaves_no_trace() {
    let env = env();
    let endpoint = env.emulator().endpoint();
    let wrong = endpoint.replace("/demo", "/other");
    for args in [
        &["-p", &ID.replace("/demo", "/other"), "-n", "dev"][..],
        &["-p", &ID.replace("/emulator/", "/other/"), "-n", "dev"],
        &["-p", &ID.replace("0001", "0002"), "-n", "dev"],
        &["-e", &wrong, "-s", SUBSCRIPTION, "-n", "dev"],
        &["-e", &endpoint, "-s", "00000000-0000-0000-0000-000000000009", "-n", "dev"],
    ] {
        let output = init(&env, args).fails_with(3);
        assert!(output.stderr.contains("Suggestion: "), "{output}");
        nothing_was_made(&env);
    }
}

#[test]
fn options_are_checked_before_anything_is_asked() {
    let env = env();
    let mut told = String::new();
    for args in [
        &["-p", "demo"][..],
        &["-p", ID, "-s", "00000000-0000-0000-0000-000000000009"],
        &["-p", ID, "-e", "https://a.services.ai.azure.com/api/projects/other"],
        &["-e", "http://a.services.ai.azure.com/api/projects/demo"],
        &["-n", "a/b"],
        &["-n", "dev", "--environment", "prod"],
    ] {
        let output = init(&env, args).fails_with(2);
        told = format!("{told}{}\n", output.stderr);
    }
    insta::assert_snapshot!(told);
    assert!(env.emulator().requests().is_empty() && azd_calls(&env).is_empty());
}

#[test]
fn without_azd_there_is_a_clear_error() {
    let env = env();
    fs::remove_file(env.bin().join("azd")).expect("removed");
    insta::assert_snapshot!(init(&env, &["-p", ID, "-n", "dev"]), @"
    ------- stderr -------
    ERROR: azd was not found

    Suggestion: Install azd: https://aka.ms/azd-install
    [exit code: 1]
    ");
    assert!(env.emulator().requests().is_empty());
}

#[test]
fn a_guest_is_found_in_the_tenant_that_invited_him() {
    let tenant = |id: &str, token: &str, subscription: &str| ArmTenant {
        id: id.into(),
        token: Some(token.into()),
        subscriptions: vec![(subscription.into(), format!("name of {subscription}"))],
    };
    let tenants = vec![tenant("guest", "of-the-guest", "s-guest"), tenant("home", "of-home", "s-home")];
    let mut env = with(Config { arm: Arm { tenants, ..Arm::default() }, ..Config::default() });
    env.unset("AZURE_AI_MODELS_CREDENTIAL");
    let id = ID.replace(SUBSCRIPTION, "s-guest");
    init(&env, &["-p", &id, "-n", "dev"]).success();
    let stored = stored(&env, "dev");
    assert!(stored.ends_with("AZURE_TENANT_ID=guest"), "{stored}");
    // The next command asks for a token of that tenant, for an endpoint on this machine that the user trusts.
    env.set("AZURE_AI_MODELS_ALLOW_HOST", "127.0.0.1");
    env.run(&["custom", "list"]).success();
    let last = azd_calls(&env).into_iter().rfind(|call| call.starts_with("auth token")).expect("a token");
    assert!(last.contains("https://ai.azure.com/.default") && last.contains("--tenant-id guest"), "{last}");
}

#[test]
fn refusals_of_the_control_plane_have_their_words() {
    let mut told = String::new();
    for (status, code) in [(401, 4), (403, 4), (400, 1), (503, 9)] {
        let fault = FoundryFault::new(Route::Arm, FaultKind::refusal(status, "TheCode", "the words of ARM"));
        let env = with(Config { faults: vec![fault], ..Config::default() });
        let output = init(&env, &["-p", ID, "-n", "dev"]).fails_with(code);
        let lines = output.stderr.lines().filter(|line| !line.starts_with("Request id"));
        told = format!("{told}{}\n", lines.collect::<Vec<_>>().join("\n"));
        nothing_was_made(&env);
    }
    insta::assert_snapshot!(told);
}

pub(crate) fn host_state() -> HostState {
    let subscription = Subscription {
        id: SUBSCRIPTION.into(),
        name: "Emulated".into(),
        tenant_id: "owner".into(),
        user_tenant_id: "mine".into(),
        is_default: true,
    };
    HostState {
        subscriptions: vec![subscription],
        resource_group: Some(ResourceGroup { id: "g".into(), name: "rg-emulator".into(), location: "eastus2".into() }),
        resource: Some(ResourceExtended {
            id: ID.into(),
            name: "emulator/demo".into(),
            r#type: "Microsoft.CognitiveServices/accounts/projects".into(),
            location: "eastus2".into(),
            kind: String::new(),
        }),
        ..HostState::without_project()
    }
}

#[test]
fn in_azd_everything_goes_through_azd() {
    let mut env = env();
    let host = FakeHost::start(host_state());
    env.run_by(&host).set("AZD_NO_PROMPT", "true");
    insta::assert_snapshot!(init(&env, &["-p", ID, "-n", "dev"]));
    let dev = host.host_state().environments["dev"].clone();
    assert_eq!(dev.values["AZURE_TENANT_ID"], "mine", "the tenant that the person comes through");
    assert_eq!(dev.values.len(), 7);
    assert!(azd_calls(&env).is_empty(), "no second azd");
    let run: Vec<_> = host.calls().into_iter().filter(|call| call.method == "Workflow.Run").collect();
    assert_eq!(run.len(), 2);
    assert!(run[0].message.contains(r#"["init", "--minimal"]"#), "{run:?}");
    assert!(run[1].message.contains(r#"["env", "new", "dev", "--subscription""#), "{run:?}");
}

/// On a pipe azd would take the answers to its own questions from what is meant for something else.
#[test]
fn without_a_terminal_azd_is_not_let_ask() {
    let mut env = env();
    let host = FakeHost::start(HostState { subscriptions: host_state().subscriptions, ..HostState::default() });
    env.run_by(&host);
    // The environment is made by a process of azd's own, which this host knows nothing of.
    init(&env, &["-p", ID, "-n", "dev"]).fails_with(1);
    assert!(azd_calls(&env).iter().any(|call| call.starts_with("env new dev") && call.ends_with("--no-prompt")));
    assert!(!host.methods().iter().any(|method| method == "Workflow.Run"));
}

#[test]
fn in_azd_its_questions_lead_to_the_project() {
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
    // Repeated: with all values nothing is asked, with --force everything.
    let before = host.calls().len();
    assert_eq!(Terminal::start(&env, 100, &["init"]).finish().code, 0);
    assert!(!host.methods()[before..].iter().any(|method| method.starts_with("Prompt.")));
    assert_eq!(Terminal::start(&env, 100, &["init", "--force"]).finish().code, 0);
    assert_eq!(host.methods().iter().filter(|method| *method == "Prompt.PromptResourceGroupResource").count(), 2);
}

#[test]
fn in_azd_json_asks_nothing_and_keeps_azd_from_standard_output() {
    let mut env = env();
    let host = FakeHost::start(HostState::default());
    env.run_by(&host);
    host.change(|host_state| host_state.subscriptions = self::host_state().subscriptions);
    // The environment is made by a process of azd's own, whose output goes to standard error.
    let output = init(&env, &["-n", "dev", "-o", "json"]);
    assert!(azd_calls(&env).iter().any(|call| call.starts_with("env new dev")), "{output}");
    assert!(!host.methods().iter().any(|method| method == "Workflow.Run" || method.starts_with("Prompt.")));
    assert!(output.stderr.contains("azd made dev"), "{output}");
}

#[test]
fn a_hiccup_of_azd_makes_nothing() {
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
fn a_value_that_cannot_be_saved_is_named() {
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

/// Without azd's server the lists are this program's own.
#[test]
fn a_command_without_a_project_asks_for_one() {
    let arm = Arm { more_projects: vec!["second".into()], ..Arm::default() };
    let env = with(Config { arm, ..Config::default() });
    env.emulator().seed(&serde_json::json!({"name": "my-model", "version": "1"})).expect("seeded");
    let mut terminal = Terminal::start(&env, 100, &["custom", "list"]);
    terminal.wait_for("Select an Azure subscription");
    terminal.type_text("\r");
    terminal.wait_for("Select a resource group");
    terminal.type_text("\r");
    terminal.wait_for("Select a Foundry project");
    terminal.type_text("demo\r");
    let ended = terminal.finish();
    assert_eq!((ended.code, ended.cursor_hidden), (0, false), "{}", ended.screen);
    assert!(ended.screen.contains("my-model"), "{}", ended.screen);
    assert!(ended.screen.contains("Tip: to keep this choice in an azd environment, run: azure-ai-models init"));
    nothing_was_made(&env);
}

#[test]
fn ctrl_c_leaves_a_list_and_the_terminal_as_it_was() {
    let env = env();
    let mut terminal = Terminal::start(&env, 100, &["custom", "list"]);
    terminal.wait_for("Select an Azure subscription");
    terminal.type_text("\u{3}");
    let ended = terminal.finish();
    assert_eq!((ended.code, ended.cursor_hidden), (130, false), "{}", ended.screen);
    assert!(ended.screen.contains("ERROR: Interrupted."), "{}", ended.screen);
}

/// The release build aborts, so that nothing else gives the terminal back.
#[test]
fn a_panic_in_a_question_gives_the_terminal_back() {
    let mut env = env();
    let file = env.work().join("panic");
    env.set("AZURE_AI_MODELS_TEST_PANIC", &file.to_string_lossy());
    let line = format!("{} custom list; command -p stty -a", env!("CARGO_BIN_EXE_azure-ai-models"));
    let terminal = Terminal::start_program(&env, 100, "/bin/sh", &["-c", &line]);
    terminal.wait_for("Select an Azure subscription");
    fs::write(file, "").expect("written");
    let ended = terminal.finish();
    assert!(!ended.cursor_hidden, "{}", ended.screen);
    let settings: Vec<&str> = ended.screen.split([' ', '\n', ';']).collect();
    for setting in ["echo", "icanon", "isig"] {
        assert!(settings.contains(&setting), "{setting}: {}", ended.screen);
    }
    assert!(ended.screen.contains("To report it, open an issue in its repository"), "{}", ended.screen);
}

#[test]
fn a_signal_in_a_question_gives_the_terminal_back() {
    let env = env();
    let terminal = Terminal::start(&env, 100, &["custom", "list"]);
    terminal.wait_for("Select an Azure subscription");
    terminal.signal(rustix::process::Signal::TERM);
    let ended = terminal.finish();
    assert_eq!((ended.code, ended.cursor_hidden), (130, false), "{}", ended.screen);
}

#[test]
fn under_no_prompt_the_other_commands_name_the_options() {
    let env = env();
    let output = env.run(&["custom", "list"]).fails_with(2);
    assert!(output.stderr.contains("--project-endpoint https://"), "{output}");
    assert!(env.emulator().requests().is_empty());
}

#[test]
fn a_repository_cannot_choose_where_management_tokens_go() {
    let mut env = env();
    let origin = env.emulator().origin();
    env.write("azure.yaml", "name: x");
    env.write(".azure/config.json", r#"{"version":1,"defaultEnvironment":"dev"}"#);
    env.write(".azure/dev/.env", format!("AZURE_AI_MODELS_ARM_ENDPOINT={origin}\n"));
    env.set("HTTPS_PROXY", "http://127.0.0.1:9");
    let output = init(&env, &["-p", ID]);
    assert!(output.stderr.contains("AZURE_AI_MODELS_ARM_ENDPOINT is ignored"), "{output}");
    assert!(env.emulator().requests().is_empty());
}

/// The next page is asked for with the token of the control plane.
#[test]
fn a_next_page_at_another_host_gets_no_token() {
    let thief = TestEnv::new();
    let elsewhere = thief.emulator().origin();
    let arm = Arm { in_pages: true, ..Arm::default() };
    let env = |next_link| with(Config { arm: arm.clone(), next_link, ..Config::default() });
    let foreign = NextLinkForm::Foreign(elsewhere.parse().expect("a URL"));
    let nothing_went_there = || assert_eq!(thief.emulator().requests(), [], "the token went to another host");
    for (next_link, code) in [(NextLinkForm::Absolute, 0), (NextLinkForm::Loop, 9), (foreign.clone(), 9)] {
        let env = env(next_link);
        let endpoint = env.emulator().endpoint();
        let output = init(&env, &["-e", &endpoint, "-s", SUBSCRIPTION, "-n", "dev", "-o", "json"]);
        nothing_went_there();
        let output = output.fails_with(code);
        if code != 0 {
            let error = output.json_error();
            assert_eq!((&error["kind"], &error["code"]), (&"service".into(), &"bad_answer".into()), "{error}");
            nothing_was_made(&env);
        }
    }
    // The list of subscriptions, which only a terminal needs.
    let env = env(foreign);
    let ended = Terminal::start(&env, 100, &["custom", "list"]).finish();
    nothing_went_there();
    assert_eq!(ended.code, 9, "{}", ended.screen);
    assert!(
        ended.screen.contains("the list from Azure Resource Manager continues on another host"),
        "{}",
        ended.screen
    );
}
