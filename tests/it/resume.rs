//! Repeated `create`: sent files are not sent again, a complete upload is registered.

use std::fs;
use std::path::PathBuf;

use foundry_emulator::{Config, Fault, FaultKind, Route};
use serde_json::{Value, json};

use crate::support::{CREATE, TestEnv, create, env_with, env_with_model as env};

/// A service whose SAS allows a deletion, which that of the real one does not.
fn deleting() -> TestEnv {
    let env = env_with(Config { sas_permissions: "rcwdl".into(), ..Config::default() });
    env
}

fn uploads(env: &TestEnv) -> usize {
    fs::read_dir(env.home().join(".azd/ai-models/uploads")).expect("a directory").count()
}

/// The first run delivers one of two files and breaks, the second run sends what it is given.
const BROKEN: &str = "init\ndelivered config.json\nend CompletedWithErrors 50 1050 1 2 1\nexit 1\nnext-run\ndefault\n";

#[test]
fn only_what_did_not_arrive_is_sent_again() {
    let mut env = env();
    env.azcopy_script(BROKEN);
    insta::assert_snapshot!(create(&env, &[]).fails_with(7).abridged(), @"
    ------- stderr -------
    [WARNINGS]
    [STEP 1]
    [STEP 2]
      Uploading 2 files, 1.0 KB...
    ERROR: Upload interrupted. Run the same command to resume.
    1 of 2 files failed
    AzCopy's log: [ROOT]/home/.azd/ai-models/uploads/[UPLOAD]/run-1/[UUID].log
    1 of 2 files (50 B) are complete and will not be sent again; the rest starts over.

    Suggestion: To resume, run the same command again:
      azure-ai-models custom create --name my-model --source model
    [exit code: 7]
    ");
    insta::assert_snapshot!(create(&env, &[]).success().abridged(), @"
    [PAGE]
    ------- stderr -------
    [WARNINGS]
    [STEP 1]
    [STEP 2]
      Resuming upload: 1 of 2 files (50 B) already uploaded.
      Uploading 1 file, 1000 B...
      99% (999 B / 1000 B)
      100.0% (1000 B / 1000 B) | [RATE] | Elapsed: 0s | ETA: done
      Completed in 0s
    ✓ Upload complete

    Step 3/3: Registering model...
    ✓ Model registered successfully!
    ");
    assert_eq!(env.azcopy_lists(), ["config.json\nmodel.safetensors\n", "model.safetensors\n"]);
    assert_eq!(uploads(&env), 0);
}

#[test]
fn a_file_that_changed_since_is_sent_again() {
    let mut env = env();
    env.azcopy_script(BROKEN);
    create(&env, &[]).fails_with(7);
    env.write("model/config.json", format!("{{}}{}", " ".repeat(58)));
    create(&env, &[]).success();
    assert_eq!(env.azcopy_lists()[1], "config.json\nmodel.safetensors\n");
}

/// A blob of an earlier attempt would be registered with the model, so it is deleted.
#[test]
fn a_file_that_arrived_and_was_removed_since_is_no_part_of_the_model() {
    let mut env = deleting();
    env.write("model/sub dir/notes.txt", "notes");
    let script = "init\ndelivered sub dir/notes.txt\nend CompletedWithErrors 5 1055 1 3 2\nexit 1\nnext-run\ndefault\n";
    env.azcopy_script(script);
    create(&env, &[]).fails_with(7);
    fs::remove_dir_all(env.work().join("model/sub dir")).expect("removed");
    let sent = [("config.json", 50), ("model.safetensors", 1000)];
    env.blobs().holds_before_and_after(&[("sub dir/notes.txt", 5)], &sent);
    let output = create(&env, &[]).success();
    assert!(output.stderr.contains("1 file of an earlier upload is no longer part of the source"), "{output}");
    assert_eq!(env.blobs().removed(), ["upload-1/sub%20dir/notes.txt"]);
    assert_eq!(env.azcopy_lists()[1], "config.json\nmodel.safetensors\n");
}

/// Another source for the same version: what the first one sent is not registered with the second.
#[test]
fn another_source_replaces_the_first() {
    let mut env = deleting();
    env.azcopy_script(BROKEN);
    create(&env, &[]).fails_with(7);
    fs::rename(env.work().join("model"), env.work().join("other")).expect("renamed");
    fs::remove_file(env.work().join("other/config.json")).expect("removed");
    env.blobs().holds_before_and_after(&[("config.json", 50)], &[("model.safetensors", 1000)]);
    let output = env.run(&["custom", "create", "-n", "my-model", "--source", "other", "--skip-check"]).success();
    assert!(output.stderr.contains("Previous upload may exist but was not registered."), "{output}");
    assert_eq!(env.blobs().removed(), ["upload-1/config.json"]);
    assert_eq!(env.azcopy_lists()[1], "model.safetensors\n");
}

/// A blob of unknown origin is not deleted, and nothing is sent.
#[test]
fn a_file_of_somebody_else_in_the_location_ends_the_command() {
    let env = env();
    env.blobs().holds(&[("theirs.bin", 5), ("config.json", 1)]);
    insta::assert_snapshot!(create(&env, &[]).fails_with(5).stderr.lines().skip(5).collect::<Vec<_>>().join("\n"));
    assert!(env.azcopy_starts().is_empty() && env.blobs().removed().is_empty());
    assert_eq!(uploads(&env), 0);
}

/// AzCopy's word counts only as far as the store agrees.
#[test]
fn lost_blobs_are_sent_again() {
    let mut env = env();
    env.azcopy_script(BROKEN);
    create(&env, &[]).fails_with(7);
    let sent = [("config.json", 50), ("model.safetensors", 1000)];
    env.blobs().holds_before_and_after(&[("config.json", 49)], &sent);
    create(&env, &[]).success();
    assert_eq!(env.azcopy_lists()[1], "config.json\nmodel.safetensors\n");
}

/// AzCopy's plan may be gone or unreadable: then the sizes in the location decide.
#[test]
fn without_azcopys_plan_the_location_decides_what_arrived() {
    let mut env = env();
    env.azcopy_script("init\nplan broken\nend CompletedWithErrors 50 1050 1 2 1\nexit 1\nnext-run\ndefault\n");
    create(&env, &[]).fails_with(7);
    let sent = [("config.json", 50), ("model.safetensors", 1000)];
    env.blobs().holds_before_and_after(&[("config.json", 50), ("model.safetensors", 999)], &sent);
    create(&env, &[]).success();
    assert_eq!(env.azcopy_lists()[1], "model.safetensors\n");
}

/// The SAS ends in the middle: a fresh one, and only what is missing goes with it; as long as files arrive.
#[test]
fn a_sas_that_ends_in_the_middle_is_renewed() {
    let refused = |delivered: &str| {
        format!("init\n{delivered}\nfailed /x/model.safetensors 403 1000\nend Cancelled 50 1050 1 2 1\nexit 1\n")
    };
    let mut env = env();
    env.azcopy_script(&format!("{}next-run\ndefault\n", refused("delivered config.json")));
    insta::assert_snapshot!(create(&env, &[]).success().stderr);
    assert_eq!(env.azcopy_lists(), ["config.json\nmodel.safetensors\n", "model.safetensors\n"]);
    let starts = env.emulator().requests().iter().filter(|sent| sent.path.ends_with("/startPendingUpload")).count();
    assert_eq!(starts, 2);

    let mut env = self::env();
    env.azcopy_script(&refused("# nothing"));
    let output = create(&env, &[]).fails_with(7);
    assert!(output.stderr.contains("The blob store refused the upload (403)"), "{output}");
    assert_eq!(env.azcopy_starts().len(), 2, "one fresh SAS, and no more without a file that arrived");
}

/// Uploaded, and the service has another place for it by now: what is there is registered, unless that is refused.
#[test]
fn a_complete_upload_is_registered_in_its_location() {
    let gone = ["UploadExpired", "UploadIncomplete", "InvalidBlobUri"].map(|code| (Some(code), 2));
    for (refusal, uploads) in [(None, 1)].into_iter().chain(gone) {
        let env = env_with(Config { new_container_each_time: true, ..Config::default() });
        env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::status(400)).times(1));
        create(&env, &[]).fails_with(8);
        if let Some(code) = refusal {
            let refusal = FaultKind::refusal(400, code, "The upload is too old.");
            env.emulator().add_fault(Fault::new(Route::CreateAsync, refusal).times(1));
        }
        let output = create(&env, &[]).success();
        let words = format!("Starting fresh upload... ({})", refusal.unwrap_or_default());
        let said = output.stderr.contains(&words);
        assert_eq!((env.azcopy_starts().len(), said), (uploads, refusal.is_some()), "{output}");
    }
}

