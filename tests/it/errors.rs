//! Faults on the wire, and their messages for users and scripts: every route with every fault, and transient faults.

use std::fmt::Write as _;

use foundry_emulator::{Config, Fault, FaultKind, RequestRecord, RetryAfter, Route};
use serde_json::json;

use crate::support::{Output, TestEnv, env_with};

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
}

/// Scales of a run that waits for an answer in vain: 1.2 seconds. Its other requests may be repeated.
const IN_VAIN: &str = "0.01/0.02";
/// Scales of a run that waits in vain, and must get the next answer in time: 3 seconds.
const IN_VAIN_AT_FIRST: &str = "0.01/0.05";
/// Scales of a run whose deletion continues: 10.8 seconds, as no option sets another limit.
const DELETION_THAT_GOES_ON: &str = "0.01/0.006";
/// Runs at a time: most of their time is pauses.
const AT_ONCE: usize = 6;

const CREATE: &[&str] = &["create", "-n", "my-model", "--source", "model"];
const OVERWRITE: &[&str] = &["create", "-n", "my-model", "--source", "model", "--overwrite", "--yes"];
const DELETE: &[&str] = &["delete", "-n", "my-model", "--version", "1", "-f"];
/// The limit of a registration is half an hour, unless it is named: 12 seconds, as it is scaled like a pause.
const CREATE_FOR_SOME_TIME: &[&str] = &["create", "-n", "my-model", "--source", "model", "--timeout", "20m"];
const SHOW: &[&str] = &["show", "-n", "my-model", "--version", "1"];

impl Case {
    fn of(route: Route) -> Self {
        let (is, args): (fn(&RequestRecord) -> bool, _) = match route {
            Route::List => (|r| r.path.ends_with("/models"), &["list"][..]),
            Route::Versions => (|r| r.path.ends_with("/versions"), &["versions", "-n", "my-model"][..]),
            Route::Get => (|r| r.method == "GET" && r.path.ends_with("/versions/1"), SHOW),
            Route::StartPendingUpload => (|r| r.path.ends_with("/startPendingUpload"), CREATE),
            Route::CreateAsync => (|r| r.path.ends_with("/createAsync"), CREATE),
            Route::Poll => (|r| r.path.contains("/operations/"), CREATE_FOR_SOME_TIME),
            Route::Put => (|r| r.method == "PUT", CREATE),
            Route::Delete => (|r| r.method == "DELETE", DELETE),
            Route::Patch => {
                (|r| r.method == "PATCH", &["update", "-n", "my-model", "--version", "1", "--description", "d"][..])
            }
            _ => panic!("no command uses it"),
        };
        Self { route, is, args }
    }

    fn env(&self) -> TestEnv {
        // A deletion with an operation is only accepted.
        let delete_status = if self.route == Route::Poll { 202 } else { 200 };
        let config = Config { has_create_async: self.route != Route::Put, delete_status, ..Config::default() };
        let env = TestEnv::with(config);
        if self.args.contains(&"--source") {
            env.write_model();
        }
        if !matches!(self.args, CREATE | CREATE_FOR_SOME_TIME) {
            seed(&env);
        }
        env
    }

    /// Environment with a fault. A missing answer is waited for during this part of the real limit.
    fn env_with(&self, fault: Fault, in_vain: &str) -> TestEnv {
        let mut env = self.env();
        if fault.kind == FaultKind::Stall {
            env.set("AZURE_AI_MODELS_TEST_TIME", in_vain);
        } else if self.args == DELETE && self.route == Route::Poll {
            env.set("AZURE_AI_MODELS_TEST_TIME", DELETION_THAT_GOES_ON);
        }
        env.emulator().add_fault(fault);
        env
    }

    fn requests(&self, env: &TestEnv) -> usize {
        env.emulator().requests().iter().filter(|request| (self.is)(request)).count()
    }

