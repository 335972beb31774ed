//! Variables of this process that azd took from an azd environment. azd overrides its own variables with all values of
//! the environment, so a cloned repository, which contains the environment, can set any name.

use std::collections::BTreeMap;
use std::io;

use super::{Host, HostError, disk};
use crate::env::{Env, Timings, var};

/// Variables that may come from an azd environment.
#[derive(Debug, PartialEq, Eq)]
pub enum InjectedVariables {
    /// Environment that sets each variable, by the variable's name.
    Known(BTreeMap<String, String>),
    /// Neither azd's server nor the files report them.
    Unknown {
        /// Reason.
        why: String,
    },
}

/// Origin of the value of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableOrigin {
    /// Set by the user or by azd itself.
    User,
    /// Set by an azd environment, which may set this variable.
    AzdEnvironment,
    /// Set by an azd environment, or possibly so. Counts as unset.
    Ignored,
}

/// Variables that azd sets after it has applied the environment's values.
const SET_BY_AZD: [&str; 2] = [var::AZD_SERVER, var::AZD_ACCESS_TOKEN];

/// Variables that are kept if nothing is known: language, terminal, time zone.
const HARMLESS: [&str; 5] = ["LANG", "LANGUAGE", "LC_ALL", "TERM", "TZ"];

impl InjectedVariables {
    /// Determines the origin of one variable of this process.
    #[must_use]
    pub fn origin(&self, name: &str, value: &str) -> VariableOrigin {
        let is_one_of = |names: &[&str]| names.iter().any(|known| same_name(known, name));
        let is_injected = match self {
            Self::Known(names) => names.keys().any(|known| same_name(known, name)),
            Self::Unknown { .. } => !is_one_of(&HARMLESS) && !is_test_clock(name),
        };
        if !is_injected || is_one_of(&SET_BY_AZD) || is_system_directory(name, value) {
            VariableOrigin::User
        } else if is_one_of(&var::ALLOWED_FROM_AZD) {
            VariableOrigin::AzdEnvironment
        } else {
            VariableOrigin::Ignored
        }
    }

    /// Environment that sets a variable, if known.
    #[must_use]
    pub fn owner(&self, name: &str) -> Option<&str> {
        match self {
            Self::Known(names) => names.iter().find(|(known, _)| same_name(known, name)).map(|(_, owner)| &**owner),
            Self::Unknown { .. } => None,
        }
    }
}

/// Compares names of variables; case-insensitively on Windows.
fn same_name(one: &str, other: &str) -> bool {
    if cfg!(windows) { one.eq_ignore_ascii_case(other) } else { one == other }
}

/// True for the default value of a variable without which programs on Windows do not start. Only this value is
/// harmless.
fn is_system_directory(name: &str, value: &str) -> bool {
    let is_named = ["SYSTEMROOT", "WINDIR"].iter().any(|known| same_name(known, name));
    cfg!(windows) && is_named && value.eq_ignore_ascii_case(r"C:\Windows")
}

#[cfg(feature = "test-fakes")]
fn is_test_clock(name: &str) -> bool {
    name == var::TEST_TIME
}

#[cfg(not(feature = "test-fakes"))]
fn is_test_clock(_name: &str) -> bool {
    false
}

/// Requests the values of all environments of the project from azd's server, or reads them from disk if the server does
/// not respond. The flag is true if the server did not respond within the limit. Nothing is injected if azd did not
/// start this program.
pub async fn injected(env: &Env, timings: &Timings) -> (InjectedVariables, bool) {
    let Some(host) = Host::from_env(env, timings) else { return (InjectedVariables::Known(BTreeMap::new()), false) };
    match of_host(&host, env).await {
        Ok(injected) => (injected, false),
        Err(error) => (of_disk(env), matches!(error, HostError::TimedOut { .. })),
    }
}

async fn of_host(host: &Host, env: &Env) -> Result<InjectedVariables, HostError> {
    let mut names = BTreeMap::new();
    if host.project().await?.is_none() {
        return Ok(InjectedVariables::Known(names));
    }
    for environment in host.environments().await? {
        let is_named = |name: &str| env.get(name) == Some(environment.name.as_str());
        let is_candidate = environment.is_default || is_named(var::AZD_ENVIRONMENT) || is_named(var::AZURE_ENV_NAME);
        match host.values(&environment.name).await {
            Ok(values) => {
                let injected = values.iter().filter(|(name, value)| is_candidate || can_be_from(env, name, value));
                names.extend(injected.map(|(name, _)| (name.clone(), environment.name.clone())));
            }
            // azd may have passed on values that it does not report, for example one that is not UTF-8.
            Err(HostError::Refused { .. }) => match on_disk(env, &environment.name) {
                Ok(found) => names.extend(found),
                Err(why) => return Ok(unreadable(&environment.name, &why)),
            },
            Err(error) => return Err(error),
        }
    }
    Ok(InjectedVariables::Known(names))
}

/// True if the variable can have this value from an environment: azd passes values on unchanged, except for references
/// to Key Vault, which it resolves.
fn can_be_from(env: &Env, name: &str, value: &str) -> bool {
    let is_reference = ["akvs", "keyvault"].iter().any(|word| value.to_ascii_lowercase().contains(word));
    is_reference || env.get(name).unwrap_or_default() == value
}

fn of_disk(env: &Env) -> InjectedVariables {
    let Some(root) = disk::project_root(env.cwd()) else { return InjectedVariables::Known(BTreeMap::new()) };
    let environments = match disk::environments(&root) {
        Ok(environments) => environments,
        Err(why) => {
            return InjectedVariables::Unknown {
                why: format!("{} cannot be read: {why}", root.join(".azure").display()),
            };
        }
    };
    let mut names = BTreeMap::new();
    for environment in environments {
        match on_disk(env, &environment) {
            Ok(found) => names.extend(found),
            Err(why) => return unreadable(&environment, &why),
        }
    }
    InjectedVariables::Known(names)
}

fn on_disk(env: &Env, environment: &str) -> io::Result<Vec<(String, String)>> {
    let Some(root) = disk::project_root(env.cwd()) else { return Ok(Vec::new()) };
    let names = disk::names_in(&root, environment)?;
    Ok(names.into_iter().map(|name| (name, environment.to_owned())).collect())
}

fn unreadable(environment: &str, why: &io::Error) -> InjectedVariables {
    InjectedVariables::Unknown { why: format!("the .env of the azd environment '{environment}' cannot be read: {why}") }
}
