//! Speed of an upload to the location of a model version. Pure.

use std::time::Duration;

use super::role::assignment_to;
use super::{Check, CheckId, Fix};
use crate::http::HttpError;
use crate::store::SPEED_PROBE;
use crate::units;

/// Verdict on the duration or the failure of the probe.
#[must_use]
pub fn speed(measured: &Result<(String, Duration), HttpError>) -> Check {
    let id = CheckId::Speed;
    match measured {
        Ok((host, took)) => {
            #[expect(clippy::cast_precision_loss, reason = "16 MiB")]
            let rate = units::rate(SPEED_PROBE as f64 / took.as_secs_f64().max(0.001));
            let sent = units::bytes(SPEED_PROBE);
            Check::ok(id, format!("{rate} to {host}: {sent} in blocks that were not committed, so nothing is left"))
        }
        Err(error) if error.status() == Some(403) => {
            let fix = assignment_to(None, None);
            Check::failed(id, format!("not measured, as there is no permission to upload: {error}"), fix)
        }
        Err(error) => Check::failed(id, format!("not measured: {error}"), Fix::of_program(&["doctor", "--debug"])),
    }
}
