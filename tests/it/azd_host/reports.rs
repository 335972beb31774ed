//! Errors that azd shows on behalf of the program, and errors that the program shows itself.

use fake_azd_host::proto::{ErrorOrigin, extension_error::Source};
use fake_azd_host::{FakeHost, Fault, HostState, refusal};
use foundry_emulator::{Fault as FoundryFault, FaultKind, Route};

use super::env;

#[test]
fn only_azd_shows_the_error() {
    let host = FakeHost::start(HostState::default());
    let env = env(&host);
    let output = env.run(&["show", "--name", "nothing"]).fails_with(3);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    let reports = host.reports();
    assert_eq!(reports.len(), 1);
    let report = &reports[0];
    let lines: Vec<&str> = report.message.lines().collect();
    assert_eq!(lines[0], "model 'nothing' not found in this project");
    assert_eq!(report.suggestion, "To see what exists: azd ai models custom list");
    assert_eq!(report.origin(), ErrorOrigin::Service);

    env.emulator().add_fault(FoundryFault::new(Route::List, FaultKind::status(403)));
    let output = env.run(&["list"]).fails_with(4);
    assert!(output.stderr.is_empty(), "{output}");
    let report = host.reports().pop().expect("a report");
    assert!(report.message.starts_with("no permission: "), "{}", report.message);
    assert!(report.message.lines().last().is_some_and(|line| line.starts_with("Request id: ")), "{}", report.message);
    assert_eq!((report.links.len(), report.links[0].title.as_str()), (2, "Roles"));
    assert!(report.links[0].url.starts_with("https://learn.microsoft.com/"));
    assert_eq!(report.origin(), ErrorOrigin::Service);
    let Some(Source::ServiceError(detail)) = report.source else { panic!("{report:?}") };
    assert_eq!((detail.status_code, detail.service_name.is_empty()), (403, false));
}

#[test]
fn origin_category_and_code_describe_the_failure() {
    let host = FakeHost::start(HostState::default());
    let mut env = env(&host);
    env.write_model();
    env.azcopy_script("exit 1\n");
    env.write("bad/model.safetensors", [0; 4]);
    for (args, code, origin, category, word) in [
        (&["list", "--wat"][..], 2, ErrorOrigin::Local, "validation", "usage"),
        (&["list", "-e", "nowhere"], 3, ErrorOrigin::Local, "user", "environment_not_found"),
        (&["check", "bad"], 6, ErrorOrigin::Local, "validation", "missing_config"),
        (&["create", "-n", "my-model", "--source", "model"], 7, ErrorOrigin::Tool, "dependency", "azcopy_failed"),
    ] {
        let output = env.run(args).fails_with(code);
        assert!(!output.stderr.contains("ERROR"), "{output}");
        let report = host.reports().pop().expect("a report");
        assert_eq!(report.origin(), origin, "{args:?}");
        let Some(Source::LocalError(detail)) = report.source else { panic!("{report:?}") };
        assert_eq!((detail.category.as_str(), detail.code.as_str()), (category, word), "{args:?}");
    }
    assert_eq!(host.reports().len(), 4);
}

#[test]
fn program_shows_errors_that_azd_did_not_accept() {
    let page = "ERROR: unexpected argument '--wat' found\n\nSuggestion: See 'azd ai models list --help'.\n";
    let host = FakeHost::start(HostState::default());
    let mut env = env(&host);
    for fault in [Fault::Status(refusal(13, "no")), Fault::Status(refusal(14, "gone")), Fault::Silence] {
        host.change(|host_state| host_state.faults = [("Extension.ReportError".to_owned(), fault.clone())].into());
        assert_eq!(env.run(&["list", "--wat"]).fails_with(2).stderr, page, "{fault:?}");
    }
    let reports = host.methods().into_iter().filter(|method| method == "Extension.ReportError");
    assert_eq!(reports.count(), 3);
    host.change(|host_state| host_state.faults.clear());
    // The token has expired.
    env.set("AZD_ACCESS_TOKEN", "another-token");
    assert_eq!(env.run(&["list", "--wat"]).fails_with(2).stderr, page);
    env.unset("AZD_ACCESS_TOKEN");
    assert_eq!(env.run(&["list", "--wat"]).fails_with(2).stderr, page);
    env.set("AZD_SERVER", "127.0.0.1:9");
    assert_eq!(env.run(&["list", "--wat"]).fails_with(2).stderr, page);
    env.set("AZD_SERVER", "example.com:80");
    assert_eq!(env.run(&["list", "--wat"]).fails_with(2).stderr, page);
    assert!(host.reports().is_empty());
}

#[test]
fn json_errors_are_not_shown_by_azd() {
    let host = FakeHost::start(HostState::default());
    let env = env(&host);
    for args in [&["list", "--wat", "-o", "json"][..], &["show", "-n", "nothing", "-o", "json"]] {
        let output = env.run(args);
        assert!(output.json_error()["message"].is_string());
        assert!(output.stdout.is_empty());
    }
    assert!(!host.methods().contains(&"Extension.ReportError".to_owned()));
}

#[test]
fn json_lines_include_the_error_that_azd_shows() {
    let host = FakeHost::start(HostState::default());
    let mut env = env(&host);
    env.write_model();
    env.azcopy_script("exit 1\n");
    let args = ["create", "-n", "my-model", "--source", "model", "--progress", "json"];
    let output = env.run(&args).fails_with(7);
    let errors = output.stderr.lines().filter(|line| line.contains(r#""event":"error""#)).count();
    assert_eq!((errors, output.stderr.contains("ERROR: "), host.reports().len()), (1, false, 1), "{output}");
}
