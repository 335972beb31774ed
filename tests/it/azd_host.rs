//! Run by azd: the project comes from azd's environment, and failures go back to azd.

use azure_ai_models::azd::proto::ErrorOrigin;
use azure_ai_models::azd::proto::extension_error::Source;
use foundry_emulator::{Fault, FaultKind, Route};
use tonic::Code;

use crate::support::azd_host::{AzdHost, TOKEN};
use crate::support::{Output, TestEnv};

/// A world in which azd runs the program; the emulator's endpoint stands where the test says, and nowhere else.
fn hosted(values: impl FnOnce(&str) -> Vec<(&'static str, String)>) -> (TestEnv, AzdHost) {
    let mut env = TestEnv::new();
    let endpoint = env.emulator().endpoint();
    let values = values(&endpoint);
    let host = AzdHost::start(&values.iter().map(|(key, value)| (*key, value.as_str())).collect::<Vec<_>>());
    env.unset("AZURE_PROJECT_ENDPOINT").set("AZD_SERVER", &host.address).set("AZD_ACCESS_TOKEN", TOKEN);
    (env, host)
}

fn with_endpoint() -> (TestEnv, AzdHost) {
    hosted(|endpoint| vec![("AZURE_PROJECT_ENDPOINT", endpoint.to_owned())])
}

fn list(env: &TestEnv, more: &[&str]) -> Output {
    env.run(&[&["custom", "list"], more].concat())
}

fn calls(host: &AzdHost) -> Vec<String> {
    host.with(|host| std::mem::take(&mut host.calls))
}

#[test]
fn the_default_environment_names_the_project() {
    let (mut env, host) = with_endpoint();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    env.set("TRACEPARENT", trace);
    let output = list(&env, &["--debug"]).success();
    assert!(
        output.stderr.contains("/api/projects/demo (from azd environment 'dev': AZURE_PROJECT_ENDPOINT)"),
        "{output}"
    );
    assert_eq!(calls(&host), ["Project.Get", "Environment.List", "Environment.GetValues"]);
    assert_eq!(host.with(|host| host.traces.clone()), [trace; 3]);
    assert!(!output.to_string().contains(TOKEN), "{output}");
}

/// `GetCurrent` would ignore `-e`: the environment is asked for by its name.
#[test]
fn a_named_environment_counts_and_one_that_is_not_there_is_not_replaced() {
    let (mut env, host) =
        hosted(|_| vec![("AZURE_PROJECT_ENDPOINT", "http://127.0.0.1:9/api/projects/default".into())]);
    let endpoint = env.emulator().endpoint();
    host.with(|host| host.environments.insert("test".into(), [("AZURE_PROJECT_ENDPOINT".into(), endpoint)].into()));
    drop(list(&env, &["-e", "test"]).success());
    env.set("AZD_ENVIRONMENT", "test");
    let output = list(&env, &["--debug"]).success();
    assert!(output.stderr.contains("(from azd environment 'test': AZURE_PROJECT_ENDPOINT)"), "{output}");
    let output = list(&env, &["-e", "prod", "-o", "json"]).fails_with(3);
    assert_eq!(output.json_error()["message"], "the azd environment 'prod' does not exist");
}

#[test]
fn an_endpoint_is_made_of_account_and_project_and_of_the_older_name() {
    let (env, host) = hosted(|_| vec![("AZURE_ACCOUNT_NAME", "acc".into()), ("AZURE_PROJECT_NAME", "proj".into())]);
    let output = list(&env, &["-o", "json", "--debug"]).fails_with(2);
    let source = "https://acc.services.ai.azure.com/api/projects/proj (from azd environment 'dev': AZURE_ACCOUNT_NAME and AZURE_PROJECT_NAME)";
    assert!(output.stderr.contains(source), "{output}");
    let endpoint = env.emulator().endpoint();
    host.with(|host| host.environments.insert("dev".into(), [("FOUNDRY_PROJECT_ENDPOINT".into(), endpoint)].into()));
    let output = list(&env, &["--debug"]).success();
    assert!(output.stderr.contains("(from azd environment 'dev': FOUNDRY_PROJECT_ENDPOINT)"), "{output}");
}

/// azd resolves references to a key vault into the environment of what it starts.
#[test]
fn a_reference_to_a_key_vault_is_taken_from_the_process_environment() {
    let (mut env, _host) = hosted(|_| vec![("AZURE_PROJECT_ENDPOINT", "akvs://sub/vault/secret".into())]);
    let endpoint = env.emulator().endpoint();
    env.set("AZURE_PROJECT_ENDPOINT", &endpoint);
    let output = list(&env, &["--debug"]).success();
    assert!(output.stderr.contains("(from azd environment 'dev': AZURE_PROJECT_ENDPOINT)"), "{output}");
}

/// Without project, without environment, without a word in it: the next place.
#[test]
fn the_search_goes_on_behind_an_environment_that_names_nothing() {
    type Change = fn(&mut crate::support::azd_host::Host);
    let changes: [Change; 3] = [
        |host| host.project = false,
        |host| host.default = None,
        |host| {
            host.environments.insert("dev".into(), [].into());
        },
    ];
    for change in changes {
        let (mut env, host) = hosted(|_| vec![("AZURE_PROJECT_ENDPOINT", "https://x.example".into())]);
        host.with(change);
        let endpoint = env.emulator().endpoint();
        env.set("FOUNDRY_PROJECT_ENDPOINT", &endpoint);
        let output = list(&env, &["--debug"]).success();
        assert!(output.stderr.contains("(from environment variable FOUNDRY_PROJECT_ENDPOINT)"), "{output}");
        let config = format!(r#"{{"extensions":{{"ai-projects":{{"context":{{"endpoint":"{endpoint}"}}}}}}}}"#);
        std::fs::create_dir_all(env.home().join(".azd")).expect("a directory");
        std::fs::write(env.home().join(".azd/config.json"), config).expect("written");
        let output = list(&env, &["--debug"]).success();
        assert!(output.stderr.contains("(from azd user config: extensions.ai-projects.context.endpoint)"), "{output}");
    }
}

/// No silent change to another project because azd is gone or slow, or its token ended.
#[test]
fn a_host_that_does_not_answer_ends_the_command() {
    let dead = || {
        let (mut env, _host) = with_endpoint();
        env.set("AZD_SERVER", "127.0.0.1:9");
        env
    };
    let stranger = || {
        let (mut env, _host) = with_endpoint();
        env.set("AZD_ACCESS_TOKEN", "another");
        env
    };
    let silent = || {
        let (env, host) = with_endpoint();
        host.with(|host| host.silent = true);
        env
    };
    let odd = || {
        let (mut env, _host) = with_endpoint();
        env.set("AZD_SERVER", "10.0.0.1:9");
        env
    };
    for (mut env, words) in [
        (dead(), "azd does not answer any more"),
        (stranger(), "its token lives for one hour"),
        (silent(), "azd does not answer any more"),
        (odd(), "AZD_SERVER is not on this machine"),
    ] {
        let endpoint = env.emulator().endpoint();
        env.set("FOUNDRY_PROJECT_ENDPOINT", &endpoint);
        let output = list(&env, &["-o", "json"]).fails_with(9);
        let error = output.json_error();
        assert!(error["message"].as_str().is_some_and(|message| message.contains(words)), "{output}");
        assert!(env.emulator().requests().is_empty());
        // With the endpoint by option azd is not asked.
        drop(list(&env, &["-e", &endpoint, "-o", "json"]).success());
    }
}

/// A cloned repository must not choose where tokens go.
#[test]
fn what_widens_trust_counts_only_from_the_persons_own_environment() {
    let (mut env, host) = hosted(|_| vec![]);
    host.with(|host| {
        let values = [
            ("AZURE_PROJECT_ENDPOINT".to_owned(), "https://thief.example/api/projects/p".to_owned()),
            ("AZURE_AI_MODELS_ALLOW_HOST".to_owned(), "thief.example".to_owned()),
        ];
        host.environments.insert("dev".into(), values.into());
    });
    env.set("AZURE_AI_MODELS_ALLOW_HOST", "thief.example");
    let output = list(&env, &["-o", "json"]).fails_with(2);
    assert!(
        output.stderr.contains("AZURE_AI_MODELS_ALLOW_HOST stands in the azd environment and is ignored"),
        "{output}"
    );
    assert_eq!(output.json_error()["kind"], "usage");

    // With the endpoint by option: by the project's own file.
    let mut env = TestEnv::new();
    env.write("azure.yaml", "name: p\n");
    env.write(".azure/config.json", r#"{"defaultEnvironment":"dev"}"#);
    env.write(".azure/dev/.env", "AZURE_AI_MODELS_CREDENTIAL=\"emulator\"\n");
    env.set("AZURE_AI_MODELS_CREDENTIAL", "emulator");
    let endpoint = env.emulator().endpoint();
    let output = list(&env, &["-e", &endpoint, "-o", "json"]).fails_with(4);
    assert!(
        output.stderr.contains("AZURE_AI_MODELS_CREDENTIAL stands in the azd environment and is ignored"),
        "{output}"
    );
}

#[test]
fn a_failure_is_told_to_azd_and_not_printed() {
    let (env, host) = with_endpoint();
    let output = env.run(&["custom", "show", "--name", "nobody"]).fails_with(3);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""), "{output}");
    let error = host.with(|host| host.errors.pop()).expect("a report");
    assert!(error.message.starts_with("there is no model 'nobody' in this project\nRequest id: "), "{}", error.message);
    assert_eq!(error.suggestion, "See what there is: azd ai models custom list");
    assert_eq!(error.origin(), ErrorOrigin::Service);
    match error.source {
        Some(Source::ServiceError(detail)) => {
            assert_eq!((detail.error_code.as_str(), detail.status_code), ("ModelNotFound", 404));
        }
        other => panic!("{other:?}"),
    }

    drop(env.run(&["custom", "delete", "--name", "x", "--no-prompt"]).fails_with(2));
    let error = host.with(|host| host.errors.pop()).expect("a report");
    assert_eq!(error.origin(), ErrorOrigin::Local);
    match error.source {
        Some(Source::LocalError(detail)) => {
            assert_eq!((detail.code.as_str(), detail.category.as_str()), ("confirmation_required", "validation"));
        }
        other => panic!("{other:?}"),
    }
    // What the parser says, too.
    drop(env.run(&["custom", "lst"]).fails_with(2));
    assert_eq!(host.with(|host| host.errors.len()), 1);
}

#[test]
fn what_azcopy_does_is_reported_as_a_tools_failure_with_its_links() {
    let (mut env, host) = with_endpoint();
    env.write_model();
    env.azcopy_script("init\nend Failed 0 1000 0 1 1\nexit 1\n");
    drop(env.run(&["custom", "create", "-n", "my-model", "--source", "model", "-q"]).fails_with(7));
    let error = host.with(|host| host.errors.pop()).expect("a report");
    assert_eq!(error.origin(), ErrorOrigin::Tool);
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::refusal(403, "Forbidden", "no role")));
    drop(list(&env, &[]).fails_with(4));
    let error = host.with(|host| host.errors.pop()).expect("a report");
    assert!(error.origin() == ErrorOrigin::Service && !error.links.is_empty(), "{error:?}");
}

