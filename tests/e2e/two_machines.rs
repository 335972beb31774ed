//! Two machines upload one version, with files of the same names and sizes: ETags identify the writer, with both
//! engines.

use std::process::Output;

use foundry_emulator::{Fault, FaultKind, Route};

use crate::stage::{Stage, files};

const CREATE: [&str; 7] = ["create", "-n", "shared", "--source", "m", "--skip-check", "--engine"];
const ENGINES: [&str; 2] = ["azcopy", "native"];

/// Two machines with different files; both use the project of the first.
fn machines() -> [Stage; 2] {
    let stages = [Stage::new(), Stage::new()];
    for (stage, byte) in stages.iter().zip([1, 2]) {
        stage.write("m/model.safetensors", &vec![byte; 20 << 20]);
        stage.write("m/sub/config.json", &[byte; 50]);
    }
    stages
}

/// Runs the upload on a machine. Returns the exit code and standard error.
fn create(stage: &Stage, project: &Stage, engine: &str) -> (Option<i32>, String) {
    let mut command = stage.command(&[&CREATE[..], &[engine]].concat());
    command.env("AZURE_PROJECT_ENDPOINT", project.emulator.endpoint());
    let Output { status, stderr, .. } = command.output().expect("it runs");
    (status.code(), String::from_utf8_lossy(&stderr).into_owned())
}

#[test]
fn blobs_of_another_machine_are_not_registered() {
    for engine in ENGINES {
        let [first, second] = machines();
        first.emulator.add_fault(Fault::new(Route::CreateAsync, FaultKind::status(400)).times(2));
        for machine in [&first, &second] {
            let (code, stderr) = create(machine, &first, engine);
            assert_eq!(code, Some(8), "{engine}: {stderr}");
        }
        let (code, stderr) = create(&first, &first, engine);
        assert_eq!(code, Some(7), "{engine}: {stderr}");
        assert!(stderr.contains("model.safetensors in the blob store was overwritten by another upload"), "{stderr}");
        let (code, stderr) = create(&first, &first, engine);
        assert_eq!(code, Some(0), "{engine}: {stderr}");
        let model = first.json(&["show", "-n", "shared", "-o", "json"]);
        assert!(first.blobs(&model) == files(&first.work().join("m")), "{engine}: {stderr}");
    }
}

#[test]
fn a_different_model_registered_by_another_machine_is_an_error() {
    for engine in ENGINES {
        let [first, second] = machines();
        first.emulator.add_fault(Fault::new(Route::CreateAsync, FaultKind::status(400)).times(1));
        assert_eq!(create(&first, &first, engine).0, Some(8));
        let (code, stderr) = create(&second, &first, engine);
        assert_eq!(code, Some(0), "{engine}: {stderr}");
        let (code, stderr) = create(&first, &first, engine);
        assert_eq!(code, Some(8), "{engine}: {stderr}");
        assert!(stderr.contains("Its files differ from this upload"), "{stderr}");
    }
}