    /// The row of a table: how the run ended, what it said, what the wire carried.
    fn row(&self, name: &str, fault: FaultKind) -> String {
        let env = self.env_with(Fault::new(self.route, fault.clone()), IN_VAIN);
        let output = env.run(&[self.args, &["-o", "json"]].concat());
        let count = match self.requests(&env) {
            // On a busy machine the answer to createAsync may come too late, and the model is polled instead.
            0 => return self.row(name, fault),
            // Polls of an operation until the time is over: their number depends on the machine.
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
        for few in faults.chunks(if self.route == Route::Poll { faults.len() } else { AT_ONCE }) {
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

/// The deletion of what is in the way: nothing may be sent before it is gone.
#[test]
fn every_fault_of_an_overwrites_deletion() {
    insta::assert_snapshot!(Case { args: OVERWRITE, ..Case::of(Route::Delete) }.table());
}

/// A deletion that was accepted and continues.
#[test]
fn every_fault_of_a_deletions_operation() {
    let case = Case { args: DELETE, ..Case::of(Route::Poll) };
    insta::assert_snapshot!(case.table());
}

/// The service answers 200 for what is gone: a deletion is repeated, and its second answer is as good.
#[test]
fn a_deletion_whose_answer_was_lost_ends_well() {
    for args in [DELETE, OVERWRITE] {
        let case = Case { args, ..Case::of(Route::Delete) };
        for fault in [FaultKind::Reset, FaultKind::status(503), FaultKind::Truncated] {
            let env = case.env();
            env.emulator().add_fault(Fault::new(Route::Delete, fault.clone()).times(1).processed());
            let output = env.run(args).success();
            assert_eq!(case.requests(&env), 2, "{fault:?}: {output}");
        }
    }
}

/// Faults that pass.
fn passing() -> Vec<(&'static str, FaultKind)> {
    let passing = ["429 in 7 s", "500", "503", "reset", "stall", "truncated", "HTML 502"];
    faults().into_iter().filter(|(name, _)| passing.contains(name)).collect()
}

fn retries_said(output: &Output) -> usize {
    output.stderr.matches("retrying in").count()
}

#[test]
fn a_transient_fault_is_reported_once_and_the_command_succeeds() {
    let run = |case: &Case, name: &str, fault: &FaultKind| {
        for times in [1, 2] {
            let env = case.env_with(Fault::new(case.route, fault.clone()).times(times), IN_VAIN_AT_FIRST);
            let output = env.run(case.args).success();
            assert_eq!(retries_said(&output), 1, "{:?}, {name} {times} times: {output}", case.route);
            assert!(output.stderr.contains("(2 of 5)"), "{output}");
            assert_eq!(case.requests(&env), times as usize + 1, "{:?}, {name}", case.route);
        }
    };
    let routes =
        [Route::List, Route::Versions, Route::Get, Route::StartPendingUpload, Route::Put, Route::Patch, Route::Delete];
    let cases = routes.map(Case::of);
    for (name, fault) in passing() {
        std::thread::scope(|scope| {
            for case in &cases {
                scope.spawn(|| run(case, name, &fault));
            }
        });
    }
}

#[test]
fn quiet_does_not_report_retries() {
    let case = Case::of(Route::List);
    let env = case.env();
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::status(503)).times(2));
    let output = env.run(&["list", "-q"]).success();
    assert_eq!((output.stderr.as_str(), case.requests(&env)), ("", 3));
}

#[test]
fn a_retry_in_words() {
    let env = Case::of(Route::List).env();
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::retry_later(429, RetryAfter::Seconds(100))).times(1));
    insta::assert_snapshot!(env.run(&["list"]), @"
    NAME      VERSION  WEIGHT TYPE  CREATED               CREATED BY
    my-model  1        FullWeight   2026-02-14T10:30:00Z  emulator

    1 custom model(s) found
    ------- stderr -------
    Foundry is busy (429 Too Many Requests); retrying in 1 s (2 of 5)
    ");
}

/// An operation continues whether it can be polled or not.
#[test]
fn a_failed_poll_is_repeated() {
    let case = Case::of(Route::Poll);
    std::thread::scope(|scope| {
        for (name, fault) in passing() {
            let case = &case;
            scope.spawn(move || {
                let env = case.env_with(Fault::new(Route::Poll, fault).times(2), IN_VAIN_AT_FIRST);
                let output = env.run(case.args).success();
                assert_eq!(retries_said(&output), 0, "{name}: {output}");
                assert!(case.requests(&env) >= 3, "{name}");
            });
        }
    });
}

/// The emulator's token is always the same, so that the number of requests decides.
#[test]
fn a_refused_token_is_fetched_again_once() {
    let case = Case::of(Route::List);
    let env = case.env();
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::status(401)).times(1));
    let output = env.run(&["list"]).success();
    assert_eq!((output.stderr.as_str(), case.requests(&env)), ("", 2));
}

