//! A Foundry account: its id, and the properties needed to access its deployments.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use url::Url;

use super::PROVIDER;
use crate::model::Cloud;
use crate::project::ProjectEndpoint;

/// Parsed ARM id of a Foundry account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountId {
    /// Subscription.
    pub subscription: String,
    /// Resource group.
    pub group: String,
    /// ARM name.
    pub account: String,
}

impl AccountId {
    /// Path segments of a resource below the account.
    pub(super) fn path<'a>(&'a self, below: &[&'a str]) -> Vec<&'a str> {
        let Self { subscription, group, account } = self;
        let own = [
            "subscriptions",
            subscription,
            "resourceGroups",
            group,
            "providers",
            PROVIDER,
            "accounts",
            account.as_str(),
        ];
        [own.as_slice(), below].concat()
    }

    /// ARM id of a project of the account.
    #[must_use]
    pub fn project(&self, project: &str) -> String {
        format!("{self}/projects/{project}")
    }

    fn parse(id: &str) -> Option<Self> {
        let mut parts = id.trim_matches('/').split('/');
        let mut after = |keyword: &str| {
            parts.find(|part| part.eq_ignore_ascii_case(keyword))?;
            parts.next().filter(|name| !name.is_empty()).map(str::to_owned)
        };
        Some(Self {
            subscription: after("subscriptions")?,
            group: after("resourceGroups")?,
            account: after("accounts")?,
        })
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subscription, group, account } = self;
        write!(f, "/subscriptions/{subscription}/resourceGroups/{group}/providers/{PROVIDER}/accounts/{account}")
    }
}

/// A Foundry account.
#[derive(Clone, Debug, Deserialize)]
pub struct Account {
    id: String,
    /// ARM name.
    pub name: String,
    /// Azure region; empty if ARM sends none.
    #[serde(default)]
    pub location: String,
    /// Kind, `AIServices` for the accounts of Foundry projects.
    #[serde(default)]
    pub kind: String,
    #[serde(default)]
    properties: AccountProperties,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccountProperties {
    #[serde(default)]
    custom_sub_domain_name: Option<String>,
    #[serde(default)]
    endpoint: Option<String>,
    #[serde(default)]
    endpoints: BTreeMap<String, String>,
}

impl Account {
    /// ARM id of the account.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.trim_matches('/')
    }

    /// Parsed ARM id; `None` for an id in another form.
    #[must_use]
    pub fn account_id(&self) -> Option<AccountId> {
        AccountId::parse(&self.id)
    }

    /// Resource group.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        let mut parts = self.id.split('/');
        parts.find(|part| part.eq_ignore_ascii_case("resourceGroups"))?;
        parts.next()
    }

    /// True if the project endpoint belongs to this account: by the first label of its host, or by the whole address.
    #[must_use]
    pub fn serves(&self, endpoint: &ProjectEndpoint) -> bool {
        let label = endpoint.account();
        let named = self.properties.custom_sub_domain_name.as_deref().unwrap_or(&self.name);
        let exists = |url: &String| Url::parse(url).is_ok_and(|url| endpoint.same_origin(&url));
        named.eq_ignore_ascii_case(label) || self.properties.endpoints.values().any(exists)
    }

    /// Base address for requests to deployments: the first of the account's addresses in their order of preference, or
    /// the project's host if ARM sends none.
    #[must_use]
    pub fn inference_host(&self, project: &ProjectEndpoint) -> Url {
        let AccountProperties { endpoint, endpoints, .. } = &self.properties;
        let named =
            ["AI Foundry API", "OpenAI Language Model Instance API"].into_iter().filter_map(|key| endpoints.get(key));
        let mut known = named.chain(endpoint.as_ref()).filter_map(|text| Url::parse(text).ok());
        known.find(Url::has_host).map_or_else(|| project.host_url(), host_of)
    }
}

/// True if a token for inference may be sent to this host: the project's own, or one of the services of Foundry
/// accounts.
#[must_use]
pub fn may_get_inference_token(url: &Url, project: &ProjectEndpoint) -> bool {
    let is_service = url.scheme() == "https" && url.host_str().is_some_and(Cloud::is_inference_host);
    project.same_origin(url) || is_service
}

/// Returns the address without path, query and fragment.
fn host_of(mut url: Url) -> Url {
    url.set_path("/");
    url.set_query(None);
    url.set_fragment(None);
    url
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PROJECT: &str = "https://acc.services.ai.azure.com/api/projects/p";

    fn account(properties: &serde_json::Value) -> Account {
        let id = "/subscriptions/s/resourcegroups/g/providers/Microsoft.CognitiveServices/accounts/Acc";
        serde_json::from_value(json!({"id": id, "name": "Acc", "properties": properties})).expect("an account")
    }

    fn project() -> ProjectEndpoint {
        ProjectEndpoint::parse(PROJECT, None).expect("an endpoint")
    }

    #[test]
    fn an_id_is_parsed_in_any_case_and_formatted_as_by_arm() {
        let id = account(&json!({})).account_id().expect("an id");
        assert_eq!(
            id.project("p"),
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/Acc/projects/p"
        );
        for other in ["", "/subscriptions/s", "/subscriptions//resourceGroups/g/x/accounts/a"] {
            assert_eq!(AccountId::parse(other), None, "{other}");
        }
    }

    #[test]
    fn an_endpoint_belongs_to_the_account_of_its_label_or_of_its_address() {
        for (properties, serves) in [
            (json!({}), true),
            (json!({"customSubDomainName": "ACC"}), true),
            (json!({"customSubDomainName": "other"}), false),
            (json!({"customSubDomainName": "o", "endpoints": {"x": "https://ACC.services.ai.azure.com:443/"}}), true),
            (json!({"customSubDomainName": "o", "endpoints": {"x": "http://acc.services.ai.azure.com/"}}), false),
        ] {
            assert_eq!(account(&properties).serves(&project()), serves, "{properties}");
        }
    }

    #[test]
    fn requests_go_to_the_first_address_of_the_account() {
        for (properties, host) in [
            (json!({}), "https://acc.services.ai.azure.com/"),
            (json!({"endpoint": "https://a.cognitiveservices.azure.com/"}), "https://a.cognitiveservices.azure.com/"),
            (
                json!({"endpoints": {"OpenAI Language Model Instance API": "https://b.openai.azure.com/x"}}),
                "https://b.openai.azure.com/",
            ),
            (json!({"endpoints": {"AI Foundry API": "no url"}}), "https://acc.services.ai.azure.com/"),
        ] {
            assert_eq!(account(&properties).inference_host(&project()).as_str(), host, "{properties}");
        }
    }

    #[test]
    fn an_inference_token_is_sent_only_to_the_project_and_to_azure() {
        for (url, may) in [
            ("https://acc.services.ai.azure.com/", true),
            ("https://x.openai.azure.com/", true),
            ("https://x.cognitiveservices.azure.us/", true),
            ("http://x.openai.azure.com/", false),
            ("https://evilopenai.azure.com/", false),
            ("https://x.openai.azure.com.example/", false),
        ] {
            assert_eq!(may_get_inference_token(&Url::parse(url).expect("url"), &project()), may, "{url}");
        }
    }
}
