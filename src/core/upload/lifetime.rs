//! Lifetime of a SAS compared with the maximum duration of an upload. Pure.

use std::time::Duration;

use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime, macros::format_description};

use super::event::LifetimeWarning;
use crate::model::SourceFile;
use crate::redact::SecretUrl;

/// Minimum expected rate in bytes per second (design/cli.md#life-of-the-sas).
const EXPECTED_MIN_RATE: u64 = 50 << 20;
const MIN_LIFETIME: u64 = 30 * 60;
const MAX_LIFETIME: u64 = 24 * 60 * 60;

/// Expected minimum rate with this rate limit, in bytes per second.
#[must_use]
pub fn expected_rate(limit: Option<u64>) -> u64 {
    limit.map_or(EXPECTED_MIN_RATE, |limit| limit.clamp(1, EXPECTED_MIN_RATE))
}

/// Returns a warning if the SAS may end before these files are sent: AzCopy cannot change a SAS in flight.
pub(super) fn lifetime_warning(
    sas: &SecretUrl,
    missing: &[SourceFile],
    limit_rate: Option<u64>,
    now: OffsetDateTime,
) -> Option<LifetimeWarning> {
    let left = Duration::try_from(sas_end(sas)? - now).unwrap_or_default();
    let rate = expected_rate(limit_rate);
    if let Some(longest) = missing.iter().max_by_key(|file| file.bytes) {
        let takes = Duration::from_secs(longest.bytes / rate);
        if takes > left {
            let (path, bytes) = (longest.path.clone(), longest.bytes);
            return Some(LifetimeWarning::FileTooLong { path, bytes, takes, rate, left });
        }
    }
    let bytes = missing.iter().map(|file| file.bytes).sum();
    (needed_lifetime(bytes, rate) > left).then_some(LifetimeWarning::MayEndEarly { left })
}

/// Lifetime that a SAS should have for this many bytes at this rate in bytes per second: 1.5 times the duration of the
/// upload, at least 30 minutes, at most 24 hours (design/cli.md#life-of-the-sas).
fn needed_lifetime(bytes: u64, rate: u64) -> Duration {
    let seconds = u128::from(bytes) * 3 / (u128::from(rate.max(1)) * 2);
    Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX).clamp(MIN_LIFETIME, MAX_LIFETIME))
}

/// Expiry of a SAS: its own (`se`), or that of its signing key (`ske`), whichever comes first. `None` if it states
/// neither.
fn sas_end(sas: &SecretUrl) -> Option<OffsetDateTime> {
    let ends = sas.expose().query_pairs().filter(|(key, _)| key == "se" || key == "ske");
    ends.filter_map(|(_, value)| read_time(&value)).min()
}

fn read_time(text: &str) -> Option<OffsetDateTime> {
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return Some(time);
    }
    // Storage also accepts a date, and a time without seconds.
    if let Ok(day) = Date::parse(text, format_description!("[year]-[month]-[day]")) {
        return Some(day.midnight().assume_utc());
    }
    let minutes = format_description!("[year]-[month]-[day]T[hour]:[minute]Z");
    time::PrimitiveDateTime::parse(text, minutes).ok().map(time::PrimitiveDateTime::assume_utc)
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[test]
    fn the_needed_lifetime_of_a_sas_matches_the_design() {
        let minutes: Vec<u64> = [1, 50, 200, 500, 5000]
            .iter()
            .map(|gigabytes| needed_lifetime(gigabytes << 30, 50 << 20).as_secs() / 60)
            .collect();
        assert_eq!(minutes, [30, 30, 102, 256, 1440]);
        assert_eq!(needed_lifetime(u64::MAX, 0).as_secs(), MAX_LIFETIME);
    }

    #[test]
    fn a_sas_ends_at_its_own_expiry_or_that_of_its_key() {
        let end = |query: &str| {
            let url = Url::parse(&format!("https://h/c?{query}&sig=x")).expect("a URL");
            sas_end(&SecretUrl::new(url)).map(|time| time.to_string())
        };
        assert_eq!(end("se=2026-01-02T03%3A04%3A05Z"), Some("2026-01-02 3:04:05.0 +00:00:00".into()));
        assert_eq!(
            end("se=2026-01-03T00:00:00Z&ske=2026-01-02T00:00:00Z"),
            Some("2026-01-02 0:00:00.0 +00:00:00".into())
        );
        assert_eq!(end("se=2026-01-02"), Some("2026-01-02 0:00:00.0 +00:00:00".into()));
        assert_eq!(end("se=2026-01-02T03:04Z"), Some("2026-01-02 3:04:00.0 +00:00:00".into()));
        assert_eq!((end("sv=1"), end("se=soon")), (None, None));
    }
}
