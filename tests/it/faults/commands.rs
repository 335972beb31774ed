//! The commands of the matrix: the setup that each runs in, and the verification of its output.

use std::io::{Read, Write};
use std::net::TcpStream;

use foundry_emulator::Config;
use serde_json::{Value, json};

use crate::support::{BlobStub, BlockStore, FaultProxy, ResponseFault, Rule, TestEnv};

const MIB: usize = 1 << 20;
const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";

/// One command line.
pub(super) struct Command {
    pub(super) name: &'static str,
    pub(super) args: &'static [&'static str],
    /// A fresh world in which the command succeeds, except for the rule.
    pub(super) world: fn(Option<Rule>) -> World,
    /// Compares the standard output of the command with the state of the service.
    pub(super) happened: fn(&World, &[u8]) -> Result<(), String>,
}

/// All that one run meets.
pub(super) struct World {
    pub(super) env: TestEnv,
    foundry: FaultProxy,
    blobs: FaultProxy,
    store: Option<BlockStore>,
    rule: Option<Rule>,
    _stub: Option<BlobStub>,
}

impl World {
    pub(super) fn routes(&self) -> Vec<String> {
        [self.foundry.routes(), self.blobs.routes()].concat()
    }

    pub(super) fn spoiled(&self) -> usize {
        self.foundry.spoiled() + self.blobs.spoiled()
    }

    /// The model as the service has it, asked past the proxy.
    fn model(&self, version: &str) -> Option<Value> {
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

pub(super) const COMMANDS: &[Command] = &[
    Command { name: "list", args: &["custom", "list"], world: seeded, happened: listed },
    Command { name: "versions", args: &["custom", "versions", "-n", "my-model"], world: seeded, happened: listed },
    Command {
        name: "show",
        args: &["custom", "show", "-n", "my-model", "--version", "1"],
        world: seeded,
        happened: shown,
    },
    Command { name: "show latest", args: &["custom", "show", "-n", "my-model"], world: seeded, happened: shown },
    Command {
        name: "wait",
        args: &["custom", "wait", "-n", "my-model", "--version", "1"],
        world: seeded,
        happened: shown,
    },
    Command {
        name: "update",
        args: &["custom", "update", "-n", "my-model", "--version", "1", "--set-tag", "key=new"],
        world: seeded,
        happened: updated,
    },
    Command {
        name: "delete",
        args: &["custom", "delete", "-n", "my-model", "--version", "1", "--force"],
        world: seeded,
        happened: deleted,
    },
    Command { name: "create, native", args: &CREATE_NATIVE, world: with_blocks, happened: created },
    Command { name: "create, resumed", args: &CREATE_NATIVE, world: interrupted, happened: created },
    Command { name: "create, AzCopy", args: &CREATE_AZCOPY, world: with_azcopy, happened: registered },
    Command { name: "create --overwrite", args: &OVERWRITE, world: overwriting, happened: created },
    Command { name: "create --version auto", args: &AUTO, world: with_small_files, happened: created },
    Command { name: "create --no-wait", args: &NO_WAIT, world: with_small_files, happened: accepted },
    Command { name: "init", args: &["init", "-p", PROJECT_ID, "-n", "dev"], world: with_azd, happened: connected },
];

const CREATE_NATIVE: [&str; 8] = ["custom", "create", "-n", "my-model", "--source", "model", "--engine", "native"];
const CREATE_AZCOPY: [&str; 6] = ["custom", "create", "-n", "my-model", "--source", "model"];
const OVERWRITE: [&str; 10] =
    ["custom", "create", "-n", "my-model", "--source", "model", "--engine", "native", "--overwrite", "--yes"];
const AUTO: [&str; 10] =
    ["custom", "create", "-n", "my-model", "--source", "model", "--engine", "native", "--version", "auto"];
const NO_WAIT: [&str; 9] =
    ["custom", "create", "-n", "my-model", "--source", "model", "--engine", "native", "--no-wait"];
const PROJECT_ID: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-emulator/providers/Microsoft.CognitiveServices/accounts/emulator/projects/demo";

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
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.001/0.003");
    env.write_model();
    World { env, foundry, blobs, store, rule: kept, _stub: stub }
}

fn seed(world: &World) {
    let tags = json!({"key": "old"});
    world.env.emulator().seed(&json!({"name": "my-model", "version": "1", "tags": tags})).expect("seeded");
}

fn seeded(rule: Option<Rule>) -> World {
    let world = world(rule, Config::default(), None, Some(BlobStub::start()));
    seed(&world);
    world
}

fn with_small_files(rule: Option<Rule>) -> World {
    world(rule, Config::default(), Some(BlockStore::start()), None)
}

fn overwriting(rule: Option<Rule>) -> World {
    let world = with_small_files(rule);
    seed(&world);
    world
}

/// One file of two blocks beside the small ones.
fn with_blocks(rule: Option<Rule>) -> World {
    let world = with_small_files(rule);
    world.env.write("model/more.bin", vec![5; 9 * MIB]);
    world
}

/// An earlier run sent everything and could not commit the blocks; one of its files is no part of the source any
/// longer.
fn interrupted(rule: Option<Rule>) -> World {
    let refused = ResponseFault::Status(403, "x-ms-error-code: AuthenticationFailed\r\n", b"");
    let commit = Rule { route: "PUT container/blob?comp=blocklist".to_owned(), spoil: refused, always: true };
    let config = Config { sas_permissions: "rcwld".to_owned(), ..Config::default() };
    let mut world = world(Some(commit), config, Some(BlockStore::start()), None);
    world.env.write("model/more.bin", vec![5; 9 * MIB]);
    world.env.write("model/gone.json", "{}");
    world.env.run(&CREATE_NATIVE).fails_with(7);
    let names = world.store.as_ref().expect("a store").names();
    assert!(names.contains(&"gone.json".to_owned()) && !names.contains(&"more.bin".to_owned()), "{names:?}");
    std::fs::remove_file(world.env.work().join("model/gone.json")).expect("removed");
    for proxy in [&world.foundry, &world.blobs] {
        proxy.spoil_from_now_on(rule.clone());
    }
    world.rule = rule;
    world
}

fn with_azcopy(rule: Option<Rule>) -> World {
    let stub = BlobStub::start();
    stub.holds_before_and_after(&[], &[("config.json", 50), ("model.safetensors", 1000)]);
    world(rule, Config::default(), None, Some(stub))
}

fn with_azd(rule: Option<Rule>) -> World {
    let mut world = world(rule, Config::default(), None, Some(BlobStub::start()));
    let origin = format!("http://{}", world.foundry.authority());
    world.env.program("azd", crate::init::AZD);
    let log = world.env.root().join("azd.log").to_string_lossy().into_owned();
    world.env.unset("AZURE_PROJECT_ENDPOINT").set("AZURE_AI_MODELS_ARM_ENDPOINT", &origin).set("AZD_LOG", &log);
    world
}

fn document(stdout: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(stdout).map_err(|error| format!("{error}: {}", String::from_utf8_lossy(stdout)))
}

fn equal(what: &str, found: &Value, expected: &Value) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found}, not {expected}")) }
}

