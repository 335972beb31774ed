//! The program as azd runs it: a fake host, the calls it received, and errors that azd shows.

mod calls;
mod reports;

use azure_ai_models_core::env::var;
use fake_azd_host::{FakeHost, Fault, HostState};

use crate::support::TestEnv;

/// Environment with a project that only the azd environment of this host names.
fn env(host: &FakeHost) -> TestEnv {
    let mut env = TestEnv::new();
    env.run_by(host);
    host.change(|host_state| {
        *host_state =
            host_state.clone().with_environment("dev", true, &[("AZURE_PROJECT_ENDPOINT", &env.emulator().endpoint())]);
    });
    env.unset("AZURE_PROJECT_ENDPOINT");
    env
}

#[test]
fn proxies_are_not_used_for_azds_server() {
    let host = FakeHost::start(HostState::default());
    let mut env = env(&host);
    env.set("HTTP_PROXY", "http://127.0.0.1:9").set("ALL_PROXY", "http://127.0.0.1:9");
    env.run(&["list"]).success();
    // Once for the injected variables and once for the project.
    let calls = ["Project.Get", "Environment.List", "Environment.GetValues"];
    assert_eq!(host.methods(), [calls, calls].concat());
}

#[test]
fn commands_that_describe_the_program_do_not_call_azd() {
    let host = FakeHost::start(HostState::default().with_fault("Project.Get", Fault::Silence));
    let env = env(&host);
    let commands = [&["version"][..], &["version", "-o", "json"], &["metadata"], &["completion", "bash"]];
    let helps = [&["--help"][..], &["custom", "create", "--help"], &["custom"], &["list", "--docs"]];
    for args in [commands, helps].concat() {
        let output = env.run(args).success();
        assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{args:?}: {output}");
    }
    assert_eq!(host.methods(), [""; 0]);
}

#[test]
fn unresponsive_azd_is_awaited_once() {
    let host = FakeHost::start(HostState::default().with_fault("Project.Get", Fault::Silence));
    let mut env = env(&host);
    env.set(var::TEST_TIME, "0.01/0.02");
    let output = env.run(&["list"]).fails_with(9);
    assert!(output.stderr.contains("azd did not respond within"), "{output}");
    assert_eq!(host.methods(), ["Project.Get"]);
}

#[cfg(unix)]
#[test]
fn azd_is_not_called_after_ctrl_c() {
    use crate::support::{Running, eventually, send};
    let host = FakeHost::start(HostState::default().with_fault("Environment.List", Fault::SilenceAfter(1)));
    let mut env = env(&host);
    env.set("AZURE_AI_MODELS_TEST_TIME", "1");
    let running = Running::start(&env, &["list"]);
    let asked = || host.methods().iter().filter(|method| *method == "Environment.List").count();
    eventually("asked for the project", || asked() == 2);
    send(running.pid(), rustix::process::Signal::INT);
    let output = running.finish(&env);
    assert_eq!((output.code, output.stderr.as_str()), (Some(130), "ERROR: Interrupted.\n"));
    assert!(host.reports().is_empty());
}
