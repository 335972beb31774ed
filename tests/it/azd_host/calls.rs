//! Calls to azd's server: addresses, metadata, responses and refusals, without the rest of the program.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use azure_ai_models_core::azd::{
    AzdEnvironment, AzdProject, AzdSubscription, ChosenResource, Host, HostError, RefusalKind,
};
use azure_ai_models_core::env::{Env, Timings, var};
use fake_azd_host::{FakeHost, Fault, HostState, proto, refusal, refusal_with_details};

fn link_to(address: &str, token: &str, more: &[(&str, &str)]) -> Host {
    let vars = [(var::AZD_SERVER, address), (var::AZD_ACCESS_TOKEN, token), (var::TEST_TIME, "0.01/1")];
    let env = Env::from_vars(vars.into_iter().chain(more.iter().copied()), Path::new("/"));
    Host::from_env(&env, &Timings::from_env(&env)).expect("a host")
}

fn link(host: &FakeHost) -> Host {
    link_to(&host.address(), &host.token(), &[])
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

#[test]
fn call_carries_the_raw_token_and_the_trace() {
    let host = FakeHost::start(HostState::default());
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let more = [(var::TRACEPARENT, trace), (var::TRACESTATE, "a=b")];
    let project = run(link_to(&host.address(), &host.token(), &more).project()).expect("an answer");
    assert_eq!(project, Some(AzdProject { name: "demo".into(), path: "/demo".into() }));
    let calls = host.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].method, "Project.Get");
    let metadata: Vec<(&str, &str)> = calls[0].metadata.iter().map(|(name, value)| (&**name, &**value)).collect();
    let token = host.token();
    assert_eq!(metadata, [("authorization", token.as_str()), ("traceparent", trace), ("tracestate", "a=b")]);
}

#[test]
fn invalid_trace_does_not_reach_azd() {
    let host = FakeHost::start(HostState::default());
    let more = [(var::TRACEPARENT, "00-abc-def-01"), (var::TRACESTATE, "a=b")];
    run(link_to(&host.address(), &host.token(), &more).project()).expect("an answer");
    assert_eq!(host.calls()[0].metadata.keys().collect::<Vec<_>>(), ["authorization"]);
}

#[test]
fn missing_project_is_none() {
    let host = FakeHost::start(HostState::without_project());
    assert_eq!(run(link(&host).project()), Ok(None));
}

#[test]
fn environments_are_listed_read_written_and_selected() {
    let host_state =
        HostState::default().with_environment("dev", true, &[("A", "1")]).with_environment("prod", false, &[]);
    let host = FakeHost::start(host_state);
    let link = link(&host);
    run(async {
        let named = |name: &str, is_default| AzdEnvironment { name: name.into(), is_default };
        assert_eq!(link.environments().await, Ok(vec![named("dev", true), named("prod", false)]));
        assert_eq!(link.values("dev").await, Ok([("A".to_owned(), "1".to_owned())].into()));
        assert_eq!(link.set_value("prod", "B", "two words").await, Ok(()));
        assert_eq!(link.select_environment("prod").await, Ok(()));
        assert!(matches!(link.values("nowhere").await, Err(HostError::Refused { refusal: RefusalKind::Plain, .. })));
    });
    let host_state = host.host_state();
    assert_eq!(host_state.environments["prod"].values["B"], "two words");
    assert!(host_state.environments["prod"].is_default && !host_state.environments["dev"].is_default);
}

#[test]
fn account_reports_the_tenant_of_the_user() {
    let subscription = |id: &str, user_tenant: &str| proto::Subscription {
        id: id.into(),
        name: format!("name of {id}"),
        tenant_id: "owner".into(),
        user_tenant_id: user_tenant.into(),
        is_default: false,
    };
    let host_state =
        HostState { subscriptions: vec![subscription("s1", "guest"), subscription("s2", "")], ..HostState::default() };
    let host = FakeHost::start(host_state);
    let link = link(&host);
    let one = |id: &str, tenant: &str| AzdSubscription {
        id: id.into(),
        name: format!("name of {id}"),
        tenant: tenant.into(),
    };
    run(async {
        assert_eq!(link.subscriptions(None).await, Ok(vec![one("s1", "guest"), one("s2", "owner")]));
        assert_eq!(link.subscriptions(Some("guest")).await, Ok(vec![one("s1", "guest")]));
        assert_eq!(link.tenant_of("s1").await, Ok("guest".to_owned()));
        assert!(link.tenant_of("s9").await.is_err());
    });
}

#[test]
fn azd_runs_commands_and_reports_existing_environments() {
    let host = FakeHost::start(HostState::without_project());
    let link = link(&host);
    run(async {
        assert_eq!(link.run(&["init", "--minimal"]).await, Ok(()));
        assert_eq!(link.run(&["env", "new", "dev"]).await, Ok(()));
        let again = link.run(&["env", "new", "dev"]).await;
        assert!(matches!(again, Err(HostError::Refused { refusal: RefusalKind::AlreadyExists, .. })), "{again:?}");
        let unknown = link.run(&["deploy"]).await;
        let message = r#"unknown command ["deploy"]"#.to_owned();
        let suggestion = "Run `azd deploy`, then run this command again.".to_owned();
        assert_eq!(unknown, Err(HostError::Command { message, suggestion }));
    });
    assert_eq!(host.methods(), ["Workflow.Run"; 4]);
    assert!(host.host_state().environments["dev"].is_default);
}

