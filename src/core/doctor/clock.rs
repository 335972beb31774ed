//! Clock of this machine compared with the `Date` of a service. Pure.

use std::time::Duration;

use super::observation::HostObservation;
use super::{Check, CheckId};
use crate::platform::Platform;
use crate::units;

/// Tolerance: a SAS starts at the service's time, and appears expired or not yet valid to a clock with a larger
/// difference.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);
/// Differences below this are not reported: `Date` has whole seconds, and the response takes time.
const NOISE: Duration = Duration::from_secs(60);

/// Verdict by the first host that sent its time.
#[must_use]
pub fn clock(hosts: &[Option<&HostObservation>]) -> Check {
    let observed = hosts.iter().flatten().find_map(|observation| Some((observation.host(), observation.skew?)));
    let Some((host, (is_fast, off))) = observed else {
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

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    #[test]
    fn a_difference_is_judged_by_its_length() {
        let service = |skew| HostObservation { skew, ..HostObservation::reached("https://h/") };
        for (seconds, status) in
            [(0, Status::Ok), (60, Status::Ok), (61, Status::Warning), (300, Status::Warning), (301, Status::Failed)]
        {
            for (is_fast, word) in [(true, "ahead"), (false, "behind")] {
                let check = clock(&[None, Some(&service(Some((is_fast, Duration::from_secs(seconds)))))]);
                assert_eq!(check.status, status, "{check:?}");
                assert!(
                    status == Status::Ok || check.message.contains(&format!("{word} of the clock of h")),
                    "{check:?}"
                );
            }
        }
        assert_eq!(clock(&[None, Some(&service(None))]), Check::not_checked(CheckId::Clock, CheckId::Tls));
    }
}
