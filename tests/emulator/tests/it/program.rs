//! The program, started as by a script.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use foundry_emulator::Config;

use crate::client::{Answer, Client};

/// Kills the program when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test]
async fn sas_urls_of_another_store_are_issued_without_requests_to_it() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_foundry-emulator"));
    command.args(["--port", "0", "--store", "https://127.0.0.1:9/account"]);
    let mut program = Running(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(program.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let endpoint = lines.next().unwrap().strip_prefix("AZURE_PROJECT_ENDPOINT=").unwrap().to_owned();
    assert_eq!(lines.nth(1).unwrap(), "ready");
    let url = format!("{endpoint}/models/tiny/versions/1/startPendingUpload?api-version=v1");
    let request = reqwest::Client::new()
        .post(url)
        .bearer_auth("any")
        .header("foundry-features", "Models=V1Preview")
        .json(&serde_json::json!({"pendingUploadType": "TemporaryBlobReference"}));
    let answer = Answer::of(request).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let location = answer.body["blobReferenceForConsumption"]["blobUri"].as_str().unwrap();
    assert!(location.starts_with("https://127.0.0.1:9/account/"), "{location}");
}

#[tokio::test]
async fn the_program_prints_its_variables_and_exits_cleanly() {
    let file = std::env::temp_dir().join(format!("foundry-emulator-endpoint-{}", std::process::id()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_foundry-emulator"));
    command.args(["--port", "0", "--fault", "list:status=503,count=1", "--write-endpoint"]).arg(&file);
    let mut program = Running(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(program.0.stdout.take().unwrap()).lines().map(Result::unwrap);

    let endpoint = lines.next().unwrap().strip_prefix("AZURE_PROJECT_ENDPOINT=").unwrap().to_owned();
    assert_eq!(lines.next().unwrap(), "AZURE_AI_MODELS_CREDENTIAL=emulator");
    assert_eq!(lines.next().unwrap(), "ready");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), endpoint);
    std::fs::remove_file(&file).unwrap();

    let client = Client::new(Config::default());
    let list = format!("{endpoint}/models?api-version=v1");
    assert_eq!(client.follow(&list).await.status, 503);
    client.follow(&list).await.assert_refused(400, "PreviewFeatureRequired");

    assert!(Command::new("kill").arg(program.0.id().to_string()).status().unwrap().success());
    assert!(program.0.wait().unwrap().success());
}

#[test]
fn the_program_reports_invalid_options() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_foundry-emulator")).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, message) = run(&["--fault", "list:explode"]);
    assert_eq!(code, Some(2));
    assert!(message.contains("unknown kind 'explode'; known: status=N"), "{message}");
    let (code, message) = run(&["--port", "0", "--seed", "/does/not/exist.json"]);
    assert_eq!(code, Some(1));
    assert!(message.starts_with("foundry-emulator: /does/not/exist.json: "), "{message}");
}
