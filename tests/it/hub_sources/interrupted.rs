//! Ctrl+C during requests to the Hub.

use std::time::{Duration, Instant};

use fake_hub::{Fault, FaultKind, Route};
use rustix::process::Signal;

use super::Fixture;
use crate::support::Running;

#[test]
fn check_is_interrupted_immediately() {
    for (route, request) in [(Route::Revision, "/revision/main"), (Route::Cdn, "/xet-bridge-us/")] {
        let mut fixture = Fixture::valid();
        // The limit of a stalled response must not be what ends the run.
        fixture.env.set("AZURE_AI_MODELS_TEST_TIME", "1/1");
        fixture.hub.add_fault(Fault::new(route, FaultKind::Stall));
        let running = Running::start(&fixture.env, &["custom", "check", "hf://org/model", "--debug"]);
        running.wait_for(request);
        let started = Instant::now();
        running.signal(Signal::INT);
        let output = running.finish(&fixture.env).fails_with(130);
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        assert!(output.stderr.trim().ends_with("ERROR: Interrupted."), "{output}");
        assert!(!output.stderr.contains("panicked"), "{output}");
    }
}