/// Services write one place in several forms; all of them are this upload's model, for `create` and for `wait`.
#[test]
fn a_model_is_recognised_in_any_form_of_its_address() {
    for form in ["", "/", "?sv=1", "/?sv=1#part"] {
        for command in [&CREATE[..], &["custom", "wait", "--name", "my-model", "--version", "1"]] {
            let env = env_with(Config::default());
            drop(env.run(&[&CREATE[..], &["--no-wait"]].concat()).success());
            assert_eq!(uploads(&env), 1);
            let blob_uri = format!("{}/upload-1{form}", env.blobs().base);
            let model = json!({ "name": "my-model", "version": "1", "blobUri": blob_uri });
            env.emulator().seed(&model).expect("seeded");
            drop(env.run(command).success());
            assert_eq!(uploads(&env), 0, "nothing is left to resume: {form:?}");
            assert_eq!(env.azcopy_starts().len(), 1, "{form:?}");
        }
    }
}

/// Weights in another place are another model: nothing of it is touched.
#[test]
fn a_model_at_another_address_is_not_this_upload() {
    let env = env_with(Config::default());
    drop(env.run(&[&CREATE[..], &["--no-wait"]].concat()).success());
    let model = json!({ "name": "my-model", "version": "1", "blobUri": format!("{}/upload-2", env.blobs().base) });
    env.emulator().seed(&model).expect("seeded");
    let error = env.run(&[&CREATE[..], &["-o", "json"]].concat()).fails_with(8).json_error();
    assert_eq!(error["code"], "version_taken");
    assert_eq!(uploads(&env), 1);
    assert!(env.emulator().requests().iter().all(|sent| sent.method != "DELETE"));
}

