//! Open files of the process: each request needs a connection, and the file that it reads or writes.

use crate::model::{Report, Reporter};

/// Open files other than those of requests: streams, locks, the record, the runtime's own.
const RESERVED: u64 = 32;
/// Open files per request: its connection, and its content.
const PER_REQUEST: u64 = 2;

/// Number of concurrent requests for which the process can open files; reports a number below `wanted`.
pub(crate) fn concurrent_requests(wanted: u32, reporter: &Reporter) -> u32 {
    let Some(limit) = limit() else { return wanted };
    let affordable = affordable(limit);
    if affordable >= wanted {
        return wanted;
    }
    let message =
        format!("The limit of open files is {limit} (ulimit -n): using {affordable} connections instead of {wanted}.");
    reporter(Report::Notice(message));
    affordable
}

/// Files that all of these requests need.
pub(crate) fn needed(requests: u32) -> u64 {
    RESERVED + PER_REQUEST * u64::from(requests)
}

fn affordable(limit: u64) -> u32 {
    u32::try_from(limit.saturating_sub(RESERVED) / PER_REQUEST).unwrap_or(u32::MAX).max(1)
}

/// Limit of open files; `None` if there is none.
#[cfg(unix)]
pub(crate) fn limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

/// `None`: Windows has no limit that a process reaches.
#[cfg(not(unix))]
pub(crate) fn limit() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_limit_has_no_effect_and_a_small_one_leaves_one_request() {
        for (limit, requests) in [(1024, 496), (256, 112), (64, 16), (40, 4), (20, 1), (0, 1)] {
            assert_eq!(affordable(limit), requests, "{limit}");
        }
    }
}