fn listed(_: &World, stdout: &[u8]) -> Result<(), String> {
    let found = document(stdout)?;
    let rows = found.as_array().ok_or_else(|| format!("no list: {found}"))?;
    let names: Vec<_> = rows.iter().map(|row| json!([row["name"], row["version"]])).collect();
    equal("models", &json!(names), &json!([["my-model", "1"]]))
}

fn shown(_: &World, stdout: &[u8]) -> Result<(), String> {
    let found = document(stdout)?;
    equal("model", &json!([found["name"], found["version"]]), &json!(["my-model", "1"]))
}

fn updated(world: &World, stdout: &[u8]) -> Result<(), String> {
    shown(world, stdout)?;
    equal("tag", &world.model("1").ok_or("no model")?["tags"]["key"], &json!("new"))
}

fn deleted(world: &World, _: &[u8]) -> Result<(), String> {
    world.model("1").map_or(Ok(()), |model| Err(format!("it is still there: {model}")))
}

/// There, with the place that the bytes went to.
fn registered(world: &World, stdout: &[u8]) -> Result<(), String> {
    let found = document(stdout)?;
    let model = world.model(found["version"].as_str().unwrap_or_default()).ok_or("no such model")?;
    let place = model["blobUri"].as_str().unwrap_or_default();
    if place.contains(&world.blobs.authority()) { Ok(()) } else { Err(format!("another place: {model}")) }
}

fn created(world: &World, stdout: &[u8]) -> Result<(), String> {
    registered(world, stdout)?;
    arrived(world)
}

/// The registration was asked for, and every byte is there.
fn accepted(world: &World, stdout: &[u8]) -> Result<(), String> {
    equal("version", &document(stdout)?["version"], &json!("1"))?;
    let asked =
        |request: &foundry_emulator::RequestRecord| request.path.ends_with("/createAsync") || request.method == "PUT";
    // Only the service itself answers 202.
    let is_said = matches!(&world.rule, Some(Rule { spoil: ResponseFault::Instead(answer), .. }) if answer.starts_with(b"HTTP/1.1 202"));
    if !is_said && !world.env.emulator().requests().iter().any(asked) {
        return Err("no registration was asked for".into());
    }
    arrived(world)
}

fn arrived(world: &World) -> Result<(), String> {
    let store = world.store.as_ref().expect("a store");
    for entry in std::fs::read_dir(world.env.work().join("model")).expect("the model") {
        let entry = entry.expect("a file");
        let name = entry.file_name().to_string_lossy().into_owned();
        let content = std::fs::read(entry.path()).expect("its content");
        let blob = store.blob(&name).map(|blob| blob.content);
        if !name.starts_with('.') && blob.as_ref() != Some(&content) {
            return Err(format!("{name} is not what was sent: {:?} bytes", blob.map(|blob| blob.len())));
        }
    }
    Ok(())
}

fn connected(world: &World, _: &[u8]) -> Result<(), String> {
    let values = std::fs::read_to_string(world.env.work().join(".azure/dev/.env")).unwrap_or_default();
    let expected = [
        "AZURE_TENANT_ID=",
        "AZURE_SUBSCRIPTION_ID=00000000-0000-0000-0000-000000000001",
        "AZURE_RESOURCE_GROUP_NAME=rg-emulator",
        "AZURE_ACCOUNT_NAME=emulator",
        "AZURE_PROJECT_NAME=demo",
        "AZURE_LOCATION=",
        "AZURE_PROJECT_ENDPOINT=",
    ];
    match expected.iter().find(|line| !values.contains(*line)) {
        Some(missing) => Err(format!("{missing} is missing: {values}")),
        None => Ok(()),
    }
}
