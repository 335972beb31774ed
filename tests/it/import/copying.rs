//! Copies by the store: the program reaches the public host names of the Hub through a proxy, and the store reads from
//! the content delivery network.

use fake_hub::{Config as HubConfig, Fault, FaultKind, Route};
use foundry_emulator::Config;
use serde_json::{Value, json};

use super::{Fixture, LARGE, fixture_with, steady};
use crate::support::{Behaviour, Copying, SourceFault};

/// Environment behind a proxy that serves the public host names.
fn with_public_names(change: impl FnOnce(&mut HubConfig)) -> Fixture {
    with_public_names_and_config(Config::default(), change)
}

fn with_public_names_and_config(config: Config, change: impl FnOnce(&mut HubConfig)) -> Fixture {
    let mut fixture = fixture_with(config, change);
    let authority = fixture.env.write("authority.pem", fixture.hub.authority());
    let proxy = fixture.hub.proxy();
    fixture.env.unset("HF_ENDPOINT").set("HTTPS_PROXY", &proxy).set("SSL_CERT_FILE", &authority.to_string_lossy());
    copies(&fixture, Copying::default());
    fixture
}

fn copies(fixture: &Fixture, copying: Copying) {
    let copying = Copying { from: Some(fixture.hub.cdn()), ..copying };
    fixture.store.behaves(Behaviour { copying, ..Behaviour::default() });
}

#[test]
fn copied_weights_are_reported_as_unverified() {
    let fixture = with_public_names(|_| {});
    let output = fixture.create(&["-o", "json", "--progress", "json", "--debug"]).success();
    fixture.assert_uploaded();
    fixture.assert_no_secret(&output);
    let large = fixture.large();
    assert_eq!((large.blocks.as_slice(), large.copied, large.commits), ([0, 1].as_slice(), 2, 1));
    assert!(fixture.hub.tunnels().iter().any(|host| host == "huggingface.co:443"));
    // Small files are streamed and verified; no checksum is reported for the weights.
    let files = output.json()["files"].clone();
    let with_sum = |name: &str| {
        files.as_array().expect("files").iter().any(|file| file["path"] == name && file["sha256"].is_string())
    };
    assert!(with_sum("config.json") && !with_sum("model.safetensors"), "{files}");
    let events: Vec<Value> = output.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let [remote, sent] = ["bytesRemote", "bytesSent"]
        .map(|name| events.iter().filter_map(|event| event[name].as_u64()).collect::<Vec<_>>());
    assert!(remote.is_sorted() && sent.is_sorted(), "{output}");
    // The last byte is reported only once all files are verified.
    assert_eq!((remote.last(), sent.last()), (Some(&(LARGE as u64 - 1)), Some(&62)), "{output}");
}

#[test]
fn page_of_a_copy_shows_the_mode() {
    let fixture = with_public_names(|_| {});
    insta::assert_snapshot!(steady(&fixture, &fixture.create(&[]).success()));
}

#[test]
fn verify_full_reads_back_what_was_copied() {
    let fixture = with_public_names(|_| {});
    let output = fixture.create(&["--verify", "full", "-o", "json"]).success();
    fixture.assert_uploaded();
    let files = output.json()["files"].clone();
    let sum = fixture.hub.sum("org/model", "model.safetensors").expect("a sum");
    assert_eq!(files[1], json!({ "path": "model.safetensors", "bytes": LARGE, "sha256": sum }));
    assert!(!output.stderr.contains("not verified"), "{output}");
}

/// Streamed files are still verified, as this costs nothing.
#[test]
fn verify_off_omits_the_notice() {
    let fixture = with_public_names(|_| {});
    let output = fixture.create(&["--verify", "off", "-o", "json"]).success();
    fixture.assert_uploaded();
    let files = output.json()["files"].clone();
    assert!(files[0]["path"] == "config.json" && files[0]["sha256"].is_string(), "{files}");
    assert!(!output.stderr.contains("not verified"), "{output}");
}