#[test]
fn azd_prompts_are_used() {
    let host_state = HostState {
        confirms: [false].into(),
        texts: ["typed".to_owned()].into(),
        selections: [1].into(),
        subscriptions: vec![proto::Subscription {
            id: "s".into(),
            name: "S".into(),
            tenant_id: "owner".into(),
            user_tenant_id: "guest".into(),
            is_default: true,
        }],
        resource_group: Some(proto::ResourceGroup { id: "/g".into(), name: "g".into(), location: "eastus".into() }),
        resource: Some(proto::ResourceExtended { id: "/p".into(), name: "p".into(), ..Default::default() }),
        ..HostState::default()
    };
    let host = FakeHost::start(host_state);
    let link = link(&host);
    let choices = ["a".to_owned(), "b".to_owned()];
    run(async {
        assert_eq!(link.confirm("Sure?", Some(false)).await, Ok(false));
        assert_eq!(link.text("Name", "").await, Ok("typed".to_owned()));
        assert_eq!(link.select("Which?", &choices, Some(0)).await, Ok(1));
        let subscription = link.choose_subscription("Which subscription?").await.expect("one");
        assert_eq!((subscription.id.as_str(), subscription.tenant.as_str()), ("s", "guest"));
        let group = link.choose_resource_group(&subscription, "Which group?").await.expect("one");
        assert_eq!(group, ChosenResource { id: "/g".into(), name: "g".into(), location: "eastus".into() });
        let project = link.choose_foundry_project(&subscription, &group.name, "Which project?").await.expect("one");
        assert_eq!(project.id, "/p");
        // No response is configured: azd uses the given default, or refuses if there is none.
        assert_eq!(link.confirm("Sure?", Some(false)).await, Ok(false));
        assert_eq!(link.select("Which?", &choices, Some(0)).await, Ok(0));
        assert_eq!(link.select("Which?", &choices, None).await, Err(HostError::NoPrompt));
        assert_eq!(link.text("Name", "").await, Err(HostError::NoPrompt));
    });
    let calls = host.calls();
    let message = |method: &str| calls.iter().find(|call| call.method == method).expect(method).message.clone();
    for method in ["Prompt.PromptResourceGroup", "Prompt.PromptResourceGroupResource"] {
        let message = message(method);
        assert!(message.contains("allow_new_resource: Some(false)"), "{message}");
        assert!(message.contains(r#"tenant_id: "guest", subscription_id: "s""#), "{message}");
    }
    let project = message("Prompt.PromptResourceGroupResource");
    assert!(project.contains(r#"resource_group: "g""#), "{project}");
    assert!(project.contains(r#"resource_type: "Microsoft.CognitiveServices/accounts/projects""#), "{project}");
}

#[test]
fn each_refusal_is_mapped_to_its_error() {
    let plain = |refusal| HostError::Refused { refusal, message: "words".into(), suggestion: None };
    for (code, detailed, error) in [
        (14, false, HostError::Gone { message: "words".into() }),
        (4, false, HostError::Gone { message: "words".into() }),
        (16, false, HostError::TokenEnded),
        (
            16,
            true,
            HostError::NotSignedIn { message: "words".into(), suggestion: Some("Do it. https://aka.ms/x".into()) },
        ),
        (1, false, HostError::Cancelled),
        (2, false, plain(RefusalKind::Plain)),
        (6, false, plain(RefusalKind::AlreadyExists)),
        (13, false, plain(RefusalKind::Other)),
        (3, false, plain(RefusalKind::Other)),
    ] {
        let status = if detailed {
            refusal_with_details(code, "words", "AUTH_NOT_LOGGED_IN", "Do it.", "https://aka.ms/x")
        } else {
            refusal(code, "words")
        };
        let host = FakeHost::start(HostState::default().with_fault("Prompt.Confirm", Fault::Status(status)));
        assert_eq!(run(link(&host).confirm("Sure?", None)), Err(error), "{code} {detailed}");
    }
}

#[test]
fn secret_in_azds_message_is_masked() {
    let status = refusal(2, "failed: Bearer CANARY at https://h/p?sig=CANARY");
    let host = FakeHost::start(HostState::default().with_fault("Environment.List", Fault::Status(status)));
    let error = run(link(&host).environments()).expect_err("refused");
    assert_eq!(error.to_string(), "azd refused: failed: Bearer *** at https://h/p?***");
}

#[test]
fn missing_or_slow_host_is_distinguished_from_a_refusal() {
    // Port of a closed listener.
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").to_string();
    let gone = run(link_to(&closed, "t", &[]).project());
    assert!(matches!(gone, Err(HostError::Gone { .. })), "{gone:?}");

    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut piece = [0; 1024];
            let read = stream.read(&mut piece).expect("a request");
            assert!(read > 0);
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").expect("an answer");
        }
    });
    let broken = run(link_to(&address, "t", &[]).project());
    assert!(matches!(broken, Err(HostError::Gone { .. })), "{broken:?}");

    let silent = FakeHost::start(HostState::default().with_fault("Project.Get", Fault::Silence));
    let silent = run(link_to(&silent.address(), &silent.token(), &[(var::TEST_TIME, "0.01")]).project());
    assert!(matches!(silent, Err(HostError::TimedOut { .. })), "{silent:?}");

    let slow = Fault::Slow(std::time::Duration::from_millis(300));
    let slow = FakeHost::start(HostState::default().with_fault("Project.Get", slow));
    assert!(matches!(run(link(&slow).project()), Ok(Some(_))));
}

#[test]
fn token_is_sent_only_to_this_machine() {
    for address in ["10.0.0.1:80", "example.com:80", "http://127.0.0.1:80", "127.0.0.1", "[::1]:80", "x"] {
        assert_eq!(run(link_to(address, "t", &[]).project()), Err(HostError::BadAddress), "{address}");
    }
}
