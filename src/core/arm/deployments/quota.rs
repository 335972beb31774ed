//! Numbers in the service's message about insufficient quota. Pure.

/// Numbers of a rejection for insufficient quota. `None` if the message does not state them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuotaShortage {
    /// Capacity that the request needs.
    pub needed: Option<u64>,
    /// Remaining capacity.
    pub available: u64,
    /// Limit of the quota.
    pub limit: Option<u64>,
    /// Name of the quota.
    pub quota: Option<String>,
}

impl QuotaShortage {
    /// Parses a message; `None` if it does not state the remaining capacity. The service has used several forms.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let available = number_after(text, &["available capacity "])?;
        let needed = number_after(text, &["requires ", "require ", "specified capacity "]);
        let limit = number_after(text, &["quota limit is "]);
        let named = |start: &str, ends: &[char]| {
            let (_, rest) = text.split_once(start)?;
            let name = rest.split(ends).next()?.trim();
            (!name.is_empty()).then(|| name.to_owned())
        };
        let quota = named("UsageName '", &['\'']).or_else(|| named("in quota ", &[',', '.']));
        Some(Self { needed, available, limit, quota })
    }
}

/// Whole number after one of these words, with or without quotation marks.
fn number_after(text: &str, words: &[&str]) -> Option<u64> {
    words.iter().find_map(|word| {
        let (_, rest) = text.split_once(word)?;
        let rest = rest.trim_start_matches(['\'', '"']);
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_messages_are_parsed() {
        let shortage = |needed, available, limit, quota: &str| {
            Some(QuotaShortage { needed: Some(needed), available, limit, quota: Some(quota.to_owned()) })
        };
        for (text, read) in [
            (
                "This operation require 20 new capacity in quota Tokens Per Minute (thousands) - gpt, which is bigger than the current available capacity 10. The current quota usage is 5 and the quota limit is 15 for quota Tokens Per Minute (thousands) - gpt.",
                shortage(20, 10, Some(15), "Tokens Per Minute (thousands) - gpt"),
            ),
            (
                "The specified capacity '120' of account deployment is bigger than available capacity '30' for UsageName 'OpenAI.Standard.m'.",
                shortage(120, 30, None, "OpenAI.Standard.m"),
            ),
            (
                "This operation requires 80 new capacity in quota Global Provisioned Managed Throughput Unit - Fireworks, current available capacity 0.",
                shortage(80, 0, None, "Global Provisioned Managed Throughput Unit - Fireworks"),
            ),
            ("Cannot create/update/move resource 'acc'.", None),
            ("", None),
        ] {
            assert_eq!(QuotaShortage::read(text), read, "{text}");
        }
    }

    #[test]
    fn quota_message_survives_mutation() {
        let seed = b"requires 80 new capacity in quota X, current available capacity 0.";
        crate::fuzz::fuzz("quota", &[seed], |input| {
            let text = String::from_utf8_lossy(input);
            assert!(QuotaShortage::read(&text).is_none_or(|_| text.contains("available capacity ")));
        });
    }
}
