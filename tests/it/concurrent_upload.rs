//! Another upload of the same version writes to the same location during an upload with AzCopy: the list of blobs
//! reveals it.

use std::fs;

use serde_json::{Value, json};

use crate::support::{CREATE, create, env_with_model as env};

/// Both files of the model, with these ETags.
fn both<'a>(config: &'a str, weights: &'a str) -> [(&'a str, u64, &'a str); 2] {
    [("config.json", 50, config), ("model.safetensors", 1000, weights)]
}

const BROKEN: &str = "init\ndelivered config.json\nend CompletedWithErrors 50 1050 1 2 1\nexit 1\nnext-run\ndefault\n";

/// The service reads the files at registration, so the list must show the blobs that AzCopy wrote.
#[test]
fn file_that_is_written_after_azcopy_ended_is_not_registered() {
    let env = env();
    env.blobs().set_blob_lists(&[&[], &both("1", "1"), &both("1", "2")]);
    let output = create(&env, &[]).fails_with(7);
    let (_, error) = output.stderr.split_once("ERROR: ").expect("an error");
    insta::assert_snapshot!(error, @"
    Upload interrupted. Run the same command to resume.
    model.safetensors in the blob store was overwritten by another upload
    1 of 2 files (50 B) are complete and will not be sent again; the rest starts over.

    Suggestion: Another upload of this version uses the same location: use another --version, or wait until it has ended.
    To resume, run the same command again:
      azure-ai-models custom create --name my-model --source model
    ");
    assert_eq!(env.registrations(), 0);
    env.blobs().set_blob_lists(&[&both("1", "2"), &both("1", "3")]);
    create(&env, &[]).success();
    assert_eq!(env.azcopy_lists(), ["config.json\nmodel.safetensors\n", "model.safetensors\n"]);
}

/// The upload is complete, and is registered by a later run.
#[test]
fn complete_upload_is_compared_before_it_is_registered_later() {
    let env = env();
    env.emulator().add_fault("createAsync:status=400,count=1".parse().expect("a fault"));
    env.blobs().set_blob_lists(&[&[], &both("1", "1")]);
    create(&env, &[]).fails_with(8);
    env.blobs().set_blob_lists(&[&both("1", "2")]);
    let error = env.run(&[&CREATE[..], &["-o", "json"]].concat()).fails_with(7).json_error();
    assert_eq!((&error["kind"], &error["code"]), (&json!("upload_failed"), &json!("blob_replaced")), "{error}");
    assert!(error["message"].as_str().expect("a string").contains("model.safetensors"), "{error}");
    env.blobs().set_blob_lists(&[&both("1", "2"), &both("1", "3")]);
    create(&env, &[]).success();
    assert_eq!(env.azcopy_lists()[1], "model.safetensors\n");
}

/// An upload that cannot be compared is not registered.
#[test]
fn complete_upload_is_not_registered_if_its_location_cannot_be_requested() {
    let env = env();
    env.emulator().add_fault("createAsync:status=400,count=1".parse().expect("a fault"));
    env.blobs().set_blob_lists(&[&[], &both("1", "1")]);
    create(&env, &[]).fails_with(8);
    let before = env.registrations();
    env.emulator().add_fault("startPendingUpload:status=403,code=Forbidden,message=No.".parse().expect("a fault"));
    let output = create(&env, &[]).fails_with(8);
    let (_, error) = output.stderr.split_once("ERROR: ").expect("an error");
    insta::assert_snapshot!(error, @"
    the uploaded files cannot be verified before the registration: no permission: No. (Forbidden)

    Suggestion: Ask for the role Azure AI User (or Azure AI Developer) on the Foundry project; a role on the subscription alone is not enough, and a new role assignment takes a few minutes to apply.
    The upload is complete and kept. To register it after fixing the problem, run the same command again (no file is sent again):
      azure-ai-models custom create --name my-model --source model

      • Roles: https://learn.microsoft.com/azure/ai-foundry/concepts/rbac-azure-ai-foundry
      • Assign a role: https://learn.microsoft.com/azure/role-based-access-control/role-assignments-portal

    Request id: [UUID], [TIME]
    ");
    assert_eq!(env.registrations(), before);
}

/// AzCopy does not send this file again, so it must stay unchanged.
#[test]
fn uploaded_file_that_is_overwritten_is_not_registered() {
    let mut env = env();
    env.azcopy_script(BROKEN);
    create(&env, &[]).fails_with(7);
    env.blobs().set_blob_lists(&[&[("config.json", 50, "1")], &both("2", "1")]);
    let output = create(&env, &[]).fails_with(7);
    assert!(output.stderr.contains("config.json in the blob store was overwritten by another upload"), "{output}");
    assert_eq!((env.registrations(), env.azcopy_lists()[1].as_str()), (0, "model.safetensors\n"));
}

/// The write happens between a failed run and the next one.
#[test]
fn file_that_is_written_between_two_runs_is_sent_again() {
    let mut env = env();
    env.azcopy_script(BROKEN);
    env.blobs().set_blob_lists(&[&[], &[("config.json", 50, "1")]]);
    create(&env, &[]).fails_with(7);
    env.blobs().set_blob_lists(&[&[("config.json", 50, "2")], &both("3", "1")]);
    create(&env, &[]).success();
    assert_eq!(env.azcopy_lists()[1], "config.json\nmodel.safetensors\n");
}

/// AzCopy reports that it sent the file, but the blob in the list is the old one.
#[test]
fn file_that_azcopy_did_not_write_is_not_registered() {
    let env = env();
    env.blobs().set_blob_lists(&[&both("1", "1"), &both("2", "1")]);
    let error = env.run(&[&CREATE[..], &["-o", "json"]].concat()).fails_with(7).json_error();
    assert_eq!(error["code"], "incomplete_upload", "{error}");
    assert!(error["message"].as_str().expect("a string").contains("model.safetensors"), "{error}");
    assert_eq!(env.registrations(), 0);
}

/// Foundry would otherwise register such a file with the model.
#[test]
fn files_of_another_upload_are_not_registered() {
    let stray = ("theirs.bin", 5, "1");
    let with_stray = [&both("1", "1")[..], &[stray]].concat();
    for lists in [[&[][..], &with_stray], [&both("0", "0")[..], &both("1", "1")]] {
        let env = env();
        env.blobs().set_blob_lists(&[lists[0], lists[1], &with_stray]);
        let output = create(&env, &[]).fails_with(7);
        assert!(output.stderr.contains("another upload wrote theirs.bin to the upload location"), "{output}");
        assert_eq!(env.registrations(), 0);
    }
}

/// The journal of an older version of the program has no ETags, so only sizes are compared.
#[test]
fn journal_without_etags_is_registered_by_its_sizes() {
    let env = env();
    env.emulator().add_fault("createAsync:status=400,count=1".parse().expect("a fault"));
    env.blobs().set_blob_lists(&[&[], &both("1", "1")]);
    create(&env, &[]).fails_with(8);
    let uploads = fs::read_dir(env.home().join(".azd/ai-models/uploads")).expect("uploads");
    let path = uploads.map(|upload| upload.expect("an upload").path().join("journal.json")).next().expect("one");
    let mut journal: Value = serde_json::from_slice(&fs::read(&path).expect("a journal")).expect("JSON");
    assert!(journal.as_object_mut().expect("an object").remove("blobs").is_some());
    fs::write(&path, journal.to_string()).expect("written");
    let shorter = [("config.json", 50, "2"), ("model.safetensors", 999, "2")];
    env.blobs().set_blob_lists(&[&shorter]);
    create(&env, &[]).fails_with(7);
    env.blobs().set_blob_lists(&[&shorter, &both("2", "3")]);
    create(&env, &[]).success();
    assert_eq!(env.azcopy_lists()[1], "model.safetensors\n");
}
