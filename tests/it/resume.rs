//! Repeated `create`: files that were sent are not sent again, and a complete upload is registered.

mod journal;
mod registration;

use std::fs;

use foundry_emulator::Config;

use crate::support::{TestEnv, create, env_with, env_with_model as env};

/// Environment with a SAS that allows deletion, which the real service's SAS does not.
fn env_with_deletion() -> TestEnv {
    env_with(Config { sas_permissions: "rcwdl".into(), ..Config::default() })
}

fn uploads(env: &TestEnv) -> usize {
    fs::read_dir(env.home().join(".azd/ai-models/uploads")).expect("a directory").count()
}

/// The first run delivers one of two files and fails, the second run sends the files that it is given.
const BROKEN: &str = "init\ndelivered config.json\nend CompletedWithErrors 50 1050 1 2 1\nexit 1\nnext-run\ndefault\n";

#[test]
fn only_missing_files_are_sent_again() {
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
fn changed_file_is_sent_again() {
    let mut env = env();
    env.azcopy_script(BROKEN);
    create(&env, &[]).fails_with(7);
    env.write("model/config.json", format!("{{}}{}", " ".repeat(58)));
    create(&env, &[]).success();
    assert_eq!(env.azcopy_lists()[1], "config.json\nmodel.safetensors\n");
}

/// A blob of an earlier attempt would be registered with the model, so it is deleted.
#[test]
fn file_removed_after_its_upload_is_not_part_of_the_model() {
    let mut env = env_with_deletion();
    env.write("model/sub dir/notes.txt", "notes");
    let script = "init\ndelivered sub dir/notes.txt\nend CompletedWithErrors 5 1055 1 3 2\nexit 1\nnext-run\ndefault\n";
    env.azcopy_script(script);
    create(&env, &[]).fails_with(7);
    fs::remove_dir_all(env.work().join("model/sub dir")).expect("removed");
    let sent = [("config.json", 50), ("model.safetensors", 1000)];
    env.blobs().set_blobs_before_and_after(&[("sub dir/notes.txt", 5)], &sent);
    let output = create(&env, &[]).success();
    assert!(output.stderr.contains("1 file of an earlier upload is no longer part of the source"), "{output}");
    assert_eq!(env.blobs().removed(), ["upload-1/sub%20dir/notes.txt"]);
    assert_eq!(env.azcopy_lists()[1], "config.json\nmodel.safetensors\n");
}

/// Another source for the same version: files of the first source must not be registered with the second.
#[test]
fn another_source_replaces_the_first() {
    let mut env = env_with_deletion();
    env.azcopy_script(BROKEN);
    create(&env, &[]).fails_with(7);
    fs::rename(env.work().join("model"), env.work().join("other")).expect("renamed");
    fs::remove_file(env.work().join("other/config.json")).expect("removed");
    env.blobs().set_blobs_before_and_after(&[("config.json", 50)], &[("model.safetensors", 1000)]);
    let output = env.run(&["custom", "create", "-n", "my-model", "--source", "other", "--skip-check"]).success();
    assert!(output.stderr.contains("Previous upload may exist but was not registered."), "{output}");
    assert_eq!(env.blobs().removed(), ["upload-1/config.json"]);
    assert_eq!(env.azcopy_lists()[1], "model.safetensors\n");
}

/// A blob of unknown origin is not deleted, and nothing is sent.
#[test]
fn unknown_file_in_the_location_is_a_conflict() {
    let env = env();
    env.blobs().set_blobs(&[("theirs.bin", 5), ("config.json", 1)]);
    insta::assert_snapshot!(create(&env, &[]).fails_with(5).stderr.lines().skip(5).collect::<Vec<_>>().join("\n"));
    assert!(env.azcopy_starts().is_empty() && env.blobs().removed().is_empty());
    assert_eq!(uploads(&env), 0);
}

/// AzCopy's report is accepted only as far as the store agrees.
#[test]
fn lost_blobs_are_sent_again() {
    let mut env = env();
    env.azcopy_script(BROKEN);
    create(&env, &[]).fails_with(7);
    let sent = [("config.json", 50), ("model.safetensors", 1000)];
    env.blobs().set_blobs_before_and_after(&[("config.json", 49)], &sent);
    create(&env, &[]).success();
    assert_eq!(env.azcopy_lists()[1], "config.json\nmodel.safetensors\n");
}

/// If AzCopy's plan is missing or unreadable, the sizes in the location decide.
#[test]
fn location_determines_uploaded_files_without_azcopys_plan() {
    let mut env = env();
    env.azcopy_script("init\nplan broken\nend CompletedWithErrors 50 1050 1 2 1\nexit 1\nnext-run\ndefault\n");
    create(&env, &[]).fails_with(7);
    let sent = [("config.json", 50), ("model.safetensors", 1000)];
    env.blobs().set_blobs_before_and_after(&[("config.json", 50), ("model.safetensors", 999)], &sent);
    create(&env, &[]).success();
    assert_eq!(env.azcopy_lists()[1], "model.safetensors\n");
}

/// The SAS expires during the upload: a new SAS is used, only for the missing files, and only if the last one delivered
/// a file.
#[test]
fn sas_that_expires_during_the_upload_is_renewed() {
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

/// The first run delivered the file with its old content: the third run must not accept that as the new content.
#[test]
fn old_content_is_not_accepted_two_runs_later() {
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
fn another_source_starts_over() {
    let mut env = env();
    env.azcopy_script(BROKEN);
    create(&env, &[]).fails_with(7);
    fs::rename(env.work().join("model"), env.work().join("moved")).expect("moved");
    let output = env.run(&["create", "-n", "my-model", "--source", "moved"]).success();
    assert_eq!(env.azcopy_lists()[1], "config.json\nmodel.safetensors\n", "{output}");
}

/// The version was given by its number, so it differs from the next free one.
#[test]
fn auto_resumes_only_an_upload_of_the_same_source() {
    let mut env = env();
    env.write("other/config.json", "{}");
    env.azcopy_script(BROKEN);
    create(&env, &["--version", "7"]).fails_with(7);
    let version = |source: &str| {
        let args =
            ["create", "--name", "my-model", "--source", source, "--version", "auto", "--skip-check", "-o", "json"];
        env.run(&args).success().json()["version"].clone()
    };
    assert_eq!(version("other"), "1");
    assert_eq!(version("model"), "7");
    assert_eq!(env.azcopy_lists()[2], "model.safetensors\n", "config.json was already uploaded");
}
