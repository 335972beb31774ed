//! Long-running operations from the user's perspective: all polling methods, failures, limits, Ctrl+C, events.

use foundry_emulator::{Arm, Deploying, DeploymentEnd, Fault, FaultKind, Polling, Route};
use serde_json::Value;

use super::{base, create, custom, deploying, env, with, with_two, writes};
#[cfg(unix)]
use crate::support::Running;

#[test]
fn every_polling_method_returns_the_same_deployment() {
    let foreign = "https://elsewhere.example/operations/1".parse().expect("url");
    for polling in [Polling::Resource, Polling::AsyncOperation, Polling::Location, Polling::Foreign(foreign)] {
        for put_status in [200, 201, 202] {
            let env = deploying(Deploying {
                polling: polling.clone(),
                put_status,
                denies_operation: true,
                ..Deploying::default()
            });
            let output = create(&env, &["--yes", "-o", "json"]).success();
            assert_eq!(output.json()["properties"]["provisioningState"], "Succeeded", "{polling:?} {put_status}");
        }
    }
}

#[test]
fn failed_deployment_reports_the_services_reason() {
    let end = |state: &str| DeploymentEnd::Failed {
        state: state.into(),
        code: "InsufficientQuota".into(),
        message: "no room".into(),
    };
    for polling in [Polling::AsyncOperation, Polling::Location] {
        let env = deploying(Deploying { polling: polling.clone(), end: end("Failed"), ..Deploying::default() });
        let error = create(&env, &["--yes", "-o", "json"]).fails_with(1).json_error();
        assert_eq!(
            (error["code"].as_str(), error["kind"].as_str()),
            (Some("InsufficientQuota"), Some("failure")),
            "{polling:?}"
        );
        assert_eq!(error["message"], "deployment 'dep' ended in state 'Failed': no room", "{polling:?}");
    }
    for state in ["Canceled", "Disabled"] {
        let env = deploying(Deploying { polling: Polling::Resource, end: end(state), ..Deploying::default() });
        let error = create(&env, &["--yes", "-o", "json"]).fails_with(1).json_error();
        assert_eq!(error["code"], "deployment-failed", "{error}");
        assert!(error["message"].as_str().expect("a string").contains(state), "{error}");
    }
}

#[test]
fn limit_suggests_how_to_continue() {
    let mut env = deploying(Deploying { polls_until_done: 1_000_000, ..Deploying::default() });
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.01/1");
    let output = create(&env, &["--yes", "--timeout", "10s"]).fails_with(1);
    assert!(output.stderr.contains("is still running (state Creating)"), "{output}");
    assert!(output.stderr.contains("\n  azure-ai-models custom deployments wait --name dep\n"), "{output}");
    let error = env.run(&["custom", "deployments", "wait", "--name", "dep", "--timeout", "10s", "-o", "json"]);
    assert_eq!(error.fails_with(1).json_error()["code"], "still-running");
}

#[test]
fn wait_follows_a_deployment_created_elsewhere() {
    let env = env();
    env.emulator().begin_deployment(&custom("dep")).expect("started");
    let output = env.run(&["custom", "deployments", "wait", "--name", "dep", "--progress", "json"]).success();
    let events: Vec<Value> = output.stderr.lines().map(|line| serde_json::from_str(line).expect("json")).collect();
    let names: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    assert!(names.len() > 1 && names[..names.len() - 1].iter().all(|name| *name == "deploy.progress"), "{names:?}");
    let keys: Vec<&String> = events[1].as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["event", "time", "name", "status", "seconds"]);
    let done = events.last().expect("an event");
    assert_eq!(
        (done["event"].as_str(), done["name"].as_str(), done["version"].as_str(), done["status"].as_str()),
        (Some("done"), Some("dep"), Some("1"), Some("Succeeded"))
    );
    assert!(output.stdout.starts_with("Deployment: dep\n"), "{output}");
}

