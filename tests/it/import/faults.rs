//! Faults of an import's transfer, with exit code and messages.

use fake_hub::{Fault, FaultKind, Route};

use super::{LARGE, MIB, world};
use crate::support::{Behaviour, sha256};

/// Faults that pass: the model arrives whole.
#[test]
fn passing_faults_of_the_content_cost_a_retry() {
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
        let world = world(|_| {});
        world.hub.add_fault(Fault::new(Route::Cdn, kind).of("model.safetensors").after(2).times(times));
        let output = world.create(&["--debug"]).success();
        world.assert_arrived();
        world.assert_no_secret(&output);
        assert_eq!(world.large().commits, 1, "{name}");
    }
}

/// Faults that stay, with exit code and words.
#[test]
fn lasting_faults_of_the_content_have_their_own_messages() {
    let refused = FaultKind::Expired;
    for (kind, code, words) in [
        (FaultKind::IgnoreRange, 9, "the whole file (200)"),
        (FaultKind::OtherRange, 9, "does not send the requested part"),
        (FaultKind::InvalidRange, 7, "Auth failed: invalid range"),
        (refused, 7, "also with a new signed URL"),
        (FaultKind::status(500), 9, "500"),
        (FaultKind::Empty, 9, "the connection was reset"),
    ] {
        let world = world(|_| {});
        // The header for the check comes first.
        world.hub.add_fault(Fault::new(Route::Cdn, kind.clone()).of("model.safetensors").after(2));
        let output = world.create(&[]).fails_with(code);
        assert!(output.stderr.contains(words), "{kind:?}: {output}");
        assert!(world.store.blob("model.safetensors").is_none(), "{kind:?}");
        world.assert_no_secret(&output);
        // The next run sends the rest.
        world.hub.clear_faults();
        world.create(&[]).success();
        world.assert_arrived();
    }
}

#[test]
fn a_flipped_bit_is_found_before_the_commit_and_fetched_once_more() {
    for name in ["model.safetensors", "tokenizer.json"] {
        let world = world(|_| {});
        let route = if name == "tokenizer.json" { Route::File } else { Route::Cdn };
        let skip = if name == "tokenizer.json" { 1 } else { 2 };
        world.hub.add_fault(Fault::new(route, FaultKind::Flip).of(name).after(skip).times(1));
        let output = world.create(&["--skip-check"]).success();
        world.assert_arrived();
        let words = format!("The content of {name} differs from the Hub's checksum. Downloading it again.");
        assert_eq!(output.stderr.matches(&words).count(), 1, "{output}");
        assert_eq!(world.store.take_received(name).commits, u32::from(name == "model.safetensors"));
    }
}

#[test]
fn content_with_another_sum_is_fetched_twice_and_never_committed() {
    let world = world(|config| config.repos[0].wrong_sums = vec!["model.safetensors".to_owned()]);
    let output = world.create(&[]).fails_with(7);
    let listed = world.hub.sum("org/model", "model.safetensors").expect("a sum").to_owned();
    let found = sha256(&world.source("model.safetensors"));
    assert!(output.stderr.contains(&listed) && output.stderr.contains(&found), "{output}");
    assert!(world.store.blob("model.safetensors").is_none());
    let fetched = world.hub.file("model.safetensors").bytes / LARGE as u64;
    assert_eq!((fetched, world.large().commits), (2, 0));
    assert_eq!(world.env.registrations(), 0);
    // The next run does not take those blocks for the file.
    let output = world.create(&[]).fails_with(7);
    assert!(output.stderr.contains(&found), "{output}");
}

/// Answers that do not agree with each other.
#[test]
fn answers_that_disagree_end_before_a_byte_of_that_file_is_sent() {
    for (kind, words) in [
        (FaultKind::OtherCommit, "the commit is"),
        (FaultKind::OtherSize, "the size is"),
        (FaultKind::OtherSum, "the SHA-256 is"),
    ] {
        let world = world(|_| {});
        world.hub.add_fault(Fault::new(Route::Resolve, kind));
        let output = world.create(&["--skip-check"]).fails_with(9);
        assert!(output.stderr.contains(words), "{output}");
        assert_eq!(world.large().blocks, [0_u64; 0]);
    }
}

#[test]
fn a_mirror_without_a_commit_is_refused() {
    let world = world(|config| config.has_commit_header = false);
    let output = world.create(&["--skip-check"]).fails_with(9);
    assert!(output.stderr.contains("contains no commit"), "{output}");
}

#[test]
fn small_files_may_be_redirected_within_the_hub() {
    let world = world(|config| config.redirects_small_files = true);
    world.create(&[]).success();
    world.assert_arrived();
}

#[test]
fn a_rate_limit_is_waited_for() {
    let world = world(|_| {});
    world.hub.add_fault(Fault::new(Route::Resolve, FaultKind::RateLimit { reset: 2 }).times(1));
    let output = world.create(&["--skip-check"]).success();
    world.assert_arrived();
    assert!(output.stderr.contains("throttled the requests"), "{output}");
}

#[test]
fn urls_that_end_in_the_middle_are_renewed() {
    let world = world(|config| config.revoke_every = Some(6));
    let output = world.create(&["--debug"]).success();
    world.assert_arrived();
    world.assert_no_secret(&output);
}

/// A block that the store refuses for a while is sent again from memory: the Hub is not asked again.
#[test]
fn a_busy_store_costs_no_second_fetch() {
    let world = world(|_| {});
    world.store.behaves(Behaviour { busy_every: Some(2), ..Behaviour::default() });
    world.create(&[]).success();
    world.assert_arrived();
    let fetched = world.hub.file("model.safetensors").bytes;
    assert!(fetched < (LARGE + MIB) as u64, "{fetched}");
}
