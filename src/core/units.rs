//! Bytes, rates, durations and plurals as people read and write them (design/cli.md#units).

use std::time::Duration;

const KB: f64 = 1024.0;
const UNITS: [&str; 5] = ["KB", "MB", "GB", "TB", "PB"];

/// Formats a size: `11 B`, `1.5 KB`, `8.6 GB`.
#[must_use]
pub fn bytes(count: u64) -> String {
    if count < 1024 {
        return format!("{count} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mut value = count as f64 / KB;
    let mut unit = 0;
    // 1023.95 would be rounded to 1024.0.
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= KB;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// Formats a rate: `53.0 MB/s`.
#[must_use]
pub fn rate(bytes_per_second: f64) -> String {
    format!("{}/s", bytes(whole(bytes_per_second)))
}

/// Rate in whole bytes per second.
#[must_use]
pub fn whole(bytes_per_second: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is finite and not negative")]
    let whole = bytes_per_second.max(0.0).round() as u64;
    whole
}

/// Text that [`parse_bytes`] parses to this number: `15M` if it is a multiple, `1500` if not.
#[must_use]
pub fn option(count: u64) -> String {
    match count {
        count if count > 0 && count.is_multiple_of(1 << 30) => format!("{}G", count >> 30),
        count if count > 0 && count.is_multiple_of(1 << 20) => format!("{}M", count >> 20),
        count if count > 0 && count.is_multiple_of(1 << 10) => format!("{}K", count >> 10),
        count => count.to_string(),
    }
}

/// Formats whole seconds: `42s`, `4m 28s`, `1h 02m 05s`.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}h {minutes:02}m {seconds:02}s")
    } else if minutes > 0 {
        format!("{minutes}m {seconds:02}s")
    } else {
        format!("{seconds}s")
    }
}

/// Text that [`parse_duration`] parses to this duration: `1h30m`; `90s` becomes `1m30s`.
#[must_use]
pub fn duration_option(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [(seconds / 3600, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    parts.iter().filter(|(number, _)| *number > 0).map(|(number, unit)| format!("{number}{unit}")).collect()
}

/// Formats a count: `1 file`, `3 files`.
#[must_use]
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// Groups digits: `1,234,567`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Parses `N`, `NK`, `NM` or `NG` (1024-based) as bytes.
///
/// # Errors
/// A sentence with the accepted values.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("'{text}' is not a number of bytes such as 500K, 20M or 1G");
    let (digits, factor) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 1u64 << 10),
        Some((at, 'm' | 'M')) => (&text[..at], 1 << 20),
        Some((at, 'g' | 'G')) => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    match number.checked_mul(factor) {
        Some(count) if count > 0 => Ok(count),
        _ => Err(wrong()),
    }
}

/// Parses `90s`, `30m`, `1h30m`.
///
/// # Errors
/// A sentence with the accepted values.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is not a duration such as 90s, 30m or 1h30m");
    let mut total = 0u64;
    let mut last_unit = u64::MAX;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit = match rest.as_bytes()[digits] {
            b'h' => 3600,
            b'm' => 60,
            b's' => 1,
            _ => return Err(wrong()),
        };
        if unit >= last_unit {
            return Err(wrong());
        }
        last_unit = unit;
        total = number.checked_mul(unit).and_then(|seconds| total.checked_add(seconds)).ok_or_else(wrong)?;
        rest = &rest[digits + 1..];
    }
    if total == 0 { Err(wrong()) } else { Ok(Duration::from_secs(total)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_read_as_in_the_design() {
        for (number, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KB"),
            (1536, "1.5 KB"),
            (1024 * 1024 - 1, "1.0 MB"),
            (73_551_801_139, "68.5 GB"),
            (u64::MAX, "16384.0 PB"),
        ] {
            assert_eq!(bytes(number), text);
        }
        assert_eq!(rate(55_574_528.0), "53.0 MB/s");
    }

    #[test]
    fn durations_read_as_in_the_design() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (162, "2m 42s"), (3725, "1h 02m 05s")] {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn counts_are_grouped_and_agree_in_number() {
        assert_eq!(count(1, "file", "files"), "1 file");
        assert_eq!(count(0, "file", "files"), "0 files");
        assert_eq!(count(1_234_567, "file", "files"), "1,234,567 files");
    }

    #[test]
    fn byte_options_are_read_strictly() {
        assert_eq!(parse_bytes("20M"), Ok(20 << 20));
        assert_eq!(parse_bytes("7"), Ok(7));
        for text in ["20M", "7", "3K", "2G", "1025"] {
            assert_eq!(parse_bytes(text).map(option).as_deref(), Ok(text));
        }
        for wrong in ["", "M", "0", "-1", "1.5M", "20MB", "20 M", "99999999999999G"] {
            assert!(parse_bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn duration_options_are_read_strictly() {
        assert_eq!(parse_duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
        for text in ["1h30m", "1m30s", "2h5s"] {
            assert_eq!(parse_duration(text).map(duration_option).as_deref(), Ok(text));
        }
        for wrong in ["", "30", "m", "0s", "5d", "1m1h", "1m1m", "-1s", "1.5h"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn parsers_never_panic(text in "\\PC{0,12}") {
            drop(parse_bytes(&text));
            drop(parse_duration(&text));
        }
    }
}
