//! Quota: the usages of a region, the contribution of deployments, and the capacity of regions. Pure.

use serde_json::{Value, json};

/// Usage that deployments of registered models count against. Only its localized text was observed, not its name.
pub(crate) const FIREWORKS: &str = "Fireworks.GlobalProvisionedManaged";

/// Usages as the service lists them.
pub(crate) fn built_in() -> Vec<Value> {
    let usage = |value: &str, words: &str, used: f64, limit: f64| {
        json!({
            "name": {"value": value, "localizedValue": words},
            "currentValue": used,
            "limit": limit,
            "unit": "Count",
        })
    };
    vec![
        usage("OpenAI.GlobalStandard.gpt4.1", "Tokens Per Minute (thousands) - gpt4.1 - GlobalStandard", 0.0, 1000.0),
        usage("OpenAI.Standard.gpt4.1", "Tokens Per Minute (thousands) - gpt4.1", 0.0, 100.0),
        usage(
            "OpenAI.GlobalStandard.gpt4.1-mini",
            "Tokens Per Minute (thousands) - gpt4.1-mini - GlobalStandard",
            0.0,
            200.0,
        ),
        usage("OpenAI.GlobalProvisionedManaged", "Global Provisioned Managed Throughput Unit", 0.0, 100.0),
        usage("OpenAI.GlobalStandard.gpt4.1-finetune", "Tokens Per Minute (thousands) - gpt4.1 - finetune", 0.0, 50.0),
        usage("AIServices.GlobalStandard.Phi-4", "Requests Per Minute - Phi-4 - GlobalStandard", 0.0, 1.0),
        usage(FIREWORKS, "Global Provisioned Managed Throughput Unit - Fireworks", 0.0, 800.0),
        usage("OpenAI.GlobalStandard.text-embedding-3-large", "Tokens Per Minute (thousands) - embeddings", 0.0, 350.0),
    ]
}

/// Claim of a deployment on a usage.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Claim {
    pub(crate) usage: String,
    pub(crate) capacity: u64,
}

/// Usages, including the claims of the deployments.
pub(crate) fn with_claims(usages: &[Value], claims: &[Claim]) -> Vec<Value> {
    let claimed = |usage: &Value| {
        let mut usage = usage.clone();
        let value = usage["name"]["value"].clone();
        let sum: u64 = claims.iter().filter(|claim| value == claim.usage).map(|claim| claim.capacity).sum();
        usage["currentValue"] = (number(&usage["currentValue"]) + sum as f64).into();
        usage
    };
    usages.iter().map(claimed).collect()
}

/// Conflict of a claim with the existing ones, as reported by the service; `None` if there is quota, or when no usage
/// has the name.
pub(crate) fn refusal(usages: &[Value], claims: &[Claim], new: &Claim) -> Option<String> {
    let usages = with_claims(usages, claims);
    let usage = usages.iter().find(|usage| usage["name"]["value"] == new.usage)?;
    let (used, limit) = (number(&usage["currentValue"]), number(&usage["limit"]));
    let available = limit - used;
    if new.capacity as f64 <= available {
        return None;
    }
    let words = usage["name"]["localizedValue"].as_str().unwrap_or(&new.usage);
    let capacity = new.capacity;
    if words.contains("Fireworks") {
        return Some(format!(
            "This operation requires {capacity} new capacity in quota {words}, current available capacity {available}."
        ));
    }
    Some(format!(
        "This operation require {capacity} new capacity in quota {words}, which is bigger than the current available \
         capacity {available}. The current quota usage is {used} and the quota limit is {limit} for quota {words}."
    ))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(usage: &str, capacity: u64) -> Claim {
        Claim { usage: usage.to_owned(), capacity }
    }

    #[test]
    fn a_claim_beyond_the_limit_is_rejected_with_the_message_of_the_service() {
        let (name, claims) = ("OpenAI.GlobalStandard.gpt4.1-mini", [claim("OpenAI.GlobalStandard.gpt4.1-mini", 150)]);
        assert_eq!(refusal(&built_in(), &claims, &claim(name, 50)), None);
        assert_eq!(
            refusal(&built_in(), &claims, &claim(name, 60)).unwrap(),
            "This operation require 60 new capacity in quota Tokens Per Minute (thousands) - gpt4.1-mini - \
             GlobalStandard, which is bigger than the current available capacity 50. The current quota usage is 150 and \
             the quota limit is 200 for quota Tokens Per Minute (thousands) - gpt4.1-mini - GlobalStandard."
        );
        assert_eq!(
            refusal(&built_in(), &[], &claim(FIREWORKS, 1000)).unwrap(),
            "This operation requires 1000 new capacity in quota Global Provisioned Managed Throughput Unit - Fireworks, \
             current available capacity 800."
        );
        assert_eq!(refusal(&built_in(), &[], &claim("unlisted", 1_000_000)), None);
    }
}
