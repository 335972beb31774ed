//! `init`, and the project prompt of the other commands: output, requests to azd and Azure, stored values.
#![cfg(unix)]

mod azd;
mod prompt;
mod refused;
mod tokens;

use std::fs;

use fake_azd_host::HostState;
use fake_azd_host::proto::{ResourceExtended, ResourceGroup, Subscription};
use foundry_emulator::{Arm, Config};

use crate::support::{Output, TestEnv};

pub(crate) const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";
pub(crate) const ID: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-emulator/providers/Microsoft.CognitiveServices/accounts/emulator/projects/demo";

/// An `azd` that keeps a project and its environments as azd does, and records its calls.
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

/// Environment with the emulator as Azure, in which no project is configured.
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

/// Values that azd stored in the environment, sorted.
pub(crate) fn stored(env: &TestEnv, environment: &str) -> String {
    let text = fs::read_to_string(env.work().join(".azure").join(environment).join(".env")).unwrap_or_default();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    env.clean(&lines.join("\n"))
}

pub(crate) fn assert_nothing_created(env: &TestEnv) {
    assert!(!env.work().join("azure.yaml").exists() && !env.work().join(".azure").exists());
    let made = azd_calls(env).into_iter().filter(|call| !call.starts_with("version") && !call.starts_with("auth"));
    assert_eq!(made.collect::<Vec<_>>(), Vec::<String>::new());
}

pub(crate) fn init(env: &TestEnv, more: &[&str]) -> Output {
    env.run(&[&["init"], more].concat())
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
fn resource_id_creates_project_environment_and_all_seven_values() {
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
    // The commands on the page find the project.
    assert_eq!(env.run(&["custom", "list", "-o", "json"]).success().stdout, "[]\n");
}

#[test]
fn second_run_does_not_prompt() {
    let env = env();
    let first = init(&env, &["-p", ID, "-n", "dev"]).success();
    let asked = env.emulator().requests().len();
    for again in [&[][..], &["-p", ID], &["-n", "dev"], &["-s", SUBSCRIPTION], &["-e", &env.emulator().endpoint()]] {
        let output = init(&env, &[again, &["--no-prompt"]].concat()).success();
        assert_eq!(output.stdout, first.stdout, "{again:?}");
        assert_eq!(output.stderr, "", "{again:?}");
    }
    assert_eq!(env.emulator().requests().len(), asked, "ARM received a request");
    assert_eq!(azd_calls(&env).iter().filter(|call| call.starts_with("env set")).count(), 1);
}

#[test]
fn different_options_change_the_project() {
    let arm = Arm { more_projects: vec!["second".into()], ..Arm::default() };
    let env = with(Config { arm, ..Config::default() });
    init(&env, &["-p", ID, "-n", "dev"]).success();
    let output = init(&env, &["-p", &ID.replace("/demo", "/second")]).success();
    assert!(output.stdout.contains("/api/projects/second\n"), "{output}");
    let last = stored(&env, "dev").lines().filter(|line| line.starts_with("AZURE_PROJECT_NAME=")).count();
    assert_eq!(last, 2, "stored again");
    // The project is not in this subscription, so the stored values stay unchanged.
    let before = stored(&env, "dev");
    init(&env, &["-s", "00000000-0000-0000-0000-000000000009", "--no-prompt"]).fails_with(3);
    assert_eq!(stored(&env, "dev"), before);
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
fn endpoint_finds_its_account_and_is_stored_unchanged() {
    let arm = Arm { subdomain: Some("another-label".into()), ..Arm::default() };
    let env = with(Config { arm, ..Config::default() });
    let endpoint = format!("{}/", env.emulator().endpoint());
    init(&env, &["-e", &endpoint, "-s", SUBSCRIPTION, "-n", "dev"]).success();
    let stored = stored(&env, "dev");
    assert!(stored.contains("AZURE_ACCOUNT_NAME=emulator\n"), "{stored}");
    assert!(stored.contains("AZURE_PROJECT_ENDPOINT=http://[EMULATOR]/api/projects/demo\n"), "{stored}");
}