/// The file arrived in the first run with its old content: the third run must not take that for the new one.
#[test]
fn old_content_does_not_count_two_runs_later() {
    let mut env = env();
    env.azcopy_script(
        "init\ndelivered config.json\nend CompletedWithErrors 50 1050 1 2 1\nexit 1\nnext-run\ninit\ndie-signal 9\nnext-run\ndefault\n",
    );
    create(&env, &[]).fails_with(7);
    env.write("model/config.json", format!("{{}}{}", " ".repeat(58)));
    create(&env, &[]).fails_with(7);
    create(&env, &[]).success();
    assert_eq!(env.azcopy_lists()[2], "config.json\nmodel.safetensors\n");
}

/// The registration of an earlier attempt conflicts with the second one; the model shows whose it is.
#[test]
fn a_conflict_with_a_foreign_registration_is_no_success() {
    for options in [&[][..], &["--no-wait"]] {
        let registers_as = Some(json!({ "blobUri": "https://elsewhere.example/c" }));
        let env = env_with(Config { polls_until_done: 3, registers_as, ..Config::default() });
        env.emulator().add_fault(Fault::new(Route::Poll, FaultKind::status(400)).times(1));
        create(&env, &[]).fails_with(8);
        let error = env.run(&[&CREATE[..], options, &["-o", "json"]].concat()).fails_with(8).json_error();
        assert_eq!(error["code"], "version_taken", "{error}");
        assert_eq!(uploads(&env), 1);
    }
}

