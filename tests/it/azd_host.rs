//! The program as azd runs it: a fake host, and what it was asked.

use std::path::Path;

use azure_ai_models::azd::{AzdProject, Host};
use azure_ai_models::env::{Env, Timings, var};
use fake_azd_host::{FakeHost, Scene};

fn link(host: &FakeHost, more: &[(&str, &str)]) -> Host {
    let (address, token) = (host.address(), host.token());
    let vars = [(var::AZD_SERVER, address.as_str()), (var::AZD_ACCESS_TOKEN, token.as_str())];
    let env = Env::from_vars(vars.into_iter().chain(more.iter().copied()), Path::new("/"));
    Host::from_env(&env, &Timings::from_env(&env)).expect("a host")
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

#[test]
fn a_call_carries_the_raw_token_and_the_trace() {
    let host = FakeHost::start(Scene::default());
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let link = link(&host, &[(var::TRACEPARENT, trace), (var::TRACESTATE, "a=b")]);
    let project = run(link.project()).expect("an answer");
    assert_eq!(project, Some(AzdProject { name: "demo".into(), path: "/demo".into() }));
    let calls = host.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].method, "Project.Get");
    let metadata: Vec<(&str, &str)> = calls[0].metadata.iter().map(|(name, value)| (&**name, &**value)).collect();
    let token = host.token();
    assert_eq!(metadata, [("authorization", token.as_str()), ("traceparent", trace), ("tracestate", "a=b")]);
}

#[test]
fn without_a_project_there_is_none() {
    let host = FakeHost::start(Scene::without_project());
    assert_eq!(run(link(&host, &[]).project()), Ok(None));
}
