//! The azd environment that `init` fills: what there is, what it will be called, and making what is missing.

use std::collections::BTreeMap;

use super::Place;
use super::asked::Asked;
use crate::app::App;
use crate::error::{CliError, ErrorCode};
use crate::globals::check_environment_name;
use azure_ai_models_core::azd::{Azd, AzdEnvironment, Host};

/// What was there before.
#[derive(Debug)]
pub(super) struct Before {
    pub(super) has_project: bool,
    environments: Vec<AzdEnvironment>,
    /// The environment that is meant: the named one, else the default one.
    name: Option<String>,
    /// Its values, where it is there.
    pub(super) values: Option<BTreeMap<String, String>>,
}

/// The environment that the values are in.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) is_default: bool,
}

impl Before {
    /// # Errors
    /// When azd does not tell. A hiccup of azd's is no reason to make anything.
    pub(super) async fn look(app: &App, azd: &Azd<'_>, named: Option<&str>) -> Result<Self, CliError> {
        if !azd.has_project().await? {
            azd.is_there().await?;
            let name = named.map(str::to_owned);
            return Ok(Self { has_project: false, environments: Vec::new(), name, values: None });
        }
        let environments = azd.environments().await?;
        let default = || environments.iter().find(|one| one.is_default).map(|one| one.name.clone());
        let name = named.map(str::to_owned).or_else(default);
        let values = match name.as_deref().filter(|name| environments.iter().any(|one| one.name == *name)) {
            Some(name) => Some(azd.values(name).await?),
            None => None,
        };
        app.console.debug(&format!("azd environment: {}", name.as_deref().unwrap_or("none")));
        Ok(Self { has_project: true, environments, name, values })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.environments.iter().any(|one| one.name == name)
    }

    pub(super) fn greet(&self, app: &App) {
        if !self.has_project {
            app.console.status("Let's get your project initialized.");
        }
    }

    /// The environment that is meant.
    pub(super) fn target(&self) -> Target {
        let name = self.name.clone().unwrap_or_default();
        let is_default = self.environments.iter().any(|one| one.is_default && one.name == name);
        Target { name, is_default }
    }

    /// The name of the environment; asks where nobody named one.
    ///
    /// # Errors
    /// When nobody can be asked, or the answer is no name.
    pub(super) async fn name_or_ask(&self, app: &App, host: Option<&Host>, asked: &Asked) -> Result<String, CliError> {
        const QUESTION: &str = "Enter a name for the azd environment";
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        if !app.can_choose() {
            return Err(asked.no_answer("name of the azd environment", "Give -n NAME."));
        }
        let default = default_name(app);
        let name = match host {
            Some(host) => host.text(QUESTION, &default).await?,
            None => app.ask(&format!("{QUESTION} [{default}]: ")).await?.unwrap_or_default(),
        };
        let name = if name.trim().is_empty() { default } else { name.trim().to_owned() };
        check_environment_name(&name)?;
        Ok(name)
    }

    /// Makes the project and the environment where they are missing.
    ///
    /// # Errors
    /// When azd does not make them.
    pub(super) async fn make(&self, app: &App, azd: &Azd<'_>, name: String, place: &Place) -> Result<Target, CliError> {
        let tell = |words: String| {
            if !words.is_empty() {
                app.console.notice(&words);
            }
        };
        if !app.can_choose() {
            self.greet(app);
        }
        if !self.has_project {
            tell(azd.make_project().await?);
            if !azd.has_project().await? {
                return Err(CliError::failure("azd made no project here")
                    .with_code(ErrorCode::NoAzdProject)
                    .with_suggestion("Run `azd init --minimal` by hand, then this command again."));
            }
        }
        if !self.has(&name) {
            let (subscription, location) = (&place.project.id.subscription, &place.project.location);
            // `azd init` makes one by itself where it is told a name.
            if !azd.environments().await?.iter().any(|one| one.name == name) {
                app.console.status("Let's create a new azd environment for your project.");
                tell(azd.make_environment(&name, subscription, location).await?);
            }
        }
        let after = azd.environments().await?;
        let is_default = match after.iter().find(|one| one.is_default) {
            Some(default) => default.name == name,
            None => {
                azd.select(&name).await?;
                true
            }
        };
        Ok(Target { name, is_default })
    }
}

/// The directory's name, as far as azd takes it for an environment.
fn default_name(app: &App) -> String {
    let directory = app.env.cwd().file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let good = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    let name: String = directory.chars().take(40).map(good).collect();
    let name = name.trim_matches(['-', '.', '_']);
    if name.is_empty() { "dev".to_owned() } else { format!("{name}-dev") }
}
