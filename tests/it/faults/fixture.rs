//! Environments of the commands: servers behind proxies that inject faults.

use std::io::{Read, Write};
use std::net::TcpStream;

use foundry_emulator::Config;
use serde_json::{Value, json};

use crate::support::{BlobStub, BlockStore, FaultProxy, ResponseFault, Rule, TestEnv};

const MIB: usize = 1 << 20;
/// Scales of pauses and of limits: retries and limits of a faulty run take milliseconds.
const TEST_TIME: &str = "0.001/0.003";
/// Scales for a run that prepares an environment: its limits must hold on a loaded machine.
const PREPARATION_TIME: &str = "0.001/1";
const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";

pub(super) const CREATE_NATIVE: [&str; 8] =
    ["custom", "create", "-n", "my-model", "--source", "model", "--engine", "native"];
pub(super) const PROJECT_ID: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-emulator/providers/Microsoft.CognitiveServices/accounts/emulator/projects/demo";

/// Environment and servers of one run.
pub(super) struct Fixture {
    pub(super) env: TestEnv,
    pub(super) foundry: FaultProxy,
    pub(super) blobs: FaultProxy,
    pub(super) store: Option<BlockStore>,
    pub(super) rule: Option<Rule>,
    _stub: Option<BlobStub>,
}

impl Fixture {
    pub(super) fn routes(&self) -> Vec<String> {
        [self.foundry.routes(), self.blobs.routes()].concat()
    }

    pub(super) fn injected(&self) -> usize {
        self.foundry.injected() + self.blobs.injected()
    }

    fn set_rule(&mut self, rule: Option<Rule>) {
        for proxy in [&self.foundry, &self.blobs] {
            proxy.set_rule(rule.clone());
        }
        self.rule = rule;
    }

    /// State of the model on the service, requested without the proxy.
    pub(super) fn model(&self, version: &str) -> Option<Value> {
        let url = url::Url::parse(&self.env.emulator().endpoint()).expect("a URL");
        let mut stream = TcpStream::connect(url.authority()).expect("the emulator");
        let path = format!("{}/models/my-model/versions/{version}", url.path());
        write!(stream, "GET {path}?api-version=v1 HTTP/1.1\r\nfoundry-features: Models=V1Preview\r\nhost: {}\r\nauthorization: Bearer emulator\r\nconnection: close\r\n\r\n", url.authority())
            .expect("sent");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("an answer");
        assert!(response.contains(" 200 ") || response.contains(" 404 "), "{response}");
        response.starts_with("HTTP/1.1 200").then(|| {
            let body = response.split_once("\r\n\r\n").expect("a body").1;
            serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {response}"))
        })
    }
}

/// Method and path, without the parts that differ between runs.
fn foundry_route(method: &str, target: &str) -> String {
    let path = target.split('?').next().unwrap_or_default();
    let path = path.strip_prefix("/api/projects/demo").unwrap_or(path);
    let segments: Vec<_> = path
        .split('/')
        .map(|segment| if segment.len() >= 32 && !segment.contains('-') { "ID" } else { segment })
        .collect();
    let segments: Vec<_> = segments.iter().map(|segment| if is_uuid(segment) { "ID" } else { segment }).collect();
    format!("{method} {}", segments.join("/"))
}

fn is_uuid(segment: &str) -> bool {
    segment.len() == 36 && segment.chars().all(|c| c.is_ascii_hexdigit() || c == '-') && segment != SUBSCRIPTION
}

/// Operation on a blob store.
fn blob_route(method: &str, target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query: Vec<_> =
        query.split('&').filter(|pair| pair.starts_with("comp=") || pair.starts_with("restype=")).collect();
    let blob = if path.split('/').count() > 3 { "container/blob" } else { "container" };
    format!("{method} {blob}?{}", query.join("&"))
}

fn fixture(rule: Option<Rule>, config: Config, store: Option<BlockStore>, stub: Option<BlobStub>) -> Fixture {
    let base = match (&store, &stub) {
        (Some(store), _) => store.base.clone(),
        (None, Some(stub)) => stub.base.clone(),
        (None, None) => unreachable!("one of them"),
    };
    let kept = rule.clone();
    let blobs = FaultProxy::start(base.authority(), rule.clone(), blob_route);
    let base: url::Url = format!("http://{}{}", blobs.authority(), base.path()).parse().expect("a URL");
    let mut env = TestEnv::with_store_at(config, base);
    let endpoint = url::Url::parse(&env.emulator().endpoint()).expect("a URL");
    let foundry = FaultProxy::start(endpoint.authority(), rule, foundry_route);
    env.set("AZURE_PROJECT_ENDPOINT", &format!("http://{}{}", foundry.authority(), endpoint.path()));
    env.set("AZURE_AI_MODELS_TEST_TIME", TEST_TIME);
    env.write_model();
    Fixture { env, foundry, blobs, store, rule: kept, _stub: stub }
}