/// The model of an earlier attempt exists, and its registration failed: that is not accepted.
#[test]
fn no_wait_reports_a_registration_that_failed_meanwhile() {
    let env = env();
    env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::status(400)).times(1));
    create(&env, &[]).fails_with(8);
    let error = json!({ "code": "UnsupportedWeightFormat", "message": "No." });
    let model = json!({ "name": "my-model", "version": "1", "blobUri": format!("{}/upload-1", env.blobs().base),
        "provisioningState": "Failed", "error": error });
    env.emulator().seed(&model).expect("seeded");
    let output = env.run(&[&CREATE[..], &["--no-wait", "-o", "json"]].concat()).fails_with(8);
    assert_eq!((output.json_error()["code"].as_str(), &*output.stdout), (Some("UnsupportedWeightFormat"), ""));
}

#[test]
fn another_container_starts_over_and_is_reported() {
    let mut env = env_with(Config { new_container_each_time: true, ..Config::default() });
    env.azcopy_script(BROKEN);
    create(&env, &[]).fails_with(7);
    let output = create(&env, &[]).success();
    assert!(
        output.stderr.contains("Previous upload may exist but was not registered. Starting fresh upload..."),
        "{output}"
    );
    assert_eq!(env.azcopy_lists()[1], "config.json\nmodel.safetensors\n");
}

#[test]
fn another_source_is_a_fresh_start() {
    let mut env = env();
    env.azcopy_script(BROKEN);
    create(&env, &[]).fails_with(7);
    fs::rename(env.work().join("model"), env.work().join("moved")).expect("moved");
    let output = env.run(&["create", "-n", "my-model", "--source", "moved"]).success();
    assert_eq!(env.azcopy_lists()[1], "config.json\nmodel.safetensors\n", "{output}");
}

#[test]
fn a_refused_registration_keeps_the_upload_and_the_next_run_sends_nothing() {
    let env = env();
    let refusal = FaultKind::refusal(400, "UnsupportedWeightFormat", "Only safetensors weights are supported.");
    env.emulator().add_fault(Fault::new(Route::CreateAsync, refusal).times(1));
    insta::assert_snapshot!(create(&env, &[]).fails_with(8).abridged(), @"
    ------- stderr -------
    [WARNINGS]
    [STEP 1]
    [STEP 2]
      Uploading 2 files, 1.0 KB...
      99% (1.0 KB / 1.0 KB)
      100.0% (1.0 KB / 1.0 KB) | [RATE] | Elapsed: 0s | ETA: done
      Completed in 0s
    ✓ Upload complete

    Step 3/3: Registering model...
    ERROR: the model could not be registered: Foundry returned: Only safetensors weights are supported. (UnsupportedWeightFormat)

    Suggestion: Convert the weights to .safetensors, and check the folder with 'custom check' before the next upload.
    The upload is complete and kept. To register it after fixing the problem, run the same command again (no file is sent again):
      azure-ai-models custom create --name my-model --source model

    Request id: [UUID], [TIME]
    [exit code: 8]
    ");
    insta::assert_snapshot!(create(&env, &[]).success().abridged(), @"
    [PAGE]
    ------- stderr -------
    [WARNINGS]

    Creating custom model: my-model (version 1)

    All files are already uploaded; only the registration is missing.
    Step 3/3: Registering model...
    ✓ Model registered successfully!
    ");
    assert_eq!(env.azcopy_starts().len(), 1);
    assert_eq!(uploads(&env), 0);
}

/// Ended while the service still worked on it, or after it was done: success, no conflict, and nothing is sent again.
#[test]
fn a_registration_that_ended_unseen_is_success() {
    for visible_while_creating in [false, true] {
        let env = env_with(Config { visible_while_creating, ..Config::default() });
        env.emulator().add_fault(Fault::new(Route::Poll, FaultKind::status(400)).times(1));
        create(&env, &[]).fails_with(8);
        let output = create(&env, &[]).success();
        assert!(output.stdout.contains("State:        Succeeded"), "{output}");
        assert_eq!(env.azcopy_starts().len(), 1);
    }
}

#[test]
fn files_that_changed_after_a_complete_upload_are_sent_before_the_registration() {
    let env = env();
    env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::status(400)).times(1));
    create(&env, &[]).fails_with(8);
    env.write("model/config.json", format!("{{}}{}", " ".repeat(58)));
    create(&env, &[]).success();
    assert_eq!(env.azcopy_lists()[1], "config.json\n");
}

