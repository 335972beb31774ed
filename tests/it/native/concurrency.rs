//! Number of concurrent requests.

use std::fs;

use super::{create, env};
use crate::support::{Behaviour, TestEnv};

/// Creates a model of one file that takes no disk space.
pub(super) fn sparse(env: &TestEnv, bytes: u64) {
    let path = env.write("model/model.safetensors", "");
    fs::File::options().write(true).open(path).expect("opened").set_len(bytes).expect("a size");
}

/// Number of unanswered block requests once the upload has stalled.
fn concurrent_requests(options: &[&str]) -> u32 {
    let (mut env, store) = env();
    fs::remove_file(env.work().join("model/config.json")).expect("removed");
    sparse(&env, 128 << 20);
    // The stall limit is two seconds, below the limit after which a request is cancelled and sent again.
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.01/1").set("AZURE_AI_MODELS_STALL_TIMEOUT", "200s");
    store.behaves(Behaviour { silent_after: Some(1), discards: true, ..Behaviour::default() });
    let output = create(&env, &[&["--skip-check", "-o", "json"], options].concat()).fails_with(7);
    assert_eq!(output.json_error()["code"], "upload_stalled", "{output}");
    store.silent()
}

#[test]
fn parallel_sets_the_number_of_requests() {
    // The rate is low enough that all requests wait for the first, which is sent alone.
    let slowly = ["--limit-rate", "64M", "--no-hash"];
    assert_eq!(concurrent_requests(&[&slowly[..], &["--parallel", "8"]].concat()), 8);
    assert_eq!(concurrent_requests(&["--parallel", "1"]), 1);
    // If many requests shared a low rate, none would complete for a long time.
    assert_eq!(concurrent_requests(&["--limit-rate", "8M", "--no-hash"]), 3);
}

#[test]
fn requests_increase_while_bandwidth_is_available() {
    let (env, store) = env();
    sparse(&env, 1 << 30);
    store.behaves(Behaviour { discards: true, ..Behaviour::default() });
    let output = create(&env, &["--skip-check", "--debug", "--no-hash"]).success();
    let numbers =
        output.stderr.split("at most ").skip(1).filter_map(|rest| rest.split(' ').next()?.parse::<u32>().ok());
    assert!(numbers.max().is_some_and(|most| most > 8), "{output}");
    let (env, store) = super::env();
    sparse(&env, 128 << 20);
    store.behaves(Behaviour { discards: true, ..Behaviour::default() });
    let output = create(&env, &["--skip-check", "--debug", "--parallel", "4"]).success();
    assert!(!output.stderr.contains("large requests at once"), "{output}");
}
