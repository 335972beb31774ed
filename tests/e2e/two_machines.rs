//! Two machines upload one version, with files of the same names and sizes: ETags identify the writer, with both
//! engines.

use std::process::Output;

use foundry_emulator::{Fault, FaultKind, Route};

use crate::stage::{Stage, files};

const CREATE: [&str; 7] = ["create", "-n", "shared", "--source", "m", "--skip-check", "--engine"];
const ENGINES: [&str; 2] = ["azcopy", "native"];

/// Machines with files of their own, and the project of the first.
fn machines() -> [Stage; 2] {
    let stages = [Stage::new(), Stage::new()];
    for (stage, byte) in stages.iter().zip([1, 2]) {
        stage.write("m/model.safetensors", &vec![byte; 20 << 20]);
        stage.write("m/sub/config.json", &[byte; 50]);
    }
    stages
}

/// Runs the upload on a machine: its exit code and what it said.
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
            let (code, words) = create(machine, &first, engine);
            assert_eq!(code, Some(8), "{engine}: {words}");
        }
        let (code, words) = create(&first, &first, engine);
        assert_eq!(code, Some(7), "{engine}: {words}");
        assert!(words.contains("model.safetensors in the blob store was overwritten by another upload"), "{words}");
        let (code, words) = create(&first, &first, engine);
        assert_eq!(code, Some(0), "{engine}: {words}");
        let model = first.json(&["show", "-n", "shared", "-o", "json"]);
        assert!(first.blobs(&model) == files(&first.work().join("m")), "{engine}: {words}");
    }
}

#[test]
fn a_model_of_another_machine_is_no_success() {
    for engine in ENGINES {
        let [first, second] = machines();
        first.emulator.add_fault(Fault::new(Route::CreateAsync, FaultKind::status(400)).times(1));
        assert_eq!(create(&first, &first, engine).0, Some(8));
        let (code, words) = create(&second, &first, engine);
        assert_eq!(code, Some(0), "{engine}: {words}");
        let (code, words) = create(&first, &first, engine);
        assert_eq!(code, Some(8), "{engine}: {words}");
        assert!(words.contains("Its files differ from this upload"), "{words}");
    }
}
