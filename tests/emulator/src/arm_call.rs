//! Mapping of a method and a path to an operation of Azure Resource Manager. Pure. Keywords match case-insensitively,
//! as in ARM.

use axum::http::Method;

use crate::call::{NoCall, decode};
use crate::fault::Route;

const PROVIDER: &str = "microsoft.cognitiveservices";

/// An operation of Azure Resource Manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ArmCall {
    Tenants,
    Subscriptions,
    Subscription {
        subscription: String,
    },
    Accounts {
        subscription: String,
    },
    Account(AccountPath),
    Projects(AccountPath),
    Project {
        account: AccountPath,
        project: String,
    },
    Deployments(AccountPath),
    Deployment {
        account: AccountPath,
        name: String,
        verb: Verb,
    },
    DeploymentSkus {
        account: AccountPath,
        name: String,
    },
    AccountModels(AccountPath),
    ContentFilters(AccountPath),
    RegionModels(Region),
    Usages(Region),
    /// `location` is `None` in the form that spans the subscription.
    Capacities {
        subscription: String,
        location: Option<String>,
    },
    /// Status of a write, as `Azure-AsyncOperation` names it.
    Operation {
        region: Region,
        id: String,
    },
    /// Result of a write, as `Location` names it.
    OperationResult {
        region: Region,
        id: String,
    },
    Feature {
        subscription: String,
        provider: String,
        feature: String,
    },
}

/// Account in a request path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountPath {
    pub(crate) subscription: String,
    pub(crate) group: String,
    pub(crate) account: String,
}

/// Region of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) subscription: String,
    pub(crate) location: String,
}

/// Operation on a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Put,
    Patch,
    Delete,
}

impl ArmCall {
    /// Reads an operation from a request line.
    pub(crate) fn parse(method: &Method, raw_path: &str) -> Result<Self, NoCall> {
        let path = raw_path.trim_start_matches('/').split('/').map(decode);
        let segments: Vec<String> = path.collect::<Option<_>>().ok_or(NoCall::BadEncoding)?;
        let call = Self::read(&segments, method).ok_or(NoCall::UnknownRoute)?;
        match call {
            Self::Deployment { .. } => verb(method).map(|_| call).ok_or(NoCall::WrongMethod),
            _ if *method == Method::GET => Ok(call),
            _ => Err(NoCall::WrongMethod),
        }
    }

