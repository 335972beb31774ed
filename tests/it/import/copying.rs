//! Copies by the store: the program reaches the public names of the Hub through a proxy, and the store reads from the
//! delivery network.

use fake_hub::{Config as HubConfig, Fault, FaultKind, Route};
use foundry_emulator::Config;
use serde_json::{Value, json};

use super::{LARGE, World, steady, world_with};
use crate::support::{Behaviour, Copying, SourceFault};

/// A world behind the proxy that plays the public names.
fn public(change: impl FnOnce(&mut HubConfig)) -> World {
    public_with(Config::default(), change)
}

fn public_with(config: Config, change: impl FnOnce(&mut HubConfig)) -> World {
    let mut world = world_with(config, change);
    let authority = world.env.write("authority.pem", world.hub.authority());
    let proxy = world.hub.proxy();
    world.env.unset("HF_ENDPOINT").set("HTTPS_PROXY", &proxy).set("SSL_CERT_FILE", &authority.to_string_lossy());
    copies(&world, Copying::default());
    world
}

fn copies(world: &World, copying: Copying) {
    let copying = Copying { from: Some(world.hub.cdn()), ..copying };
    world.store.behaves(Behaviour { copying, ..Behaviour::default() });
}

#[test]
fn copied_weights_are_reported_as_unverified() {
    let world = public(|_| {});
    let output = world.create(&["-o", "json", "--progress", "json", "--debug"]).success();
    world.assert_arrived();
    world.assert_no_secret(&output);
    let large = world.large();
    assert_eq!((large.blocks.as_slice(), large.copied, large.commits), ([0, 1].as_slice(), 2, 1));
    assert!(world.hub.tunnels().iter().any(|host| host == "huggingface.co:443"));
    // Small files have been streamed and verified; of the weights no checksum is reported.
    let files = output.json()["files"].clone();
    let with_sum = |name: &str| {
        files.as_array().expect("files").iter().any(|file| file["path"] == name && file["sha256"].is_string())
    };
    assert!(with_sum("config.json") && !with_sum("model.safetensors"), "{files}");
    let events: Vec<Value> = output.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let [remote, sent] = ["bytesRemote", "bytesSent"]
        .map(|name| events.iter().filter_map(|event| event[name].as_u64()).collect::<Vec<_>>());
    assert!(remote.is_sorted() && sent.is_sorted(), "{output}");
    // Weights and small files, except for the last byte, which is reported once all is verified.
    assert_eq!((remote.last(), sent.last()), (Some(&(LARGE as u64 - 1)), Some(&62)), "{output}");
}

#[test]
fn the_page_of_a_copy_tells_who_copies() {
    let world = public(|_| {});
    insta::assert_snapshot!(steady(&world, &world.create(&[]).success()));
}

#[test]
fn verify_full_reads_back_what_was_copied() {
    let world = public(|_| {});
    let output = world.create(&["--verify", "full", "-o", "json"]).success();
    world.assert_arrived();
    let files = output.json()["files"].clone();
    let sum = world.hub.sum("org/model", "model.safetensors").expect("a sum");
    assert_eq!(files[1], json!({ "path": "model.safetensors", "bytes": LARGE, "sha256": sum }));
    assert!(!output.stderr.contains("not verified"), "{output}");
}

/// Streamed files are verified all the same: it costs nothing.
#[test]
fn verify_off_omits_the_notice() {
    let world = public(|_| {});
    let output = world.create(&["--verify", "off", "-o", "json"]).success();
    world.assert_arrived();
    let files = output.json()["files"].clone();
    assert!(files[0]["path"] == "config.json" && files[0]["sha256"].is_string(), "{files}");
    assert!(!output.stderr.contains("not verified"), "{output}");
}

#[test]
fn a_copy_that_differs_is_found_by_verify_full_and_not_registered() {
    let world = public(|_| {});
    copies(&world, Copying { fault: Some(SourceFault::Flip), count: Some(1), ..Copying::default() });
    let output = world.create(&["--verify", "full"]).fails_with(7);
    assert!(output.stderr.contains("model.safetensors differs from the Hub's checksum"), "{output}");
    assert_eq!(world.env.registrations(), 0);
    // The next run does not take the same content for the file again.
    let output = world.create(&["--verify", "full"]).success();
    world.assert_arrived();
    assert!(!output.stderr.contains("WARNING: model.safetensors"), "{output}");
}

