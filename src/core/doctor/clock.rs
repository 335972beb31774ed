//! The clock of this machine against the `Date` of a service. Pure.

use std::time::Duration;

use super::sight::Sight;
use super::{Check, CheckId};
use crate::platform::Platform;
use crate::units;

/// A SAS begins at the service's time: a clock that is off by more makes it look expired or not yet valid.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);
/// Below this a difference is no reason for a word: `Date` has whole seconds, and the answer takes its way.
const NOISE: Duration = Duration::from_secs(60);

/// Judges by the first of the hosts that sent its time.
#[must_use]
pub fn clock(hosts: &[Option<&Sight>]) -> Check {
    let told = hosts.iter().flatten().find_map(|sight| Some((sight.host(), sight.skew?)));
    let Some((host, (is_fast, off))) = told else {
        return Check::not_checked(CheckId::Clock, CheckId::Tls);
    };
    let message =
        format!("{} {} of the clock of {host}", units::duration(off), if is_fast { "ahead" } else { "behind" });
    if off > TOLERANCE {
        let message = format!("{message}; a SAS fails beyond 5 minutes");
        Check::failed(CheckId::Clock, message, set_command(Platform::CURRENT))
    } else if off > NOISE {
        Check::warning(CheckId::Clock, message, set_command(Platform::CURRENT))
    } else {
        Check::ok(CheckId::Clock, format!("agrees with that of {host}"))
    }
}

/// Command that sets the clock by the network.
pub(super) fn set_command(platform: Platform) -> &'static str {
    match platform {
        Platform::Linux => "sudo timedatectl set-ntp true",
        Platform::MacOs => "sudo sntp -sS time.apple.com",
        Platform::Windows => "w32tm /resync",
    }
}