    fn read(segments: &[String], method: &Method) -> Option<Self> {
        let lower: Vec<String> = segments.iter().map(|one| one.to_ascii_lowercase()).collect();
        let words: Vec<&str> = lower.iter().map(String::as_str).collect();
        let name = |index: usize| segments[index].clone();
        match words.as_slice() {
            ["tenants"] => Some(Self::Tenants),
            ["subscriptions"] => Some(Self::Subscriptions),
            ["subscriptions", _] => Some(Self::Subscription { subscription: name(1) }),
            ["subscriptions", _, "providers", PROVIDER, "accounts"] => Some(Self::Accounts { subscription: name(1) }),
            ["subscriptions", _, "providers", PROVIDER, "modelcapacities"] => {
                Some(Self::Capacities { subscription: name(1), location: None })
            }
            ["subscriptions", _, "providers", "microsoft.features", "providers", _, "features", _] => {
                Some(Self::Feature { subscription: name(1), provider: name(5), feature: name(7) })
            }
            ["subscriptions", _, "providers", PROVIDER, "locations", _, rest @ ..] => {
                let region = Region { subscription: name(1), location: name(5) };
                match rest {
                    ["models"] => Some(Self::RegionModels(region)),
                    ["usages"] => Some(Self::Usages(region)),
                    ["modelcapacities"] => {
                        Some(Self::Capacities { subscription: region.subscription, location: Some(region.location) })
                    }
                    ["operations", _] => Some(Self::Operation { region, id: name(7) }),
                    ["operationresults", _] => Some(Self::OperationResult { region, id: name(7) }),
                    _ => None,
                }
            }
            ["subscriptions", _, "resourcegroups", _, "providers", PROVIDER, "accounts", _, rest @ ..] => {
                let account = AccountPath { subscription: name(1), group: name(3), account: name(7) };
                match rest {
                    [] => Some(Self::Account(account)),
                    ["projects"] => Some(Self::Projects(account)),
                    ["projects", _] => Some(Self::Project { account, project: name(9) }),
                    ["deployments"] => Some(Self::Deployments(account)),
                    ["deployments", _] => {
                        let verb = verb(method).unwrap_or(Verb::Get);
                        Some(Self::Deployment { account, name: name(9), verb })
                    }
                    ["deployments", _, "skus"] => Some(Self::DeploymentSkus { account, name: name(9) }),
                    ["models"] => Some(Self::AccountModels(account)),
                    ["raipolicies"] => Some(Self::ContentFilters(account)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Route name that faults use for this operation.
    pub(crate) fn route(&self) -> Route {
        match self {
            Self::Tenants | Self::Subscriptions | Self::Subscription { .. } => Route::Arm,
            Self::Accounts { .. } | Self::Account(_) | Self::Projects(_) | Self::Project { .. } => Route::ArmAccounts,
            Self::Deployments(_) => Route::ArmDeployments,
            Self::Deployment { verb: Verb::Get, .. } => Route::ArmGet,
            Self::Deployment { verb: Verb::Put, .. } => Route::ArmPut,
            Self::Deployment { verb: Verb::Patch, .. } => Route::ArmPatch,
            Self::Deployment { verb: Verb::Delete, .. } => Route::ArmDelete,
            Self::DeploymentSkus { .. } => Route::ArmSkus,
            Self::AccountModels(_) | Self::RegionModels(_) => Route::ArmModels,
            Self::ContentFilters(_) => Route::ArmFilters,
            Self::Usages(_) => Route::ArmUsages,
            Self::Capacities { .. } => Route::ArmCapacities,
            Self::Operation { .. } | Self::OperationResult { .. } => Route::ArmOperation,
            Self::Feature { .. } => Route::ArmFeature,
        }
    }
}

fn verb(method: &Method) -> Option<Verb> {
    match *method {
        Method::GET => Some(Verb::Get),
        Method::PUT => Some(Verb::Put),
        Method::PATCH => Some(Verb::Patch),
        Method::DELETE => Some(Verb::Delete),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a";
    const REGION: &str = "/subscriptions/s/providers/Microsoft.CognitiveServices/locations/eastus2";

    #[test]
    fn every_route_is_found() {
        let features = "/subscriptions/s/providers/Microsoft.Features/providers/P/features/F".to_owned();
        let table = [
            (Method::GET, format!("{ACCOUNT}/deployments"), Route::ArmDeployments),
            (Method::GET, format!("{ACCOUNT}/deployments/d"), Route::ArmGet),
            (Method::PUT, format!("{ACCOUNT}/deployments/d"), Route::ArmPut),
            (Method::PATCH, format!("{ACCOUNT}/deployments/d"), Route::ArmPatch),
            (Method::DELETE, format!("{ACCOUNT}/deployments/d"), Route::ArmDelete),
            (Method::GET, format!("{ACCOUNT}/deployments/d/skus"), Route::ArmSkus),
            (Method::GET, format!("{ACCOUNT}/models"), Route::ArmModels),
            (Method::GET, format!("{ACCOUNT}/raiPolicies"), Route::ArmFilters),
            (Method::GET, format!("{REGION}/models"), Route::ArmModels),
            (Method::GET, format!("{REGION}/usages"), Route::ArmUsages),
            (Method::GET, format!("{REGION}/modelCapacities"), Route::ArmCapacities),
            (Method::GET, REGION.replace("locations/eastus2", "modelCapacities"), Route::ArmCapacities),
            (Method::GET, format!("{REGION}/operations/1"), Route::ArmOperation),
            (Method::GET, format!("{REGION}/operationResults/1"), Route::ArmOperation),
            (Method::GET, features, Route::ArmFeature),
            (Method::GET, ACCOUNT.to_uppercase(), Route::ArmAccounts),
        ];
        for (method, path, route) in table {
            assert_eq!(ArmCall::parse(&method, &path).map(|call| call.route()), Ok(route), "{method} {path}");
        }
    }

    #[test]
    fn an_unknown_operation_has_a_reason() {
        let table = [
            (Method::POST, format!("{ACCOUNT}/deployments/d"), NoCall::WrongMethod),
            (Method::PUT, format!("{ACCOUNT}/deployments"), NoCall::WrongMethod),
            (Method::GET, format!("{ACCOUNT}/deployments/d/e/f"), NoCall::UnknownRoute),
            (Method::GET, format!("{REGION}/bakeries"), NoCall::UnknownRoute),
            (Method::GET, format!("{ACCOUNT}/deployments/%zz"), NoCall::BadEncoding),
        ];
        for (method, path, reason) in table {
            assert_eq!(ArmCall::parse(&method, &path), Err(reason), "{method} {path}");
        }
    }
}
