//! The variables that widen trust count only from the person's own environment (cli.md 4).
//!
//! azd gives this process the values of a project's environment, and the process cannot tell them from its own. A
//! cloned repository must not choose where tokens go, so what stands in an environment's values does not count.

use super::Values;
use crate::azd;
use crate::env::{Env, var};
use crate::model::{Report, Reporter};

/// The environment without the variables of trust that also stand in an azd environment: in these values, or on disk
/// in one whose values azd may have passed on. Each is told.
#[must_use]
pub fn trusted(env: &Env, named: Option<&str>, values: Option<&Values>, report: &Reporter) -> Env {
    let set: Vec<&'static str> = var::TRUST.into_iter().filter(|name| env.get(name).is_some()).collect();
    if set.is_empty() {
        return env.clone();
    }
    let on_disk = Disk::around(env, named);
    let mut ignored = Vec::new();
    for name in set {
        let owner = match values {
            Some(values) if values.has(name) => Some(values.environment.as_str()),
            _ => on_disk.owner(name),
        };
        if let Some(owner) = owner {
            report(Report::Warning(format!(
                "{name} is ignored: it stands in the azd environment '{owner}', and counts only from your own environment"
            )));
            ignored.push(name);
        }
    }
    env.without(&ignored)
}

/// Environments with the names in their `.env`.
struct Disk(Vec<(String, Vec<String>)>);

impl Disk {
    fn around(env: &Env, named: Option<&str>) -> Self {
        let Some(root) = azd::project_root(env.cwd()) else { return Self(Vec::new()) };
        let candidates = [
            named.map(str::to_owned),
            env.get(var::AZD_ENVIRONMENT).map(str::to_owned),
            env.get(var::AZURE_ENV_NAME).map(str::to_owned),
            azd::default_environment(&root),
        ];
        let with_names = |name: String| {
            let names = azd::names_in(&root, &name);
            (name, names)
        };
        Self(candidates.into_iter().flatten().map(with_names).collect())
    }

    fn owner(&self, name: &str) -> Option<&str> {
        let has = |names: &[String]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        self.0.iter().find(|(_, names)| has(names)).map(|(environment, _)| environment.as_str())
    }
}
