//! The worlds that the commands run in: servers behind proxies that spoil answers.

use std::io::{Read, Write};
use std::net::TcpStream;

use foundry_emulator::Config;
use serde_json::{Value, json};

use crate::support::{BlobStub, BlockStore, FaultProxy, ResponseFault, Rule, TestEnv};

const MIB: usize = 1 << 20;
/// Scales of pauses and of limits: retries and limits of a faulty run take milliseconds.
const TEST_TIME: &str = "0.001/0.003";
/// Scales for a run that prepares a world: its limits must hold on a loaded machine.
const PREPARATION_TIME: &str = "0.001/1";
const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";

pub(super) const CREATE_NATIVE: [&str; 8] =
    ["custom", "create", "-n", "my-model", "--source", "model", "--engine", "native"];
pub(super) const PROJECT_ID: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-emulator/providers/Microsoft.CognitiveServices/accounts/emulator/projects/demo";

/// All that one run meets.
pub(super) struct World {
    pub(super) env: TestEnv,
    pub(super) foundry: FaultProxy,
    pub(super) blobs: FaultProxy,
    pub(super) store: Option<BlockStore>,
    pub(super) rule: Option<Rule>,
    _stub: Option<BlobStub>,
}

impl World {
    pub(super) fn routes(&self) -> Vec<String> {
        [self.foundry.routes(), self.blobs.routes()].concat()
    }

    pub(super) fn spoiled(&self) -> usize {
        self.foundry.spoiled() + self.blobs.spoiled()
    }

    fn spoil_from_now_on(&mut self, rule: Option<Rule>) {
        for proxy in [&self.foundry, &self.blobs] {
            proxy.spoil_from_now_on(rule.clone());
        }
        self.rule = rule;
    }

    /// The model as the service has it, asked past the proxy.
    pub(super) fn model(&self, version: &str) -> Option<Value> {
        let url = url::Url::parse(&self.env.emulator().endpoint()).expect("a URL");
        let mut stream = TcpStream::connect(url.authority()).expect("the emulator");
        let path = format!("{}/models/my-model/versions/{version}", url.path());
        write!(stream, "GET {path}?api-version=v1 HTTP/1.1\r\nfoundry-features: Models=V1Preview\r\nhost: {}\r\nauthorization: Bearer emulator\r\nconnection: close\r\n\r\n", url.authority())
            .expect("asked");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.contains(" 200 ") || answer.contains(" 404 "), "{answer}");
        answer.starts_with("HTTP/1.1 200").then(|| {
            let body = answer.split_once("\r\n\r\n").expect("a body").1;
            serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
        })
    }
}

/// Method and path, without what differs from run to run.
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

/// The operation of a blob store.
fn blob_route(method: &str, target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query: Vec<_> =
        query.split('&').filter(|pair| pair.starts_with("comp=") || pair.starts_with("restype=")).collect();
    let blob = if path.split('/').count() > 3 { "container/blob" } else { "container" };
    format!("{method} {blob}?{}", query.join("&"))
}

fn world(rule: Option<Rule>, config: Config, store: Option<BlockStore>, stub: Option<BlobStub>) -> World {
    let base = match (&store, &stub) {
        (Some(store), _) => store.base.clone(),
        (None, Some(stub)) => stub.base.clone(),
        (None, None) => unreachable!("one of them"),
    };
    let kept = rule.clone();
    let blobs = FaultProxy::start(base.authority(), rule.clone(), blob_route);
    let base: url::Url = format!("http://{}{}", blobs.authority(), base.path()).parse().expect("a URL");
    let mut env = TestEnv::storing_at(config, base);
    let endpoint = url::Url::parse(&env.emulator().endpoint()).expect("a URL");
    let foundry = FaultProxy::start(endpoint.authority(), rule, foundry_route);
    env.set("AZURE_PROJECT_ENDPOINT", &format!("http://{}{}", foundry.authority(), endpoint.path()));
    env.set("AZURE_AI_MODELS_TEST_TIME", TEST_TIME);
    env.write_model();
    World { env, foundry, blobs, store, rule: kept, _stub: stub }
}

fn seed(world: &World) {
    let tags = json!({"key": "old"});
    world.env.emulator().seed(&json!({"name": "my-model", "version": "1", "tags": tags})).expect("seeded");
}