/// Never twice, never by nobody.
#[test]
fn a_failure_that_azd_does_not_take_is_printed() {
    let refusals: [fn(&mut crate::support::azd_host::Host); 3] = [
        |host| host.takes_no_errors = true,
        |host| host.refuses = Some((Code::Unauthenticated, "invalid token")),
        |host| host.silent = true,
    ];
    for change in refusals {
        let (env, host) = with_endpoint();
        host.with(change);
        let endpoint = env.emulator().endpoint();
        let output = env.run(&["custom", "show", "--name", "nobody", "-e", &endpoint]).fails_with(3);
        assert_eq!(output.stderr.matches("there is no model 'nobody'").count(), 1, "{output}");
        assert!(host.with(|host| host.errors.is_empty()));
    }
    let (env, host) = with_endpoint();
    let output = env.run(&["custom", "show", "--name", "nobody", "-o", "json"]).fails_with(3);
    assert_eq!(output.json_error()["code"], "ModelNotFound");
    assert!(!calls(&host).contains(&"Extension.ReportError".to_owned()), "azd would print it on stdout");
}

/// Readers of events are told of the end, whoever shows it.
#[test]
fn a_reported_failure_is_an_event_all_the_same() {
    let (env, _host) = with_endpoint();
    let output = env.run(&["custom", "create", "-n", "my-model", "--source", "nowhere", "--progress", "json"]);
    let output = output.fails_with(3);
    let last: serde_json::Value = serde_json::from_str(output.stderr.lines().last().expect("a line")).expect("JSON");
    assert_eq!((&last["event"], &last["kind"]), (&"error".into(), &"not_found".into()), "{output}");
}
