//! Another machine uploads the same version: same names, same sizes, different content, one location.

use std::fs;

use foundry_emulator::{Config, Fault, FaultKind, Route};

use super::{assert_uploaded, create, env, killed_after, local};
use crate::support::{Behaviour, Lists, Output, Received, TestEnv};

fn assert_replaced(env: &TestEnv, name: &str, output: Output) {
    let output = output.fails_with(7);
    let error = output.json_error();
    assert_eq!((&error["kind"], &error["code"]), (&"upload_failed".into(), &"blob_replaced".into()), "{error}");
    let words = format!("{name} in the blob store was overwritten by another upload");
    assert!(error["message"].as_str().expect("a string").contains(&words), "{error}");
    assert_eq!(env.registrations(), 0);
}

/// The other write comes before the list at the end of the upload, or before the list right before the registration; it
/// replaces a small file, which is one request, or one of several blocks; ETags detect it, or the write times where the
/// list has no ETags.
#[test]
fn blobs_of_another_upload_are_not_registered() {
    for (number, name, lists, sent_again) in [
        (2, "config.json", Lists::All, (1, 0)),
        (3, "config.json", Lists::WithoutEtags, (1, 0)),
        (2, "model.safetensors", Lists::WithoutEtags, (0, 4)),
        (3, "model.safetensors", Lists::All, (0, 4)),
    ] {
        let (env, store) = env();
        store.behaves(Behaviour { lists, writes_before_list: Some((number, name)), ..Behaviour::default() });
        assert_replaced(&env, name, create(&env, &["-o", "json"]));
        for name in store.names() {
            store.take_received(&name);
        }
        create(&env, &[]).success();
        assert_uploaded(&env, &store);
        let sent = (store.take_received("config.json").puts, store.take_received("model.safetensors").blocks.len());
        assert_eq!(sent, sent_again, "{number} {name}");
    }
}

#[test]
fn error_names_the_file_and_the_suggestion() {
    let (env, store) = env();
    store.behaves(Behaviour { writes_before_list: Some((2, "config.json")), ..Behaviour::default() });
    let output = create(&env, &[]).fails_with(7);
    let (_, error) = output.stderr.split_once("ERROR: ").expect("an error");
    insta::assert_snapshot!(error, @"
    Upload interrupted. Run the same command to resume.
    config.json in the blob store was overwritten by another upload
    1 of 2 files (16.0 MB) are complete and will not be sent again; what the blob store does not have of the rest is sent again.

    Suggestion: Another upload of this version uses the same location: use another --version, or wait until it has ended.
    To resume, run the same command again:
      azure-ai-models custom create --name my-model --source model --engine native
    ");
}

/// A list without ETags and write times proves only the sizes.
#[test]
fn list_without_etags_and_times_is_accepted() {
    let (env, store) = env();
    store.behaves(Behaviour { lists: Lists::WithoutMarks, ..Behaviour::default() });
    create(&env, &[]).success();
}

/// The first machine has sent all files, then the second one sends all files and registers. Even the modification times
/// of the files are equal.
#[test]
fn only_the_machine_whose_content_is_stored_registers() {
    let (first, store) = env();
    first.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::status(400)).times(1));
    create(&first, &[]).fails_with(8);

    let second = TestEnv::with_store(Config::default(), &store);
    for name in store.names() {
        let mut other = local(&first, &name);
        *other.last_mut().expect("a byte") ^= 1;
        let path = second.write(&format!("model/{name}"), other);
        let time =
            fs::metadata(first.work().join("model").join(&name)).and_then(|file| file.modified()).expect("a time");
        fs::File::options().write(true).open(path).and_then(|file| file.set_modified(time)).expect("set");
    }
    create(&second, &["--skip-check"]).success();
    assert_uploaded(&second, &store);

    let before = first.registrations();
    let output = create(&first, &["-o", "json"]).fails_with(7);
    assert_eq!(output.json_error()["code"], "blob_replaced", "{output}");
    assert_eq!(first.registrations(), before);
    create(&first, &[]).success();
    assert_uploaded(&first, &store);
}

/// A model of the same name and version in the same location, with the files of the other machine: the request of this
/// machine was rejected, or its response was lost.
#[test]
fn model_registered_by_the_other_machine_is_not_a_success() {
    let (first, store) = env();
    first.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::status(400)).times(1));
    create(&first, &[]).fails_with(8);
    let mut second = TestEnv::with_store(Config::default(), &store);
    second.set("AZURE_PROJECT_ENDPOINT", &first.emulator().endpoint());
    for name in store.names() {
        second.write(&format!("model/{name}"), vec![1; local(&first, &name).len()]);
    }
    create(&second, &["--skip-check"]).success();
    for options in [&["-o", "json"][..], &["-o", "json", "--no-wait"]] {
        let output = create(&first, options).fails_with(8);
        let error = output.json_error();
        assert_eq!((&error["code"], &*output.stdout), (&"version_taken".into(), ""), "{error}");
        let message = error["message"].as_str().expect("a string");
        assert!(message.contains("Its files differ from this upload: "), "{message}");
    }
    // Equal files are accepted even though the registration was not compared.
    let (env, _store) = env();
    env.emulator().add_fault(Fault::new(Route::Poll, FaultKind::status(400)).times(1));
    create(&env, &[]).fails_with(8);
    create(&env, &[]).success();
}

/// Content that was sent before a kill is reused only if the blob is still the same write.
#[test]
fn blobs_overwritten_after_a_kill_are_sent_again() {
    let (env, store) = env();
    // All but the last block of the large file, which is sent last, so the small file is among them.
    killed_after(&env, &store, 4, false);
    assert_eq!(store.names(), ["config.json"]);
    store.take_received("config.json");
    store.write("config.json", vec![0; 50]);
    create(&env, &[]).success();
    assert_uploaded(&env, &store);
    assert_eq!(store.take_received("config.json"), Received { puts: 1, with_checksum: 1, ..Received::default() });
}