#[test]
fn wait_for_a_missing_or_deleted_deployment_is_not_found() {
    let mut env = env();
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.01/0.01");
    env.run(&["custom", "deployments", "wait", "--name", "none"]).fails_with(3);
    env.emulator().begin_deployment_deletion(&custom("dep")).expect("started");
    let output = env.run(&["custom", "deployments", "wait", "--name", "dep"]).fails_with(3);
    assert!(output.stderr.contains("was deleted in the meantime"), "{output}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_the_deployment_running_and_suggests_how_to_wait() {
    let mut env = deploying(Deploying { polls_until_done: 1_000_000, ..Deploying::default() });
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.01/1");
    let mut create = env.command(&["custom", "deployments", "create", "-n", "dep", "--model", "my-model", "-y"]);
    create.args(["--progress", "json"]);
    let running = Running::start_command(create);
    running.wait_for("deploy.progress");
    running.signal(rustix::process::Signal::INT);
    let output = running.finish(&env);
    assert_eq!(output.code, Some(130), "{output}");
    assert!(output.stderr.contains("custom deployments wait --name dep"), "{output}");
    assert_eq!(writes(&env), ["PUT dep"]);
    assert_eq!(env.emulator().deployments().len(), 1);
}

#[test]
fn busy_account_is_retried() {
    let env = env();
    let busy =
        FaultKind::refusal(409, "RequestConflict", "Another operation is being performed on the parent resource.");
    env.emulator().add_fault(Fault::new(Route::ArmPut, busy.clone()).times(2));
    let output = create(&env, &["--yes"]).success();
    assert_eq!(output.stderr.matches("Another operation is running on account").count(), 1, "{output}");
    assert_eq!(writes(&env), ["PUT dep", "PUT dep", "PUT dep"]);
    let mut env = with_two();
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.01/0.01");
    env.emulator().add_fault(Fault::new(Route::ArmDelete, busy));
    let error =
        env.run(&["base", "deployments", "delete", "-n", "chat", "-f", "-o", "json"]).fails_with(5).json_error();
    assert_eq!((error["code"].as_str(), error["kind"].as_str()), (Some("RequestConflict"), Some("conflict")));
}

/// The service completes the request, and its response is lost.
#[test]
fn request_with_a_lost_response_is_not_sent_twice() {
    let env = env();
    env.emulator().add_fault(Fault::new(Route::ArmPut, FaultKind::status(500)).times(1).processed());
    create(&env, &["--yes"]).success();
    assert_eq!(writes(&env), ["PUT dep"]);
}

#[test]
fn deletion_is_confirmed_and_verified() {
    for delete_status in [200, 202] {
        let env = with(Arm { deploying: Deploying { delete_status, ..Deploying::default() }, ..Arm::default() });
        env.emulator().seed_deployment(&base("chat")).expect("seeded");
        let output = env.run(&["base", "deployments", "delete", "-n", "chat"]).fails_with(2);
        assert!(output.stderr.contains("--force"), "{output}");
        let output = env.run(&["base", "deployments", "delete", "-n", "chat", "--force", "-o", "json"]).success();
        assert_eq!(output.stdout, "{\n  \"name\": \"chat\",\n  \"deleted\": true\n}\n");
        assert_eq!(env.emulator().deployments(), Vec::<Value>::new());
        env.run(&["base", "deployments", "delete", "-n", "chat", "--force"]).fails_with(3);
        let output =
            env.run(&["base", "deployments", "delete", "-n", "chat", "--if-exists", "--no-prompt", "-o", "json"]);
        assert_eq!(output.success().json()["deleted"], false);
        assert_eq!(writes(&env), ["DELETE chat"]);
    }
}

#[cfg(unix)]
#[test]
fn deletion_requires_typing_the_name() {
    for (answer, code) in [("chat\n", 0), ("y\n", 1)] {
        let env = with_two();
        let mut terminal = crate::support::Terminal::start(&env, 200, &["deployments", "delete", "-n", "chat"]);
        terminal.wait_for("Type the deployment name to confirm:");
        terminal.type_text(answer);
        let ended = terminal.finish();
        assert_eq!(ended.code, code, "{}", ended.screen);
        assert_eq!(writes(&env).len(), usize::from(code == 0));
    }
}

/// A command reports one end event.
#[test]
fn create_with_deploy_reports_one_end_event() {
    let env = env();
    env.write_model();
    let args =
        ["custom", "create", "-n", "tuned", "--source", "model", "--base-model", "FW-Qwen3-14B", "--deploy", "-y"];
    let output = env.run(&[&args[..], &["--progress", "json"]].concat()).success();
    let events: Vec<Value> = output.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let done: Vec<&Value> = events.iter().filter(|event| event["event"] == "done").collect();
    assert_eq!(done.len(), 1, "{output}");
    assert_eq!(events.last().map(|event| event["event"].clone()), Some("done".into()), "{output}");
}