pub(super) fn seeded(rule: Option<Rule>) -> World {
    let world = world(rule, Config::default(), None, Some(BlobStub::start()));
    seed(&world);
    world
}

pub(super) fn with_small_files(rule: Option<Rule>) -> World {
    world(rule, Config::default(), Some(BlockStore::start()), None)
}

pub(super) fn overwriting(rule: Option<Rule>) -> World {
    let world = with_small_files(rule);
    seed(&world);
    world
}

/// One file of two blocks beside the small ones.
pub(super) fn with_blocks(rule: Option<Rule>) -> World {
    let world = with_small_files(rule);
    world.env.write("model/more.bin", vec![5; 9 * MIB]);
    world
}

/// An earlier run sent everything and could not commit the blocks; one of its files is no part of the source any
/// longer.
pub(super) fn interrupted(rule: Option<Rule>) -> World {
    let refused = ResponseFault::Status(403, "x-ms-error-code: AuthenticationFailed\r\n", b"");
    let commit = Rule { route: "PUT container/blob?comp=blocklist".to_owned(), spoil: refused, always: true };
    let config = Config { sas_permissions: "rcwld".to_owned(), ..Config::default() };
    let mut world = world(Some(commit), config, Some(BlockStore::start()), None);
    world.env.write("model/more.bin", vec![5; 9 * MIB]);
    world.env.write("model/gone.json", "{}");
    world.env.set("AZURE_AI_MODELS_TEST_TIME", PREPARATION_TIME);
    world.env.run(&CREATE_NATIVE).fails_with(7);
    world.env.set("AZURE_AI_MODELS_TEST_TIME", TEST_TIME);
    let names = world.store.as_ref().expect("a store").names();
    assert!(names.contains(&"gone.json".to_owned()) && !names.contains(&"more.bin".to_owned()), "{names:?}");
    std::fs::remove_file(world.env.work().join("model/gone.json")).expect("removed");
    world.spoil_from_now_on(rule);
    world
}

/// A model that was uploaded with recorded checksums.
pub(super) fn uploaded(rule: Option<Rule>) -> World {
    let mut world = with_blocks(None);
    world.env.set("AZURE_AI_MODELS_TEST_TIME", PREPARATION_TIME);
    world.env.run(&CREATE_NATIVE).success();
    world.env.set("AZURE_AI_MODELS_TEST_TIME", TEST_TIME);
    world.spoil_from_now_on(rule);
    world
}

/// An account with a base deployment, which a search over the subscriptions finds.
pub(super) fn with_unknown_account(rule: Option<Rule>) -> World {
    let mut world = seeded(rule);
    let origin = format!("http://{}", world.foundry.authority());
    world.env.set("AZURE_AI_MODELS_ARM_ENDPOINT", &origin);
    let model = json!({"format": "OpenAI", "name": "gpt-4.1", "version": "2025-04-14"});
    let sku = json!({"name": "GlobalStandard", "capacity": 10});
    let deployment = json!({"name": "chat", "sku": sku, "properties": {"model": model}});
    world.env.emulator().seed_deployment(&deployment).expect("seeded");
    world
}

/// An account named by the environment, with a base deployment.
pub(super) fn with_account(rule: Option<Rule>) -> World {
    let mut world = with_unknown_account(rule);
    world.env.set("AZURE_AI_PROJECT_ID", PROJECT_ID);
    world
}

pub(super) fn with_azcopy(rule: Option<Rule>) -> World {
    let stub = BlobStub::start();
    stub.holds_before_and_after(&[], &[("config.json", 50), ("model.safetensors", 1000)]);
    world(rule, Config::default(), None, Some(stub))
}

pub(super) fn with_azd(rule: Option<Rule>) -> World {
    let mut world = world(rule, Config::default(), None, Some(BlobStub::start()));
    let origin = format!("http://{}", world.foundry.authority());
    world.env.program("azd", crate::init::AZD);
    let log = world.env.root().join("azd.log").to_string_lossy().into_owned();
    world.env.unset("AZURE_PROJECT_ENDPOINT").set("AZURE_AI_MODELS_ARM_ENDPOINT", &origin).set("AZD_LOG", &log);
    world
}
