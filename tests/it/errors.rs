//! Faults on the wire, and their messages for users and scripts: every route with every fault, and transient faults.

mod lost_answers;
mod redirects;
mod retries;

use std::fmt::Write as _;

use foundry_emulator::{Config, Fault, FaultKind, RequestRecord, RetryAfter, Route};
use serde_json::json;

use crate::support::{Output, TestEnv};

/// Every fault, by its name in the tables.
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

/// One run of the command that uses the route, in an environment without other faults.
struct Case {
    route: Route,
    /// Selects the requests of the route by method and path.
    matches: fn(&RequestRecord) -> bool,
    args: &'static [&'static str],
}

/// Scales of a run that waits in vain for a response: 1.2 seconds. Other requests may be retried.
const WAITS_IN_VAIN: &str = "0.01/0.02";

/// Scales of a run that waits in vain once and must receive the next response in time: 3 seconds.
const WAITS_IN_VAIN_ONCE: &str = "0.01/0.05";

/// Scales of a run whose deletion continues on the service: 10.8 seconds, as no option sets another limit.
const DELETION_CONTINUES: &str = "0.01/0.006";

/// Concurrent runs: a run mostly waits.
const CONCURRENT_RUNS: usize = 6;

const CREATE: &[&str] = &["create", "-n", "my-model", "--source", "model"];

const OVERWRITE: &[&str] = &["create", "-n", "my-model", "--source", "model", "--overwrite", "--yes"];

const DELETE: &[&str] = &["delete", "-n", "my-model", "--version", "1", "-f"];

/// The default limit of a registration is half an hour; this one is 12 seconds, as it is scaled like a pause.
const CREATE_WITH_TIMEOUT: &[&str] = &["create", "-n", "my-model", "--source", "model", "--timeout", "20m"];

const SHOW: &[&str] = &["show", "-n", "my-model", "--version", "1"];

impl Case {
    fn of(route: Route) -> Self {
        let (matches, args): (fn(&RequestRecord) -> bool, _) = match route {
            Route::List => (|r| r.path.ends_with("/models"), &["list"][..]),
            Route::Versions => (|r| r.path.ends_with("/versions"), &["versions", "-n", "my-model"][..]),
            Route::Get => (|r| r.method == "GET" && r.path.ends_with("/versions/1"), SHOW),
            Route::StartPendingUpload => (|r| r.path.ends_with("/startPendingUpload"), CREATE),
            Route::CreateAsync => (|r| r.path.ends_with("/createAsync"), CREATE),
            Route::Poll => (|r| r.path.contains("/operations/"), CREATE_WITH_TIMEOUT),
            Route::Put => (|r| r.method == "PUT", CREATE),
            Route::Delete => (|r| r.method == "DELETE", DELETE),
            Route::Patch => {
                (|r| r.method == "PATCH", &["update", "-n", "my-model", "--version", "1", "--description", "d"][..])
            }
            _ => panic!("no command uses this route"),
        };
        Self { route, matches, args }
    }

    fn env(&self) -> TestEnv {
        // A deletion with an operation is accepted with 202.
        let delete_status = if self.route == Route::Poll { 202 } else { 200 };
        let config = Config { has_create_async: self.route != Route::Put, delete_status, ..Config::default() };
        let env = TestEnv::with(config);
        if self.args.contains(&"--source") {
            env.write_model();
        }
        if !matches!(self.args, CREATE | CREATE_WITH_TIMEOUT) {
            seed(&env);
        }
        env
    }

    /// Environment with a fault. `in_vain`: scales of a run that waits for a missing response.
    fn env_with(&self, fault: Fault, in_vain: &str) -> TestEnv {
        let mut env = self.env();
        if fault.kind == FaultKind::Stall {
            env.set("AZURE_AI_MODELS_TEST_TIME", in_vain);
        } else if self.args == DELETE && self.route == Route::Poll {
            env.set("AZURE_AI_MODELS_TEST_TIME", DELETION_CONTINUES);
        }
        env.emulator().add_fault(fault);
        env
    }

    fn requests(&self, env: &TestEnv) -> usize {
        env.emulator().requests().iter().filter(|request| (self.matches)(request)).count()
    }

    /// Row of a table: the end of the run, its messages, and the number of requests.
    fn row(&self, name: &str, fault: FaultKind) -> String {
        let env = self.env_with(Fault::new(self.route, fault.clone()), WAITS_IN_VAIN);
        let output = env.run(&[self.args, &["-o", "json"]].concat());
        let count = match self.requests(&env) {
            // On a busy machine the response to createAsync may come too late, and the model is polled instead.
            0 => return self.row(name, fault),
            // An operation is polled until the limit: the number of polls depends on the machine.
            many if many > 5 => "many".to_owned(),
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
            // The remaining time is in whole seconds.
            let line = ["9s", "10s", "11s"]
                .iter()
                .fold(line.to_owned(), |line, s| line.replace(&format!(" in {s}"), " in 10s"));
            writeln!(row, "    > {line}").expect("a string");
        }
        row
    }

    /// All faults, each applied to every request of the route.
    fn table(self) -> String {
        let faults = faults();
        let mut rows = Vec::new();
        for chunk in faults.chunks(if self.route == Route::Poll { faults.len() } else { CONCURRENT_RUNS }) {
            std::thread::scope(|scope| {
                let running: Vec<_> =
                    chunk.iter().map(|(name, fault)| scope.spawn(|| self.row(name, fault.clone()))).collect();
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
    insta::assert_snapshot!(Case::of(Route::Poll).table());
}

#[test]
fn every_fault_of_put() {
    insta::assert_snapshot!(Case::of(Route::Put).table());
}

#[test]
fn every_fault_of_patch() {
    insta::assert_snapshot!(Case::of(Route::Patch).table());
}

#[test]
fn every_fault_of_delete() {
    insta::assert_snapshot!(Case::of(Route::Delete).table());
}

/// Deletion of the existing version by `--overwrite`: nothing may be sent before it is deleted.
#[test]
fn every_fault_of_an_overwrites_deletion() {
    insta::assert_snapshot!(Case { args: OVERWRITE, ..Case::of(Route::Delete) }.table());
}

/// A deletion that was accepted and is still running.
#[test]
fn every_fault_of_a_deletions_operation() {
    let case = Case { args: DELETE, ..Case::of(Route::Poll) };
    insta::assert_snapshot!(case.table());
}

#[test]
fn error_pages() {
    let page = |fault| {
        let env = Case::of(Route::List).env();
        env.emulator().add_fault(Fault::new(Route::List, fault));
        env.run(&["list"])
    };
    let denied =
        "The principal lacks the required data action Microsoft.CognitiveServices/accounts/AIServices/models/read.";
    insta::assert_snapshot!("page_403", page(FaultKind::refusal(403, "PermissionDenied", denied)));
    insta::assert_snapshot!("page_401", page(FaultKind::refusal(401, "Unauthorized", "Access token is missing.")));
    insta::assert_snapshot!("page_429", page(FaultKind::retry_later(429, RetryAfter::Seconds(100))));
    insta::assert_snapshot!("page_404", page(FaultKind::refusal(404, "ProjectNotFound", "Project 'demo' not found.")));
}

fn reported_retries(output: &Output) -> usize {
    output.stderr.matches("retrying in").count()
}