fn seed(fixture: &Fixture) {
    let tags = json!({"key": "old"});
    fixture.env.emulator().seed(&json!({"name": "my-model", "version": "1", "tags": tags})).expect("seeded");
}

pub(super) fn seeded(rule: Option<Rule>) -> Fixture {
    let fixture = fixture(rule, Config::default(), None, Some(BlobStub::start()));
    seed(&fixture);
    fixture
}

pub(super) fn with_small_files(rule: Option<Rule>) -> Fixture {
    fixture(rule, Config::default(), Some(BlockStore::start()), None)
}

pub(super) fn overwriting(rule: Option<Rule>) -> Fixture {
    let fixture = with_small_files(rule);
    seed(&fixture);
    fixture
}

/// A source with a file of two blocks and the small ones.
pub(super) fn with_blocks(rule: Option<Rule>) -> Fixture {
    let fixture = with_small_files(rule);
    fixture.env.write("model/more.bin", vec![5; 9 * MIB]);
    fixture
}

/// An earlier run sent all blocks but could not commit them; one of its files is no longer part of the source.
pub(super) fn interrupted(rule: Option<Rule>) -> Fixture {
    let refused = ResponseFault::Status(403, "x-ms-error-code: AuthenticationFailed\r\n", b"");
    let commit = Rule { route: "PUT container/blob?comp=blocklist".to_owned(), fault: refused, always: true };
    let config = Config { sas_permissions: "rcwld".to_owned(), ..Config::default() };
    let mut fixture = fixture(Some(commit), config, Some(BlockStore::start()), None);
    fixture.env.write("model/more.bin", vec![5; 9 * MIB]);
    fixture.env.write("model/gone.json", "{}");
    fixture.env.set("AZURE_AI_MODELS_TEST_TIME", PREPARATION_TIME);
    fixture.env.run(&CREATE_NATIVE).fails_with(7);
    fixture.env.set("AZURE_AI_MODELS_TEST_TIME", TEST_TIME);
    let names = fixture.store.as_ref().expect("a store").names();
    assert!(names.contains(&"gone.json".to_owned()) && !names.contains(&"more.bin".to_owned()), "{names:?}");
    std::fs::remove_file(fixture.env.work().join("model/gone.json")).expect("removed");
    fixture.set_rule(rule);
    fixture
}

/// An uploaded model with recorded checksums.
pub(super) fn uploaded(rule: Option<Rule>) -> Fixture {
    let mut fixture = with_blocks(None);
    fixture.env.set("AZURE_AI_MODELS_TEST_TIME", PREPARATION_TIME);
    fixture.env.run(&CREATE_NATIVE).success();
    fixture.env.set("AZURE_AI_MODELS_TEST_TIME", TEST_TIME);
    fixture.set_rule(rule);
    fixture
}

/// An account with a base deployment, found by searching the subscriptions.
pub(super) fn with_unknown_account(rule: Option<Rule>) -> Fixture {
    let mut fixture = seeded(rule);
    let origin = format!("http://{}", fixture.foundry.authority());
    fixture.env.set("AZURE_AI_MODELS_ARM_ENDPOINT", &origin);
    let model = json!({"format": "OpenAI", "name": "gpt-4.1", "version": "2025-04-14"});
    let sku = json!({"name": "GlobalStandard", "capacity": 10});
    let deployment = json!({"name": "chat", "sku": sku, "properties": {"model": model}});
    fixture.env.emulator().seed_deployment(&deployment).expect("seeded");
    fixture
}

/// An account named by the environment, with a base deployment.
pub(super) fn with_account(rule: Option<Rule>) -> Fixture {
    let mut fixture = with_unknown_account(rule);
    fixture.env.set("AZURE_AI_PROJECT_ID", PROJECT_ID);
    fixture
}

pub(super) fn with_azcopy(rule: Option<Rule>) -> Fixture {
    let stub = BlobStub::start();
    stub.set_blobs_before_and_after(&[], &[("config.json", 50), ("model.safetensors", 1000)]);
    fixture(rule, Config::default(), None, Some(stub))
}

pub(super) fn with_azd(rule: Option<Rule>) -> Fixture {
    let mut fixture = fixture(rule, Config::default(), None, Some(BlobStub::start()));
    let origin = format!("http://{}", fixture.foundry.authority());
    fixture.env.program("azd", crate::init::AZD);
    let log = fixture.env.root().join("azd.log").to_string_lossy().into_owned();
    fixture.env.unset("AZURE_PROJECT_ENDPOINT").set("AZURE_AI_MODELS_ARM_ENDPOINT", &origin).set("AZD_LOG", &log);
    fixture
}
