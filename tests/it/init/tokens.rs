//! Tokens of the control plane: the tenant that issues them, and the hosts that get them.

use foundry_emulator::{Arm, ArmTenant, Config, NextLinkForm};

use super::{ID, SUBSCRIPTION, azd_calls, env, init, nothing_was_made, stored, with};
use crate::support::{Terminal, TestEnv};

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
