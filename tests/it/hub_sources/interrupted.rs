//! Ctrl+C during requests to the Hub.

use std::time::{Duration, Instant};

use fake_hub::{Fault, FaultKind, Route};
use rustix::process::Signal;

use super::World;
use crate::support::Running;

#[test]
fn a_check_is_interrupted_immediately() {
    for (route, request) in [(Route::Revision, "/revision/main"), (Route::Cdn, "/xet-bridge-us/")] {
        let mut world = World::sound();
        // The limit of a stalled response must not be what ends it.
        world.env.set("AZURE_AI_MODELS_TEST_TIME", "1/1");
        world.hub.add_fault(Fault::new(route, FaultKind::Stall));
        let running = Running::start(&world.env, &["custom", "check", "hf://org/model", "--debug"]);
        running.wait_for(request);
        let begun = Instant::now();
        running.signal(Signal::INT);
        let output = running.finish(&world.env).fails_with(130);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert!(output.stderr.trim().ends_with("ERROR: Interrupted."), "{output}");
        assert!(!output.stderr.contains("panicked"), "{output}");
    }
}
