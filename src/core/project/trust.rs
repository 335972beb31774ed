//! Variables that extend trust, in a run that azd did not start.
//!
//! azd injects nothing in such a run, but a shell or a hook may have loaded an azd environment's `.env` before. A
//! cloned repository must not determine where tokens are sent, so values from such a file do not count. When azd starts
//! this program, `azd::injected` checks all injected variables before anything else.

use std::io;
use std::path::Path;

use super::EnvironmentValues;
use crate::azd;
use crate::env::{Env, var};
use crate::model::{Report, Reporter};

/// Returns the environment without the trust variables that an azd environment also sets: in these values, or on disk
/// in one that may apply to the run. A warning names each.
#[must_use]
pub fn trusted(env: &Env, named: Option<&str>, values: Option<&EnvironmentValues>, report: &Reporter) -> Env {
    without(&var::TRUST, env, named, values, report)
}

/// Returns the environment without the variables of the Hugging Face Hub that an azd environment on disk also sets.
#[must_use]
pub fn trusted_for_hub(env: &Env, named: Option<&str>, report: &Reporter) -> Env {
    without(&var::HUB, env, named, None, report)
}

fn without(
    names: &[&'static str],
    env: &Env,
    named: Option<&str>,
    values: Option<&EnvironmentValues>,
    report: &Reporter,
) -> Env {
    let set: Vec<&'static str> = names.iter().copied().filter(|name| env.get(name).is_some()).collect();
    if set.is_empty() || env.run_by_azd() {
        return env.clone();
    }
    let on_disk = azd::project_root(env.cwd()).map_or(Ok(Vec::new()), |root| names_on_disk(env, &root, named));
    let on_disk = match on_disk {
        Ok(on_disk) => on_disk,
        Err(why) => {
            report(Report::Warning(format!(
                "{} ignored: the files of the azd environments cannot be read ({why})",
                set.join(", ")
            )));
            return env.without(&set);
        }
    };
    let mut ignored = Vec::new();
    for name in set {
        let owner = match values {
            Some(values) if values.has(name) => Some(values.environment.as_str()),
            _ => on_disk.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(owner, _)| &**owner),
        };
        if let Some(owner) = owner {
            report(Report::Warning(format!(
                "{name} is ignored: it is set by the azd environment '{owner}', but only accepted from your own environment"
            )));
            ignored.push(name);
        }
    }
    env.without(&ignored)
}

/// Environments that may apply to the run, each with a name in its `.env`. All of them if the file that names the
/// default one is not in azd's format.
fn names_on_disk(env: &Env, root: &Path, named: Option<&str>) -> io::Result<Vec<(String, String)>> {
    let mut environments: Vec<String> = [named, env.get(var::AZD_ENVIRONMENT), env.get(var::AZURE_ENV_NAME)]
        .into_iter()
        .flatten()
        .map(Into::into)
        .collect();
    match azd::default_environment(root) {
        Ok(default) => environments.extend(default),
        Err(_) => environments.extend(azd::environments(root)?),
    }
    let mut names = Vec::new();
    for environment in environments {
        names.extend(azd::names_in(root, &environment)?.into_iter().map(|name| (environment.clone(), name)));
    }
    Ok(names)
}