#[test]
fn an_unreadable_journal_is_a_fresh_start() {
    let mut env = env();
    env.azcopy_script(BROKEN);
    create(&env, &[]).fails_with(7);
    for upload in fs::read_dir(env.home().join(".azd/ai-models/uploads")).expect("a directory") {
        fs::write(upload.expect("an entry").path().join("journal.json"), "{").expect("written");
    }
    create(&env, &[]).success();
    assert_eq!(env.azcopy_lists()[1], "config.json\nmodel.safetensors\n");
}

/// The upload is complete and what was said of it was refused: it is registered with what is said now.
#[test]
fn a_complete_upload_is_registered_with_the_new_details() {
    let env = env_with(Config { requires_base_model: true, ..Config::default() });
    let output = create(&env, &[]).fails_with(8);
    assert!(output.stderr.contains("BaseModelRequired"), "{output}");
    let again = [CREATE.as_slice(), &["--base-model", "FW-X", "--description", "now"]].concat();
    drop(env.run(&again).success());
    assert_eq!(env.azcopy_starts().len(), 1, "nothing is sent again");
    let requests = env.emulator().requests();
    let last = requests.iter().rfind(|sent| sent.path.ends_with("/createAsync")).expect("a registration");
    assert_eq!(last.body["description"], "now");
    assert!(last.body["derivedModelInformation"]["baseModel"].as_str().is_some_and(|uri| uri.contains("FW-X")));
}

/// The one upload's file of this name.
fn in_upload(env: &TestEnv, name: &str) -> PathBuf {
    let uploads = fs::read_dir(env.home().join(".azd/ai-models/uploads")).expect("a directory");
    let [upload] = uploads.map(|upload| upload.expect("an entry").path()).collect::<Vec<_>>().try_into().expect("one");
    upload.join(name)
}

/// A second name of the old journal shows what becomes of it: a file that is written in place changes under both.
#[cfg(unix)]
#[test]
fn a_journal_is_replaced_and_never_written_in_place() {
    let mut env = env();
    env.azcopy_script("init\ndelivered config.json\nend CompletedWithErrors 50 1050 1 2 1\nexit 1\n");
    create(&env, &[]).fails_with(7);
    let (journal, old) = (in_upload(&env, "journal.json"), env.root().join("old"));
    let before = fs::read(&journal).expect("a journal");
    fs::hard_link(&journal, &old).expect("a second name");
    create(&env, &[]).fails_with(7);
    assert_ne!(fs::read(&journal).expect("a journal"), before, "it was not written again");
    assert_eq!(fs::read(&old).expect("the old journal"), before);
}

/// As a kill in the middle of it: whatever of the new journal is on the disk, the old one is whole.
#[cfg(unix)]
#[test]
fn a_journal_that_is_written_in_part_leaves_the_old_one() {
    let mut env = env();
    for number in 0..200 {
        env.write(&format!("model/a-rather-long-name-{number:04}"), "x");
    }
    env.azcopy_script(
        "init\ndelivered config.json\nend CompletedWithErrors 50 1250 1 202 201\nexit 1\nnext-run\ndefault\n",
    );
    create(&env, &[]).fails_with(7);
    let journal = in_upload(&env, "journal.json");
    let before = fs::read(&journal).expect("a journal");
    // Blocks of 512 bytes: no file can become larger than half of it.
    let limit = format!("trap '' XFSZ; ulimit -f {}", before.len() / 1024);
    let output = env.run_after(&limit, &CREATE).fails_with(1);
    assert!(output.stderr.contains("/journal.json: File too large"), "{output}");
    assert!(output.stderr.contains("Free disk space"), "{output}");
    assert_eq!(fs::read(&journal).expect("a journal"), before);
    assert_eq!(env.azcopy_starts().len(), 1, "nothing is sent that nobody would know of");
    let output = create(&env, &[]).success();
    assert!(output.stderr.contains("1 of 202 files (50 B) already uploaded"), "{output}");
}

