//! Addresses of the Foundry portal. Pure.
//!
//! The URL of a project is the one that azd's own agents extension prints (`AgentPlaygroundURL` in `azure.ai.agents`),
//! with `home` as the page, as printed by Aspire's Foundry hosting. No public source documents the URL of a registered
//! model's page, or URLs for the other clouds.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;
use uuid::Uuid;

use super::AccountId;

const PORTAL: &str = "https://ai.azure.com/";

/// Page of a project, in the directory of this tenant if it is known; `None` if the subscription is not a UUID.
#[must_use]
pub fn project_page(account: &AccountId, project: &str, tenant: Option<&str>) -> Option<Url> {
    let subscription = URL_SAFE_NO_PAD.encode(account.subscription.parse::<Uuid>().ok()?.as_bytes());
    let AccountId { group, account, .. } = account;
    let mut url = start_page(tenant);
    // The names are separated by commas; Azure accepts none with a comma.
    if [group.as_str(), account.as_str(), project].iter().any(|name| name.is_empty() || name.contains(',')) {
        return None;
    }
    let place = format!("{subscription},{group},,{account},{project}");
    url.path_segments_mut().ok()?.clear().extend(["nextgen", "r", &place, "home"]);
    Some(url)
}

/// Start page of the portal, in the directory of this tenant if it is a UUID.
#[must_use]
pub fn start_page(tenant: Option<&str>) -> Url {
    let mut url = Url::parse(PORTAL).unwrap_or_else(|_| unreachable!("a constant"));
    if let Some(tenant) = tenant.and_then(|tenant| tenant.parse::<Uuid>().ok()) {
        url.query_pairs_mut().append_pair("tid", &tenant.to_string());
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: Option<&str> = Some("11111111-2222-3333-4444-555555555555");

    fn page(subscription: &str, group: &str, project: &str, tenant: Option<&str>) -> Option<String> {
        let account =
            AccountId { subscription: subscription.into(), group: group.into(), account: "my-account".into() };
        project_page(&account, project, tenant).map(String::from)
    }

    #[test]
    fn a_project_has_the_url_that_azd_prints_for_its_agents() {
        let subscription = "00000000-0000-0000-0000-000000000001";
        assert_eq!(
            page(subscription, "my-rg", "my-project", TENANT).as_deref(),
            Some(
                "https://ai.azure.com/nextgen/r/AAAAAAAAAAAAAAAAAAAAAQ,my-rg,,my-account,my-project/home?tid=11111111-2222-3333-4444-555555555555"
            )
        );
        assert_eq!(page("sub", "my-rg", "my-project", None), None);
    }

    /// Names come from responses of a service: none of them may lead to another path.
    #[test]
    fn no_name_changes_the_path_of_the_url() {
        let subscription = "00000000-0000-0000-0000-000000000001";
        for name in ["../../x", "a/b", "a?b=c", "a#b", "a b", "\"&calc&\"", "%2e%2e", "a\n-b", "@evil.example"] {
            let url = page(subscription, name, name, None).expect("an address");
            let parsed = Url::parse(&url).expect("a URL");
            assert_eq!(parsed.host_str(), Some("ai.azure.com"), "{url}");
            assert_eq!(parsed.path_segments().map(Iterator::count), Some(4), "{url}");
            assert!(parsed.query().is_none() && parsed.fragment().is_none(), "{url}");
            assert!(!url.contains([' ', '"', '\n']), "{url}");
        }
        for name in ["", "a,b"] {
            assert_eq!(page(subscription, name, "p", None), None, "{name:?}");
        }
        for tenant in ["contoso.example", "x&y=z", ""] {
            assert_eq!(start_page(Some(tenant)).as_str(), "https://ai.azure.com/", "{tenant}");
        }
    }
}
