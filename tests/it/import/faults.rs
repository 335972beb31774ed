//! Faults during the transfer of an import, with exit codes and messages.

use fake_hub::{Fault, FaultKind, Route};

use super::{LARGE, MIB, fixture};
use crate::support::{Behaviour, sha256};

/// Transient faults: the model is imported completely.
#[test]
fn transient_content_faults_are_retried() {
    use FaultKind::{Cut, Delay, Empty, Hang, Short};
    let cases = [
        ("empty", Empty, 2),
        ("short", Short, 2),
        ("cut", Cut, 2),
        ("hang", Hang, 1),
        ("busy", FaultKind::status(503), 2),
        ("delay", Delay(50), 4),
        ("expired", FaultKind::Expired, 1),
        ("stall", FaultKind::Stall, 1),
    ];
    for (name, kind, times) in cases {
        let fixture = fixture(|_| {});
        fixture.hub.add_fault(Fault::new(Route::Cdn, kind).of("model.safetensors").after(2).times(times));
        let output = fixture.create(&["--debug"]).success();
        fixture.assert_uploaded();
        fixture.assert_no_secret(&output);
        assert_eq!(fixture.large().commits, 1, "{name}");
    }
}

/// Permanent faults, with exit code and message.
#[test]
fn permanent_content_faults_have_their_own_messages() {
    let refused = FaultKind::Expired;
    for (kind, code, words) in [
        (FaultKind::IgnoreRange, 9, "the whole file (200)"),
        (FaultKind::OtherRange, 9, "does not send the requested part"),
        (FaultKind::InvalidRange, 7, "Auth failed: invalid range"),
        (refused, 7, "also with a new signed URL"),
        (FaultKind::status(500), 9, "500"),
        (FaultKind::Empty, 9, "the connection was reset"),
    ] {
        let fixture = fixture(|_| {});
        // The header for the check is requested first.
        fixture.hub.add_fault(Fault::new(Route::Cdn, kind.clone()).of("model.safetensors").after(2));
        let output = fixture.create(&[]).fails_with(code);
        assert!(output.stderr.contains(words), "{kind:?}: {output}");
        assert!(fixture.store.blob("model.safetensors").is_none(), "{kind:?}");
        fixture.assert_no_secret(&output);
        // The next run sends the remaining blocks.
        fixture.hub.clear_faults();
        fixture.create(&[]).success();
        fixture.assert_uploaded();
    }
}

#[test]
fn flipped_bit_is_found_before_the_commit_and_fetched_once_more() {
    for name in ["model.safetensors", "tokenizer.json"] {
        let fixture = fixture(|_| {});
        let route = if name == "tokenizer.json" { Route::File } else { Route::Cdn };
        let skip = if name == "tokenizer.json" { 1 } else { 2 };
        fixture.hub.add_fault(Fault::new(route, FaultKind::Flip).of(name).after(skip).times(1));
        let output = fixture.create(&["--skip-check"]).success();
        fixture.assert_uploaded();
        let words = format!("The content of {name} differs from the Hub's checksum. Downloading it again.");
        assert_eq!(output.stderr.matches(&words).count(), 1, "{output}");
        assert_eq!(fixture.store.take_received(name).commits, u32::from(name == "model.safetensors"));
    }
}

#[test]
fn content_with_a_wrong_checksum_is_fetched_twice_and_never_committed() {
    let fixture = fixture(|config| config.repos[0].wrong_sums = vec!["model.safetensors".to_owned()]);
    let output = fixture.create(&[]).fails_with(7);
    let listed = fixture.hub.sum("org/model", "model.safetensors").expect("a sum").to_owned();
    let found = sha256(&fixture.source("model.safetensors"));
    assert!(output.stderr.contains(&listed) && output.stderr.contains(&found), "{output}");
    assert!(fixture.store.blob("model.safetensors").is_none());
    let fetched = fixture.hub.file("model.safetensors").bytes / LARGE as u64;
    assert_eq!((fetched, fixture.large().commits), (2, 0));
    assert_eq!(fixture.env.registrations(), 0);
    // The next run does not reuse those blocks for the file.
    let output = fixture.create(&[]).fails_with(7);
    assert!(output.stderr.contains(&found), "{output}");
}

/// Responses that contradict each other.
#[test]
fn contradicting_responses_fail_before_that_file_is_sent() {
    for (kind, words) in [
        (FaultKind::OtherCommit, "the commit is"),
        (FaultKind::OtherSize, "the size is"),
        (FaultKind::OtherSum, "the SHA-256 is"),
    ] {
        let fixture = fixture(|_| {});
        fixture.hub.add_fault(Fault::new(Route::Resolve, kind));
        let output = fixture.create(&["--skip-check"]).fails_with(9);
        assert!(output.stderr.contains(words), "{output}");
        assert_eq!(fixture.large().blocks, [0_u64; 0]);
    }
}

#[test]
fn mirror_without_a_commit_is_rejected() {
    let fixture = fixture(|config| config.has_commit_header = false);
    let output = fixture.create(&["--skip-check"]).fails_with(9);
    assert!(output.stderr.contains("contains no commit"), "{output}");
}

#[test]
fn small_files_may_be_redirected_within_the_hub() {
    let fixture = fixture(|config| config.redirects_small_files = true);
    fixture.create(&[]).success();
    fixture.assert_uploaded();
}

#[test]
fn rate_limit_is_respected() {
    let fixture = fixture(|_| {});
    fixture.hub.add_fault(Fault::new(Route::Resolve, FaultKind::RateLimit { reset: 2 }).times(1));
    let output = fixture.create(&["--skip-check"]).success();
    fixture.assert_uploaded();
    assert!(output.stderr.contains("throttled the requests"), "{output}");
}

#[test]
fn urls_that_expire_during_the_transfer_are_renewed() {
    let fixture = fixture(|config| config.revoke_every = Some(6));
    let output = fixture.create(&["--debug"]).success();
    fixture.assert_uploaded();
    fixture.assert_no_secret(&output);
}

/// A block that the store temporarily rejects is sent again from memory: the Hub receives no second request.
#[test]
fn busy_store_causes_no_second_fetch() {
    let fixture = fixture(|_| {});
    fixture.store.behaves(Behaviour { busy_every: Some(2), ..Behaviour::default() });
    fixture.create(&[]).success();
    fixture.assert_uploaded();
    let fetched = fixture.hub.file("model.safetensors").bytes;
    assert!(fetched < (LARGE + MIB) as u64, "{fetched}");
}