#[test]
fn copy_that_differs_is_found_by_verify_full_and_not_registered() {
    let fixture = with_public_names(|_| {});
    copies(&fixture, Copying { fault: Some(SourceFault::Flip), count: Some(1), ..Copying::default() });
    let output = fixture.create(&["--verify", "full"]).fails_with(7);
    assert!(output.stderr.contains("model.safetensors differs from the Hub's checksum"), "{output}");
    assert_eq!(fixture.env.registrations(), 0);
    // The next run must not use the same content again.
    let output = fixture.create(&["--verify", "full"]).success();
    fixture.assert_uploaded();
    assert!(!output.stderr.contains("WARNING: model.safetensors"), "{output}");
}

#[test]
fn verify_full_without_read_permission_fails_before_any_copy() {
    let fixture =
        with_public_names_and_config(Config { sas_permissions: "cw".to_owned(), ..Config::default() }, |_| {});
    let output = fixture.create(&["--verify", "full"]).fails_with(2);
    assert!(output.stderr.contains("does not allow reading"), "{output}");
    assert_eq!(fixture.large().copied, 0);
}

/// Files that the store cannot copy are streamed, with one line that names the reason; with `--copy server` the command
/// fails.
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
        let fixture = with_public_names(|_| {});
        copies(&fixture, copying.clone());
        let output = fixture.create(&[]).success();
        fixture.assert_uploaded();
        assert_eq!(output.stderr.matches("transferred through this machine").count(), 1, "{output}");
        assert!(output.stderr.contains(reason), "{reason}: {output}");
        if copying.seconds == 0 {
            let fixture = with_public_names(|_| {});
            copies(&fixture, copying);
            let output = fixture.create(&["--copy", "server"]).fails_with(9);
            assert!(output.stderr.contains(reason) && output.stderr.contains("--copy auto"), "{output}");
            assert_eq!(
                fixture.hub.file("model.safetensors").requests,
                fixture.hub.file("model.safetensors").requests.min(2)
            );
        }
    }
}

#[test]
fn failure_during_a_copy_streams_that_file() {
    let fixture = with_public_names(|_| {});
    let fault = Some(SourceFault::Status(404));
    copies(&fixture, Copying { sound: 1, fault, ..Copying::default() });
    let output = fixture.create(&["--progress", "json", "-o", "json"]).success();
    fixture.assert_uploaded();
    let events: Vec<Value> = output.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let modes: Vec<_> = events.iter().filter(|event| event["event"] == "import.mode").collect();
    let files: Vec<_> = events.iter().filter(|event| event["event"] == "import.file").collect();
    assert_eq!((modes.len(), &modes[0]["mode"]), (1, &json!("server")), "{output}");
    assert_eq!((files.len(), &files[0]["path"], &files[0]["mode"]), (1, &json!("model.safetensors"), &json!("client")));
    let last = events.iter().rfind(|event| event["event"] == "upload.progress").expect("progress");
    assert_eq!((&last["bytesRemote"], &last["bytesSent"]), (&json!(0), &last["bytes"]), "{output}");
}

#[test]
fn rejected_url_is_renewed_once() {
    let fixture = with_public_names(|_| {});
    copies(&fixture, Copying { sound: 1, fault: Some(SourceFault::Status(403)), count: Some(1), ..Copying::default() });
    fixture.create(&[]).success();
    fixture.assert_uploaded();
    assert_eq!(fixture.large().copied, 2);
    // The URL is also renewed if the content delivery network rejects it.
    let fixture = with_public_names(|_| {});
    fixture.hub.add_fault(Fault::new(Route::Cdn, FaultKind::Expired).after(2).times(1));
    fixture.create(&[]).success();
    fixture.assert_uploaded();
    assert_eq!(fixture.large().copied, 2);
}

#[test]
fn too_long_url_is_not_tried() {
    let fixture = with_public_names(|config| config.padding = 1000);
    let output = fixture.create(&[]).success();
    fixture.assert_uploaded();
    assert!(output.stderr.contains("a blob store accepts up to 2048"), "{output}");
    assert_eq!(fixture.large().copied, 0);
}

#[test]
fn copy_client_never_lets_the_store_read() {
    let fixture = with_public_names(|_| {});
    let output = fixture.create(&["--copy", "client"]).success();
    fixture.assert_uploaded();
    assert_eq!(fixture.large().copied, 0);
    assert!(output.stderr.contains("--copy client"), "{output}");
}
