//! Search for Foundry accounts in the subscriptions that the user can see.

use super::finder::{LocatedProject, ProjectFinder};
use crate::error::CliError;
use azure_ai_models_core::arm::{Account, ArmClient, ProjectId};
use azure_ai_models_core::azd::AzdSubscription;
use azure_ai_models_core::project::ProjectEndpoint;

/// A matching account, and the client that found it.
#[derive(Debug)]
pub(crate) struct AccountMatch {
    /// Client of the subscription's tenant.
    pub(crate) arm: ArmClient,
    pub(crate) account: Account,
    pub(crate) subscription: AzdSubscription,
}

/// Result of a search.
#[derive(Debug, Default)]
pub(crate) struct AccountMatches {
    pub(crate) found: Vec<AccountMatch>,
    /// Error for a missing role: the requested account may be in a part that the user cannot see.
    pub(crate) forbidden: Option<CliError>,
    /// Subscriptions that were searched.
    pub(crate) searched: usize,
}

impl ProjectFinder<'_> {
    /// Returns the matching accounts in the subscription given by option, otherwise in all subscriptions. If `first`
    /// has any, the other subscriptions are not searched.
    ///
    /// # Errors
    /// When the given subscription is not found, or Azure Resource Manager fails. A missing role is not yet an error.
    pub(crate) async fn search(
        &self,
        named: Option<&str>,
        first: Option<&str>,
        api_version: Option<&str>,
        fits: impl Fn(&Account) -> bool,
    ) -> Result<AccountMatches, CliError> {
        let mut matches = AccountMatches::default();
        let is_first = |one: &AzdSubscription| first.is_some_and(|first| one.id.eq_ignore_ascii_case(first));
        let (first, rest): (Vec<_>, Vec<_>) = match named {
            Some(id) => (vec![self.subscription(id).await?], Vec::new()),
            None => match self.subscriptions().await {
                Ok(all) => all.into_iter().partition(is_first),
                Err(error) if error.is_forbidden() => {
                    return Ok(AccountMatches { forbidden: Some(error), ..AccountMatches::default() });
                }
                Err(error) => return Err(error),
            },
        };
        for subscriptions in [first, rest] {
            for subscription in subscriptions {
                let arm = self.arm(&subscription.tenant)?.with_api_version(api_version.map(str::to_owned));
                matches.searched += 1;
                match arm.accounts(&subscription.id).await {
                    Ok(accounts) => {
                        let fitting = accounts.into_iter().filter(|account| fits(account));
                        let as_match =
                            |account| AccountMatch { arm: arm.clone(), account, subscription: subscription.clone() };
                        matches.found.extend(fitting.map(as_match));
                    }
                    // One subscription that cannot be read must not hide the others.
                    Err(error) if error.is_forbidden() => matches.forbidden = Some(error.into()),
                    Err(error) if error.is_not_found() => {}
                    Err(error) => return Err(error.into()),
                }
            }
            if !matches.found.is_empty() {
                break;
            }
        }
        Ok(matches)
    }

    /// Finds the project at an endpoint, which stays unchanged, by a search in subscriptions: the given one, otherwise
    /// `first`, otherwise all. `None` if the user sees none, and lacks the permissions to see all.
    ///
    /// # Errors
    /// When no project or more than one matches.
    pub(crate) async fn project_at(
        &self,
        endpoint: &ProjectEndpoint,
        named: Option<&str>,
        first: Option<&str>,
    ) -> Result<Option<LocatedProject>, CliError> {
        let matches = self.search(named, first, None, |account| account.serves(endpoint)).await?;
        let (mut is_forbidden, mut fitting) = (matches.forbidden.is_some(), Vec::new());
        for AccountMatch { arm, account, subscription } in matches.found {
            let id = account.account_id().and_then(|id| ProjectId::parse(&id.project(endpoint.project())).ok());
            match arm.project(&id.ok_or_else(|| CliError::unexpected_response("an account without an ARM id"))?).await {
                Ok(project) => fitting.extend(project.map(|project| (project, subscription))),
                Err(error) if error.is_forbidden() => is_forbidden = true,
                Err(error) => return Err(error.into()),
            }
        }
        match fitting.as_slice() {
            [] if is_forbidden || matches.searched == 0 => Ok(None),
            [] => Err(CliError::no_project_at(&endpoint.to_string(), named, matches.searched)),
            [(project, subscription)] => self.locate(project.clone(), subscription, Some(endpoint)).map(Some),
            several => {
                let ids = several.iter().map(|(project, _)| project.id.to_string());
                Err(CliError::ambiguous_account(&endpoint.to_string(), ids)
                    .with_suggestion("Use --project-resource-id ID or --subscription ID."))
            }
        }
    }
}