#[test]
fn pages_that_a_person_sees() {
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

#[test]
fn a_redirect_within_the_origin_is_followed_for_a_get() {
    let case = Case::of(Route::Get);
    let env = case.env();
    let to = "/api/projects/demo/models/my-model/versions/1?api-version=2025-11-15-preview".to_owned();
    env.emulator().add_fault(Fault::new(Route::Get, FaultKind::Redirect { to }).times(1));
    assert_eq!(env.run(&["show", "-n", "my-model", "--version", "1", "-o", "json"]).success().json()["version"], "1");
    assert_eq!(case.requests(&env), 2);
    let to = "/api/projects/demo/models/my-model/versions/1".to_owned();
    env.emulator().add_fault(Fault::new(Route::Get, FaultKind::Redirect { to }));
    let error = env.run(&[SHOW, &["-o", "json"]].concat()).fails_with(9).json_error();
    assert_eq!(error["code"], "redirect", "{error}");
    assert_eq!(case.requests(&env), 2 + 6, "the first, and five that follow");
}

#[test]
fn a_redirect_to_another_host_is_not_followed() {
    let elsewhere = TestEnv::new();
    let there = elsewhere.emulator().endpoint();
    let env = Case::of(Route::List).env();
    let to = format!("{there}/models");
    env.emulator().add_fault(Fault::new(Route::Any, FaultKind::Redirect { to }));
    let output = env.run(&["list"]);
    let authority = there.split('/').nth(2).expect("an authority");
    insta::assert_snapshot!(output.to_string().replace(authority, "[ELSEWHERE]"), @"
    ------- stderr -------
    ERROR: [EMULATOR] redirects the request (307): it redirects to [ELSEWHERE], which receives no token

    Suggestion: Use the project's own endpoint. Tokens are not sent to other addresses.
    [exit code: 9]
    ");
    assert!(elsewhere.emulator().requests().is_empty());
}

#[test]
fn a_redirect_of_a_post_is_refused() {
    let case = Case::of(Route::StartPendingUpload);
    let env = case.env();
    env.emulator().add_fault(Fault::new(Route::StartPendingUpload, FaultKind::Redirect { to: "/elsewhere".into() }));
    insta::assert_snapshot!(env.run(case.args).abridged(), @"
    ------- stderr -------
    [WARNINGS]
    [STEP 1]
    ERROR: [EMULATOR] redirects the request (307): only GET requests are followed

    Suggestion: Use the project's own endpoint. Tokens are not sent to other addresses.
    [exit code: 9]
    ");
    assert_eq!(env.emulator().requests().len(), 1);
    let case = Case::of(Route::CreateAsync);
    let env = case.env();
    env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::Redirect { to: "/elsewhere".into() }));
    let error = env.run(&[case.args, &["-o", "json"]].concat()).fails_with(8).json_error();
    assert_eq!((&error["kind"], &error["code"]), (&json!("registration_failed"), &json!("redirect")), "{error}");
    assert_eq!(case.requests(&env), 1);
}

#[test]
fn a_body_without_measure_is_refused() {
    let case = Case::of(Route::List);
    let env = case.env();
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::HugeBody { bytes: (16 << 20) - 100 }));
    env.run(&["list"]).success();
    let env = case.env();
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::HugeBody { bytes: 16 << 20 }));
    let output = env.run(&["list", "-o", "json"]).fails_with(9);
    let error = output.json_error();
    assert_eq!((&error["kind"], &error["code"]), (&json!("service"), &json!("bad_answer")), "{error}");
    assert!(error["message"].as_str().expect("a text").contains("larger than 16 MB"), "{error}");
    assert_eq!((output.stdout.as_str(), case.requests(&env)), ("", 1));
}

/// Methods and ends of paths of a run's requests after its upload.
fn registration(env: &TestEnv) -> Vec<String> {
    let requests = env.emulator().requests();
    let after = requests.iter().skip_while(|request| !request.path.ends_with("/createAsync"));
    after
        .filter(|request| !request.path.contains("/operations/"))
        .map(|request| format!("{} {}", request.method, request.path.rsplit('/').next().unwrap_or_default()))
        .collect()
}

#[test]
fn a_registration_whose_answer_was_lost_is_found_and_not_sent_again() {
    for fault in [FaultKind::Reset, FaultKind::Stall, FaultKind::status(500), FaultKind::Html { status: 200 }] {
        let mut env = env_with(Config { visible_while_creating: true, ..Config::default() });
        if fault == FaultKind::Stall {
            env.set("AZURE_AI_MODELS_TEST_TIME", IN_VAIN_AT_FIRST);
        }
        env.emulator().add_fault(Fault::new(Route::CreateAsync, fault.clone()).times(1).processed());
        env.run(CREATE).success();
        let sent = registration(&env);
        assert_eq!(sent.iter().filter(|sent| *sent == "POST createAsync").count(), 1, "{fault:?}: {sent:?}");
        assert_eq!(sent[1], "GET 1", "{fault:?}");
    }
}

/// While its operation runs, the service may not show the version: the second POST is a conflict with the first.
#[test]
fn a_registration_whose_answer_was_lost_and_that_is_not_seen_yet_ends_well() {
    let case = Case::of(Route::CreateAsync);
    let env = case.env();
    env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::Reset).times(1).processed());
    env.run(CREATE).success();
    assert_eq!(case.requests(&env), 2);
}

#[test]
fn a_registration_that_never_arrived_is_sent_again_after_a_look() {
    let case = Case::of(Route::CreateAsync);
    let env = case.env();
    env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::Reset).times(1));
    env.run(CREATE).success();
    assert_eq!(registration(&env)[..3], ["POST createAsync", "GET 1", "POST createAsync"]);
}

/// The next attempt may be answered that the version exists.
#[test]
fn a_put_whose_answer_was_lost_is_found() {
    for fault in [FaultKind::Reset, FaultKind::status(503)] {
        let case = Case::of(Route::Put);
        let env = case.env();
        env.emulator().add_fault(Fault::new(Route::Put, fault).times(1).processed());
        env.emulator().add_fault(Fault::new(Route::Put, FaultKind::refusal(409, "ModelVersionConflict", "It exists.")));
        env.run(CREATE).success();
        assert_eq!(case.requests(&env), 2);
    }
}

#[test]
fn a_proxy_of_the_environment_does_not_stand_before_this_machine() {
    let mut env = Case::of(Route::CreateAsync).env();
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        env.set(name, "http://127.0.0.1:9").set(&name.to_lowercase(), "http://127.0.0.1:9");
    }
    let output = env.run(CREATE).success();
    assert_eq!(retries_said(&output), 0, "{output}");
}
