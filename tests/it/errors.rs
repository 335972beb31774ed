//! What goes wrong on the wire, and what a person or a script is told of it: every route with every fault, and the faults
//! that pass.

use std::fmt::Write as _;

use foundry_emulator::{Config, Fault, FaultKind, RequestRecord, RetryAfter, Route};
use serde_json::json;

use crate::support::TestEnv;

/// Every fault, by the name that it has in the tables.
fn faults() -> Vec<(&'static str, FaultKind)> {
    vec![
        ("401", FaultKind::status(401)),
        ("403", FaultKind::status(403)),
        ("404", FaultKind::status(404)),
        ("404 of a model", FaultKind::refusal(404, "ModelNotFound", "Model 'my-model' was not found.")),
        ("409", FaultKind::status(409)),
        ("429 in 7 s", FaultKind::retry_later(429, RetryAfter::Seconds(7))),
        ("429 by date", FaultKind::retry_later(429, RetryAfter::DateInSeconds(10))),
        ("500", FaultKind::status(500)),
        ("503", FaultKind::status(503)),
        ("503 in 7 s", FaultKind::retry_later(503, RetryAfter::Seconds(7))),
        ("reset", FaultKind::Reset),
        ("stall", FaultKind::Stall),
        ("truncated", FaultKind::Truncated),
        ("HTML 502", FaultKind::Html { status: 502 }),
        ("HTML 200", FaultKind::Html { status: 200 }),
        ("junk JSON", FaultKind::JunkJson),
        ("empty body", FaultKind::EmptyBody),
    ]
}

/// One run of the command that uses the route, in a world where nothing else is wrong.
struct Case {
    route: Route,
    /// The route's requests: method, and what the path ends with or holds.
    is: fn(&RequestRecord) -> bool,
    args: &'static [&'static str],
    scale: &'static str,
    /// Runs at a time: most of their time is pauses.
    at_once: usize,
}

const CREATE: &[&str] = &["create", "-n", "my-model", "--source", "model"];
const SHOW: &[&str] = &["show", "-n", "my-model", "--version", "1"];

impl Case {
    fn of(route: Route) -> Self {
        let (is, args): (fn(&RequestRecord) -> bool, _) = match route {
            Route::List => (|r| r.path.ends_with("/models"), &["list"][..]),
            Route::Versions => (|r| r.path.ends_with("/versions"), &["versions", "-n", "my-model"][..]),
            Route::Get => (|r| r.method == "GET" && r.path.ends_with("/versions/1"), SHOW),
            Route::StartPendingUpload => (|r| r.path.ends_with("/startPendingUpload"), CREATE),
            Route::CreateAsync => (|r| r.path.ends_with("/createAsync"), CREATE),
            Route::Poll => (|r| r.path.contains("/operations/"), CREATE),
            Route::Put => (|r| r.method == "PUT", CREATE),
            Route::Delete => (|r| r.method == "DELETE", &["delete", "-n", "my-model", "--version", "1", "-f"][..]),
            _ => panic!("no command uses it"),
        };
        Self { route, is, args, scale: "0.01", at_once: 4 }
    }

    fn env(&self) -> TestEnv {
        let config = Config { has_create_async: self.route != Route::Put, ..Config::default() };
        let mut env = TestEnv::with(config);
        env.set("AZURE_AI_MODELS_TEST_TIME", self.scale);
        if self.args == CREATE {
            env.write_model();
        } else {
            seed(&env);
        }
        env
    }

    fn requests(&self, env: &TestEnv) -> usize {
        env.emulator().requests().iter().filter(|request| (self.is)(request)).count()
    }

    /// The row of a table: how the run ended, what it said, what the wire carried.
    fn row(&self, name: &str, fault: FaultKind) -> String {
        let env = self.env();
        env.emulator().add_fault(Fault::new(self.route, fault));
        let output = env.run(&[self.args, &["-o", "json"]].concat());
        let count = match self.requests(&env) {
            // Looks at an operation until the time is over: how many depends on the machine.
            many if many > 9 => "many".to_owned(),
            count => count.to_string(),
        };
        if output.code == Some(0) {
            return format!("{name:<15} {count:>4}  0  success\n");
        }
        assert_eq!(output.stdout, "", "{name}: {output}");
        let error = output.json_error();
        let text = |key: &str| error[key].as_str().unwrap_or("-").to_owned();
        let code = output.code.expect("no signal");
        let (kind, word, status) = (text("kind"), text("code"), error["status"].to_string());
        let mut row = format!("{name:<15} {count:>4}  {code}  {kind} {word} {status}\n");
        for line in text("message").lines() {
            writeln!(row, "    {line}").expect("a string");
        }
        for line in text("suggestion").lines() {
            // The date is in whole seconds.
            let line = ["9s", "10s", "11s"]
                .iter()
                .fold(line.to_owned(), |line, s| line.replace(&format!(" in {s}"), " in 10s"));
            writeln!(row, "    > {line}").expect("a string");
        }
        row
    }

    /// All faults, each for every request of the route.
    fn table(self) -> String {
        let faults = faults();
        let mut rows = Vec::new();
        for few in faults.chunks(self.at_once) {
            std::thread::scope(|scope| {
                let running: Vec<_> =
                    few.iter().map(|(name, fault)| scope.spawn(|| self.row(name, fault.clone()))).collect();
                rows.extend(running.into_iter().map(|row| row.join().expect("a row")));
            });
        }
        format!("{:?}: requests, exit code, kind, code, status\n\n{}", self.route, rows.concat())
    }
}

fn seed(env: &TestEnv) {
    env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
}

#[test]
fn every_fault_of_list() {
    insta::assert_snapshot!(Case::of(Route::List).table());
}

#[test]
fn every_fault_of_versions() {
    insta::assert_snapshot!(Case::of(Route::Versions).table());
}

#[test]
fn every_fault_of_get() {
    insta::assert_snapshot!(Case::of(Route::Get).table());
}

#[test]
fn every_fault_of_start_pending_upload() {
    insta::assert_snapshot!(Case::of(Route::StartPendingUpload).table());
}

#[test]
fn every_fault_of_create_async() {
    insta::assert_snapshot!(Case::of(Route::CreateAsync).table());
}

#[test]
fn every_fault_of_poll() {
    // The limit of a registration is half an hour.
    insta::assert_snapshot!(Case { scale: "0.006", at_once: 17, ..Case::of(Route::Poll) }.table());
}

#[test]
fn every_fault_of_put() {
    insta::assert_snapshot!(Case::of(Route::Put).table());
}

#[test]
fn every_fault_of_delete() {
    insta::assert_snapshot!(Case::of(Route::Delete).table());
}
