//! Tokens for Azure Resource Manager: the tenant that issues them, and the hosts that receive them.

use foundry_emulator::{Arm, ArmTenant, Config, NextLinkForm};

use super::{ID, SUBSCRIPTION, assert_nothing_created, azd_calls, env, init, stored, with};
use crate::support::{Terminal, TestEnv};

#[test]
fn guest_is_found_in_the_inviting_tenant() {
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
    // The next command requests a token of that tenant, for an endpoint on this machine that the user trusts.
    env.set("AZURE_AI_MODELS_ALLOW_HOST", "127.0.0.1");
    env.run(&["custom", "list"]).success();
    let last = azd_calls(&env).into_iter().rfind(|call| call.starts_with("auth token")).expect("a token");
    assert!(last.contains("https://ai.azure.com/.default") && last.contains("--tenant-id guest"), "{last}");
}

#[test]
fn repository_cannot_redirect_management_tokens() {
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

/// The next page is requested with the token for Azure Resource Manager.
#[test]
fn next_page_on_another_host_gets_no_token() {
    let other_host = TestEnv::new();
    let elsewhere = other_host.emulator().origin();
    let arm = Arm { in_pages: true, ..Arm::default() };
    let env = |next_link| with(Config { arm: arm.clone(), next_link, ..Config::default() });
    let foreign = NextLinkForm::Foreign(elsewhere.parse().expect("a URL"));
    let assert_no_request = || assert_eq!(other_host.emulator().requests(), [], "the token went to another host");
    for (next_link, code) in [(NextLinkForm::Absolute, 0), (NextLinkForm::Loop, 9), (foreign.clone(), 9)] {
        let env = env(next_link);
        let endpoint = env.emulator().endpoint();
        let output = init(&env, &["-e", &endpoint, "-s", SUBSCRIPTION, "-n", "dev", "-o", "json"]);
        assert_no_request();
        let output = output.fails_with(code);
        if code != 0 {
            let error = output.json_error();
            assert_eq!((&error["kind"], &error["code"]), (&"service".into(), &"bad_answer".into()), "{error}");
            assert_nothing_created(&env);
        }
    }
    // Only a terminal needs the list of subscriptions.
    let env = env(foreign);
    let ended = Terminal::start(&env, 100, &["custom", "list"]).finish();
    assert_no_request();
    assert_eq!(ended.code, 9, "{}", ended.screen);
    assert!(
        ended.screen.contains("the list from Azure Resource Manager continues on another host"),
        "{}",
        ended.screen
    );
}
