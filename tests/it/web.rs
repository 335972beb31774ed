//! `show --web`: the URL of the portal, and the browser.

#[cfg(unix)]
use std::fs;

use foundry_emulator::{Arm, Config};
use serde_json::json;

use crate::support::TestEnv;
#[cfg(unix)]
use crate::support::{Terminal, eventually};

const PAGE: &str = "https://ai.azure.com/nextgen/r/AAAAAAAAAAAAAAAAAAAAAQ,rg-emulator,,emulator,demo/home";

fn env() -> TestEnv {
    let mut env = TestEnv::with(Config { arm: Arm::default(), ..Config::default() });
    let origin = env.emulator().origin();
    env.set("AZURE_AI_MODELS_ARM_ENDPOINT", &origin);
    env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
    env
}

#[test]
fn url_of_the_project_is_printed() {
    let env = env();
    assert_eq!(env.run(&["custom", "show", "-n", "my-model", "--web"]).success().stdout, format!("{PAGE}\n"));
    let output = env.run(&["show", "-n", "my-model", "--web", "-o", "json"]).success();
    assert_eq!(output.json(), json!({"name": "my-model", "version": "1", "url": PAGE}));
    env.run(&["show", "-n", "no-such-model", "--web"]).fails_with(3);
}

#[test]
fn unknown_account_leads_to_the_start_page() {
    let env = TestEnv::new();
    env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
    insta::assert_snapshot!("start_page", env.run(&["show", "-n", "my-model", "--web"]).success());
}

/// Installs a browser that records its arguments.
#[cfg(unix)]
fn with_browser(env: &mut TestEnv) -> std::path::PathBuf {
    let record = env.root().join("opened");
    env.program("my-browser", &format!("echo \"$#:$*\" >> '{0}'; env > '{0}.env'", record.display()));
    env.set("BROWSER", "my-browser --tab %s").set("AZD_ACCESS_TOKEN", "CANARYTOKEN");
    // A shell needs more than the programs of this test.
    env.set("PATH", &format!("{}:/usr/bin:/bin", env.bin().display()));
    record
}

#[cfg(unix)]
#[test]
fn browser_opens_on_a_terminal() {
    let mut env = env();
    let record = with_browser(&mut env);
    let ended = Terminal::start(&env, 120, &["show", "-n", "my-model", "--web"]).finish();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    assert!(ended.screen.contains(PAGE) && ended.screen.contains("Opened in the browser."), "{}", ended.screen);
    eventually("the browser was started", || record.exists());
    assert_eq!(fs::read_to_string(&record).expect("a record"), format!("2:--tab {PAGE}\n"));
    let seen = fs::read_to_string(record.with_extension("env")).expect("its environment");
    assert!(!seen.contains("CANARYTOKEN") && !seen.contains("AZURE_"), "{seen}");
}

#[cfg(unix)]
#[test]
fn nothing_opens_for_scripts_agents_and_pipelines() {
    for (name, word, args) in
        [("AI_AGENT", "1", &[][..]), ("CI", "true", &[]), ("NOTHING", "1", &["-q"]), ("NOTHING", "1", &["-o", "json"])]
    {
        let mut env = env();
        let record = with_browser(&mut env);
        env.set(name, word);
        let ended = Terminal::start(&env, 120, &[&["show", "-n", "my-model", "--web"], args].concat()).finish();
        assert_eq!(ended.code, 0, "{}", ended.screen);
        assert!(ended.screen.contains(PAGE), "{}", ended.screen);
        assert!(!record.exists(), "{name} {args:?}");
    }
    let mut env = env();
    let record = with_browser(&mut env);
    env.run(&["show", "-n", "my-model", "--web"]).success();
    assert!(!record.exists(), "there is no terminal");
}

/// The URL is printed, so the command succeeds.
#[cfg(target_os = "linux")]
#[test]
fn machine_without_a_browser_succeeds() {
    let ended = Terminal::start(&env(), 120, &["show", "-n", "my-model", "--web"]).finish();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    assert!(ended.screen.contains("Not opened in a browser: no display found."), "{}", ended.screen);
    let mut env = env();
    env.program("my-browser", "exit 3");
    env.set("BROWSER", "my-browser");
    let ended = Terminal::start(&env, 120, &["show", "-n", "my-model", "--web"]).finish();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    assert!(ended.screen.contains("The browser could not be opened"), "{}", ended.screen);
}