#[test]
fn verify_full_without_the_right_to_read_ends_before_anything_is_copied() {
    let world = public_with(Config { sas_permissions: "cw".to_owned(), ..Config::default() }, |_| {});
    let output = world.create(&["--verify", "full"]).fails_with(2);
    assert!(output.stderr.contains("does not allow reading"), "{output}");
    assert_eq!(world.large().copied, 0);
}

/// Files that the store cannot copy are streamed, with one line that gives the reason; under `--copy server` the
/// command ends.
#[test]
fn uncopyable_files_are_streamed_and_the_reason_is_reported_once() {
    for (copying, reason) in [
        (Copying { fault: Some(SourceFault::Status(403)), ..Copying::default() }, "cannot read from the source (403)"),
        (Copying { fault: Some(SourceFault::Status(404)), ..Copying::default() }, "cannot read from the source (404)"),
        (Copying { fault: Some(SourceFault::Status(503)), ..Copying::default() }, "cannot read from the source (503)"),
        (Copying { fault: Some(SourceFault::Redirect), ..Copying::default() }, "cannot read from the source (400)"),
        (Copying { fault: Some(SourceFault::Perimeter), ..Copying::default() }, "NetworkSecurityPerimeterDenied"),
        (Copying { seconds: 6, ..Copying::default() }, "more than 5 s"),
    ] {
        let world = public(|_| {});
        copies(&world, copying.clone());
        let output = world.create(&[]).success();
        world.assert_arrived();
        assert_eq!(output.stderr.matches("transferred through this machine").count(), 1, "{output}");
        assert!(output.stderr.contains(reason), "{reason}: {output}");
        if copying.seconds == 0 {
            let world = public(|_| {});
            copies(&world, copying);
            let output = world.create(&["--copy", "server"]).fails_with(9);
            assert!(output.stderr.contains(reason) && output.stderr.contains("--copy auto"), "{output}");
            assert_eq!(
                world.hub.file("model.safetensors").requests,
                world.hub.file("model.safetensors").requests.min(2)
            );
        }
    }
}

#[test]
fn a_failure_in_the_middle_streams_that_file() {
    let world = public(|_| {});
    let fault = Some(SourceFault::Status(404));
    copies(&world, Copying { sound: 1, fault, ..Copying::default() });
    let output = world.create(&["--progress", "json", "-o", "json"]).success();
    world.assert_arrived();
    let events: Vec<Value> = output.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let modes: Vec<_> = events.iter().filter(|event| event["event"] == "import.mode").collect();
    let files: Vec<_> = events.iter().filter(|event| event["event"] == "import.file").collect();
    assert_eq!((modes.len(), &modes[0]["mode"]), (1, &json!("server")), "{output}");
    assert_eq!((files.len(), &files[0]["path"], &files[0]["mode"]), (1, &json!("model.safetensors"), &json!("client")));
    let last = events.iter().rfind(|event| event["event"] == "upload.progress").expect("progress");
    assert_eq!((&last["bytesRemote"], &last["bytesSent"]), (&json!(0), &last["bytes"]), "{output}");
}

#[test]
fn a_refused_url_is_renewed_once() {
    let world = public(|_| {});
    copies(&world, Copying { sound: 1, fault: Some(SourceFault::Status(403)), count: Some(1), ..Copying::default() });
    world.create(&[]).success();
    world.assert_arrived();
    assert_eq!(world.large().copied, 2);
    // As well where the delivery network itself refuses.
    let world = public(|_| {});
    world.hub.add_fault(Fault::new(Route::Cdn, FaultKind::Expired).after(2).times(1));
    world.create(&[]).success();
    world.assert_arrived();
    assert_eq!(world.large().copied, 2);
}

#[test]
fn a_url_that_is_too_long_is_not_even_tried() {
    let world = public(|config| config.padding = 1000);
    let output = world.create(&[]).success();
    world.assert_arrived();
    assert!(output.stderr.contains("a blob store accepts up to 2048"), "{output}");
    assert_eq!(world.large().copied, 0);
}

#[test]
fn copy_client_never_lets_the_store_read() {
    let world = public(|_| {});
    let output = world.create(&["--copy", "client"]).success();
    world.assert_arrived();
    assert_eq!(world.large().copied, 0);
    assert!(output.stderr.contains("--copy client"), "{output}");
}
