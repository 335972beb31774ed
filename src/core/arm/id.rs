//! ARM id of a Foundry project.

use std::fmt;

use thiserror::Error;

use super::AccountId;

/// Format of an id, for error messages.
const FORM: &str =
    "/subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.CognitiveServices/accounts/ACCOUNT/projects/PROJECT";

/// Parsed ARM id of a Foundry project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectId {
    /// Subscription.
    pub subscription: String,
    /// Resource group.
    pub group: String,
    /// Foundry account, by its ARM name.
    pub account: String,
    /// Project.
    pub project: String,
}

/// The text is not a project's ARM id.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("must have the form {FORM}")]
pub struct IdError;

impl ProjectId {
    /// Parses an id. Surrounding whitespace, a trailing slash and the case of keywords are ignored.
    ///
    /// # Errors
    /// When it is not the id of a project.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let text = text.trim().trim_end_matches('/');
        let parts: Vec<&str> = text.strip_prefix('/').ok_or(IdError)?.split('/').collect();
        let [s, subscription, g, group, p, provider, a, account, j, project] = parts.as_slice() else {
            return Err(IdError);
        };
        let keywords = [
            (s, "subscriptions"),
            (g, "resourceGroups"),
            (p, "providers"),
            (provider, "Microsoft.CognitiveServices"),
            (a, "accounts"),
            (j, "projects"),
        ];
        let fits = keywords.iter().all(|(given, keyword)| given.eq_ignore_ascii_case(keyword));
        let names = [subscription, group, account, project];
        // Whitespace or a control character would end up in requests and in the environment.
        let is_plain = |name: &&&str| {
            !matches!(**name, "" | "." | "..") && !name.contains(|c: char| c.is_control() || c.is_whitespace())
        };
        if !fits || !names.iter().all(is_plain) {
            return Err(IdError);
        }
        let [subscription, group, account, project] = names.map(|name| (*name).to_owned());
        Ok(Self { subscription, group, account, project })
    }

    /// Id of the account that the project belongs to.
    #[must_use]
    pub fn account_id(&self) -> AccountId {
        let Self { subscription, group, account, .. } = self;
        AccountId { subscription: subscription.clone(), group: group.clone(), account: account.clone() }
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.account_id().project(&self.project))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_parsed_and_formatted() {
        let id =
            "/subscriptions/s-1/resourceGroups/my-rg/providers/Microsoft.CognitiveServices/accounts/acc/projects/p";
        let parsed = ProjectId::parse(id).expect("an id");
        assert_eq!(parsed.to_string(), id);
        for same in
            [format!("  {id}/\n"), id.replace("resourceGroups", "resourcegroups"), id.replace("Microsoft", "MICROSOFT")]
        {
            assert_eq!(ProjectId::parse(&same), Ok(parsed.clone()), "{same}");
        }
    }

    #[test]
    fn other_texts_are_rejected() {
        let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a/projects/p";
        for other in [
            "",
            "p",
            &id[1..],
            &id.replace("/projects/p", ""),
            &format!("{id}/models/m"),
            &id.replace("CognitiveServices", "MachineLearningServices"),
            &id.replace("/g/", "//"),
            &id.replace("/g/", "/a b/"),
        ] {
            assert_eq!(ProjectId::parse(other), Err(IdError), "{other}");
        }
    }

    #[test]
    fn id_survives_mutation() {
        let id = b"/subscriptions/s/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/a/projects/p";
        crate::fuzz::fuzz("arm-id", &[id], |input| {
            if let Ok(id) = ProjectId::parse(&String::from_utf8_lossy(input)) {
                assert_eq!(ProjectId::parse(&id.to_string()).map(|again| again.to_string()).ok(), Some(id.to_string()));
            }
        });
    }
}
