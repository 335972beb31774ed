//! The azd environment of `init`: its current state, its name, and the creation of missing parts.

use std::collections::BTreeMap;

use crate::app::App;
use crate::error::{CliError, ErrorCode};
use crate::globals::check_environment_name;
use azure_ai_models_core::azd::{self, Azd, AzdEnvironment, Host, HostError};

/// State before `init`.
#[derive(Debug)]
pub(super) struct ExistingState {
    pub(super) has_project: bool,
    environments: Vec<AzdEnvironment>,
    /// Requested environment: the given one, otherwise the default one.
    name: Option<String>,
    /// Values of the environment, if it exists.
    pub(super) values: Option<BTreeMap<String, String>>,
}

/// Environment to store the values in.
#[derive(Debug)]
pub(super) struct TargetEnvironment {
    pub(super) name: String,
    pub(super) is_default: bool,
}

impl ExistingState {
    /// # Errors
    /// When azd does not report the state. A transient failure of azd must not lead to creating anything.
    pub(super) async fn read(app: &App, azd: &Azd<'_>, named: Option<&str>) -> Result<Self, CliError> {
        if !azd.has_project().await? {
            azd.is_available().await?;
            let name = named.map(str::to_owned);
            return Ok(Self { has_project: false, environments: Vec::new(), name, values: None });
        }
        let environments = azd.environments().await?;
        let default = || environments.iter().find(|one| one.is_default).map(|one| one.name.clone());
        // In a run without prompts the proposed name is used.
        let usual = || (!app.can_choose()).then(|| usual_name(app));
        let name = named.map(str::to_owned).or_else(default).or_else(usual);
        let values = match name.as_deref().filter(|name| environments.iter().any(|one| one.name == *name)) {
            Some(name) => Some(azd.values(name).await?),
            None => None,
        };
        app.console.debug(&format!("azd environment: {}", name.as_deref().unwrap_or("none")));
        Ok(Self { has_project: true, environments, name, values })
    }

    /// Requested environment.
    pub(super) fn target(&self) -> TargetEnvironment {
        let name = self.name.clone().unwrap_or_default();
        let is_default = self.environments.iter().any(|one| one.is_default && one.name == name);
        TargetEnvironment { name, is_default }
    }

    /// Name of the environment; asks if none was given, or uses the default name in a run without prompts.
    ///
    /// # Errors
    /// When the answer is not a valid name, or the user cancels the prompt.
    pub(super) async fn name_or_ask(&self, app: &App, host: Option<&Host>) -> Result<String, CliError> {
        const QUESTION: &str = "Enter a name for the azd environment";
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        let default = usual_name(app);
        if !app.can_choose() {
            return Ok(default);
        }
        let name = match host {
            Some(host) => match host.text(QUESTION, &default).await {
                Err(HostError::NoPrompt) => String::new(),
                answer => answer?,
            },
            None => app.ask(&format!("{QUESTION} [{default}]: ")).await?.unwrap_or_default(),
        };
        let name = if name.trim().is_empty() { default } else { name.trim().to_owned() };
        check_environment_name(&name)?;
        Ok(name)
    }

    /// Creates the azd project if it is missing.
    ///
    /// # Errors
    /// When azd cannot create it.
    pub(super) async fn create_project(&self, app: &App, azd: &Azd<'_>) -> Result<(), CliError> {
        if self.has_project {
            return Ok(());
        }
        app.console.status("Let's get your project initialized.");
        show_azd_output(app, &azd.create_project().await?);
        if azd.has_project().await? {
            return Ok(());
        }
        Err(CliError::failure("azd did not create a project")
            .with_code(ErrorCode::NoAzdProject)
            .with_suggestion("Run `azd init --minimal`, then run this command again."))
    }

    /// Creates the environment if it is missing, with a subscription and a region if known.
    ///
    /// # Errors
    /// When azd cannot create it.
    pub(super) async fn create_environment(
        &self,
        app: &App,
        azd: &Azd<'_>,
        name: String,
        target: Option<(&str, &str)>,
    ) -> Result<TargetEnvironment, CliError> {
        let has = |all: &[AzdEnvironment]| all.iter().any(|one| one.name == name);
        // `azd init` creates one itself if it is given a name.
        if !has(&self.environments) && !has(&azd.environments().await?) {
            app.console.status("Let's create a new azd environment for your project.");
            show_azd_output(app, &azd.create_environment(&name, target).await?);
        }
        let after = azd.environments().await?;
        let is_default = match after.iter().find(|one| one.is_default) {
            Some(default) => default.name == name,
            None => {
                azd.select(&name).await?;
                true
            }
        };
        Ok(TargetEnvironment { name, is_default })
    }
}

/// Shows azd's output that the user has not seen yet.
fn show_azd_output(app: &App, message: &str) {
    if !message.is_empty() {
        app.console.notice(message);
    }
}

/// Name that users of azd commonly give to the first environment of a project, cleaned in the way of azd.
fn usual_name(app: &App) -> String {
    let root = azd::project_root(app.env.cwd());
    let root = root.as_deref().unwrap_or(app.env.cwd());
    let directory = root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    cleaned(&format!("{directory}-dev"))
}

/// Replaces every character that azd does not permit with a hyphen; azd keeps the end of a long name.
fn cleaned(name: &str) -> String {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '(' | ')' | '_' | '.');
    let name: String = name.chars().map(|c| if is_allowed(c) { c } else { '-' }).collect();
    name[name.len().saturating_sub(MAXIMUM_LENGTH)..].to_owned()
}

/// Maximum length of the name of an azd environment.
const MAXIMUM_LENGTH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::globals::check_environment_name;

    #[test]
    fn a_directory_name_becomes_a_valid_environment_name() {
        for (name, expected) in [
            ("my-app-dev", "my-app-dev"),
            ("was CLEANED with *bad* things (123)-dev", "was-CLEANED-with--bad--things-(123)-dev"),
            ("-dev", "-dev"),
            ("größe-dev", "gr--e-dev"),
        ] {
            assert_eq!(cleaned(name), expected);
        }
        let long = cleaned(&format!("{}-dev", "a".repeat(100)));
        assert_eq!((long.len(), check_environment_name(&long)), (64, Ok(())));
        assert!(long.ends_with("a-dev"));
    }
}
