//! Open files of the process: each request needs a connection and the file that it reads.

/// Files that are open beside those of requests: streams, locks, the record, the runtime's own.
const RESERVED: u64 = 32;
/// Files that a request needs: its connection, and its content.
const PER_REQUEST: u64 = 2;

/// Concurrent requests that the process can open files for, and its limit, where that is fewer than wanted.
pub(super) fn fewer_requests(wanted: u32) -> Option<(u32, u64)> {
    let limit = limit()?;
    let affordable = affordable(limit);
    (affordable < wanted).then_some((affordable, limit))
}

/// Files that all of these requests need.
pub(super) fn needed(requests: u32) -> u64 {
    RESERVED + PER_REQUEST * u64::from(requests)
}

fn affordable(limit: u64) -> u32 {
    u32::try_from(limit.saturating_sub(RESERVED) / PER_REQUEST).unwrap_or(u32::MAX).max(1)
}

/// Limit of open files; `None` if there is none.
#[cfg(unix)]
pub(super) fn limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

/// Windows has no such limit that a process meets.
#[cfg(not(unix))]
pub(super) fn limit() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_limit_costs_nothing_and_a_small_one_leaves_one_request() {
        for (limit, requests) in [(1024, 496), (256, 112), (64, 16), (40, 4), (20, 1), (0, 1)] {
            assert_eq!(affordable(limit), requests, "{limit}");
        }
    }
}
