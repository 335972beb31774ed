//! W3C trace context of the run: <https://www.w3.org/TR/trace-context/>.

/// Headers that connect requests with azd's telemetry and the service's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext<'a> {
    /// `00-TRACE-SPAN-FLAGS`, in lower-case hexadecimal digits.
    pub parent: &'a str,
    /// Vendor-specific additions.
    pub state: Option<&'a str>,
}

/// True for a `traceparent` of version 00. A gateway may respond with 400 to any other text.
pub(super) fn is_parent(text: &str) -> bool {
    let is_hex = |part: &str, digits: usize| {
        part.len() == digits && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_set = |part: &str| part.bytes().any(|byte| byte != b'0');
    match text.split('-').collect::<Vec<_>>().as_slice() {
        ["00", trace, span, flags] => {
            is_hex(trace, 32) && is_set(trace) && is_hex(span, 16) && is_set(span) && is_hex(flags, 2)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_w3c_form_is_passed_on() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert!(is_parent(good));
        for bad in [
            "",
            "00-abc-def-01",
            &good[..54],
            &format!("{good}0"),
            &format!("{good}-more"),
            &good.replace("00-0af", "01-0af"),
            &good.replace("00-0af", "ff-0af"),
            &good.replace("0af7", "0AF7"),
            &good.replace("0af7", "0xg7"),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        ] {
            assert!(!is_parent(bad), "{bad}");
        }
    }
}