/// Written by another version of the program: it may mean something else by the same words.
#[test]
fn a_journal_of_another_schema_is_not_used() {
    for schema in [0, 1, 3] {
        let mut env = env();
        env.azcopy_script(BROKEN);
        create(&env, &[]).fails_with(7);
        with_schema(&env, schema);
        assert_eq!(env.run(&["custom", "uploads", "list", "-o", "json"]).success().stdout, "[]\n", "{schema}");
        let output = create(&env, &[]).success();
        assert!(!output.stderr.contains("Going on"), "{schema}: {output}");
        assert_eq!(env.azcopy_lists()[1], "config.json\nmodel.safetensors\n", "{schema}");

        // Nor is what it calls complete registered.
        let env = self::env();
        env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::status(400)).times(1));
        create(&env, &[]).fails_with(8);
        with_schema(&env, schema);
        create(&env, &[]).success();
        assert_eq!(env.azcopy_starts().len(), 2, "{schema}");
    }
}

fn with_schema(env: &TestEnv, schema: u32) {
    let path = in_upload(env, "journal.json");
    let mut journal: Value = serde_json::from_slice(&fs::read(&path).expect("a journal")).expect("JSON");
    assert_eq!(journal["schema"], 2, "{journal}");
    journal["schema"] = schema.into();
    fs::write(&path, journal.to_string()).expect("written");
}

/// Directory in which each AzCopy had its log and its plan.
fn runs(env: &TestEnv) -> Vec<String> {
    let name = |start: &Value| start["values"]["AZCOPY_LOG_LOCATION"].as_str().expect("a directory").to_owned();
    env.azcopy_starts().iter().map(|start| name(start).rsplit('/').next().expect("a name").to_owned()).collect()
}

/// The directory of a run says which files its AzCopy delivered: that counts neither for another container nor for other
/// content.
#[test]
fn each_run_has_a_number_of_its_own() {
    let broken = "init\ndelivered config.json\nend CompletedWithErrors 50 1050 1 2 1\nexit 1\n";
    let killed = "init\ndie-signal 9\n";
    let mut env = env();
    env.azcopy_script(&[broken, killed, killed, "default\n"].join("next-run\n"));
    create(&env, &[]).fails_with(7);
    // Foundry has another location by now, which is empty.
    env.emulator().configure(|config| config.new_container_each_time = true);
    create(&env, &[]).fails_with(7);
    env.emulator().configure(|config| config.new_container_each_time = false);
    create(&env, &[]).fails_with(7);
    create(&env, &[]).success();
    assert_eq!(runs(&env), ["run-1", "run-2", "run-3", "run-4"]);
    let both = "config.json\nmodel.safetensors\n";
    assert_eq!(env.azcopy_lists(), [both; 4]);
}

/// The journal that knew the last number is lost or of another version; the directory of that run is still there.
#[test]
fn a_number_is_not_used_again_where_the_journal_is_lost() {
    for lost in ["{", r#"{"schema":1}"#] {
        let mut env = env();
        env.azcopy_script(
            "init\ndelivered config.json\nend CompletedWithErrors 50 1050 1 2 1\nexit 1\nnext-run\ninit\ndie-signal 9\nnext-run\ndefault\n",
        );
        create(&env, &[]).fails_with(7);
        fs::write(in_upload(&env, "journal.json"), lost).expect("written");
        env.write("model/config.json", format!("{{}}{}", " ".repeat(48)));
        create(&env, &[]).fails_with(7);
        create(&env, &[]).success();
        assert_eq!(env.azcopy_lists()[2], "config.json\nmodel.safetensors\n", "{lost}: the old content is registered");
    }
}

/// An upload is registered even if its record cannot be written.
#[test]
fn a_journal_that_cannot_be_written_after_the_upload_does_not_stop_the_registration() {
    let mut env = env();
    env.azcopy_script("block-journal\ndefault\n");
    let output = create(&env, &[]).success();
    let told = "WARNING: the state of this upload cannot be saved, so a new run may repeat a step: cannot prepare";
    assert_eq!(output.to_string().matches(told).count(), 1, "{output}");
    assert_eq!(uploads(&env), 0);
}
