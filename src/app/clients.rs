//! Clients of one run, and their project and sign-in.

use std::sync::Arc;

use url::Url;

use super::App;
use crate::error::CliError;
use azure_ai_models_core::credential::{Audience, CredentialError, TokenSource, TokenTarget};
use azure_ai_models_core::env::{Env, var};
use azure_ai_models_core::foundry::{FoundryClient, api_version};
use azure_ai_models_core::http::HttpClient;
use azure_ai_models_core::model::is_loopback;
use azure_ai_models_core::project::{self, FindError, ProjectLookup, ProjectSearch, ResolvedProject};

impl App {
    /// HTTP client of the run.
    #[must_use]
    pub(crate) fn http(&self) -> Arc<HttpClient> {
        Arc::clone(self.http.get_or_init(|| {
            Arc::new(HttpClient::new(&self.env, self.timings.clone(), self.reporter(), self.console.is_debug()))
        }))
    }

    /// Finds the project; `endpoint` replaces the option.
    ///
    /// # Errors
    /// When an endpoint breaks a rule, or azd does not report its environment.
    pub(crate) async fn search_project(&self, endpoint: Option<&str>) -> Result<ProjectLookup, FindError> {
        let report = self.reporter();
        let search = ProjectSearch {
            env: &self.env,
            timings: &self.timings,
            option: endpoint,
            environment: self.globals.environment.as_deref(),
            report: &report,
        };
        let outcome = Box::pin(search.run()).await?;
        self.trusted.get_or_init(|| outcome.env);
        Ok(outcome.answer)
    }

    /// Creates a client of the project that this run uses from now on.
    ///
    /// # Errors
    /// When the sign-in configuration breaks a rule.
    pub(crate) fn client_of(&self, project: ResolvedProject) -> Result<FoundryClient, CliError> {
        let found = self.set_project(project);
        self.console.debug(&format!("project endpoint: {} (from {})", found.endpoint, found.source));
        let tokens = self.tokens_for(&found.endpoint.host_url(), Audience::Foundry)?;
        Ok(self.client_with(found, tokens))
    }

    /// Client of this project that signs in with these tokens.
    pub(crate) fn client_with(&self, project: &ResolvedProject, tokens: Arc<TokenSource>) -> FoundryClient {
        FoundryClient::new(self.http(), tokens, project.endpoint.clone(), api_version(self.trusted_env()))
    }

    /// Sets the project of this run.
    pub(crate) fn set_project(&self, project: ResolvedProject) -> &ResolvedProject {
        self.found.get_or_init(|| project)
    }

    /// Creates a token source for another service of this run's project, at this address.
    ///
    /// # Errors
    /// When the sign-in configuration breaks a rule.
    pub(crate) fn tokens_for(&self, url: &Url, audience: Audience) -> Result<Arc<TokenSource>, CredentialError> {
        let env = self.trusted_env();
        let found = self.found.get();
        let target = TokenTarget {
            host: url.host_str().unwrap_or_default(),
            loopback: is_loopback(url),
            named_by_user: found.is_some_and(|found| found.is_named_by_user(env)),
            audience,
        };
        let tenant = found.and_then(|found| found.tenant.as_deref());
        Ok(Arc::new(TokenSource::new(&self.sign_in_env(), target, tenant, self.timings.clone(), self.reporter())?))
    }

    /// Makes later sign-ins independent of the azd process that started the program, so that one that depends on it
    /// fails now.
    pub(crate) fn require_independent_sign_in(&self) {
        self.needs_independent_sign_in.set(true);
    }

    fn sign_in_env(&self) -> Env {
        let env = self.trusted_env();
        if self.needs_independent_sign_in.get() { env.without(&var::AZD_RUN_VARIABLES) } else { env.clone() }
    }

    /// Project of this run, once a client for it was created.
    #[must_use]
    pub(crate) fn project(&self) -> Option<&ResolvedProject> {
        self.found.get()
    }

    /// Environment in which the trust variables are the user's own.
    #[must_use]
    pub(crate) fn trusted_env(&self) -> &Env {
        let judge = || project::trusted(&self.env, self.globals.environment.as_deref(), None, &self.reporter());
        self.trusted.get_or_init(judge)
    }

    /// The environment in which the variables of the Hugging Face Hub are the user's own.
    #[must_use]
    pub(crate) fn hub_env(&self) -> &Env {
        let judge = || project::trusted_for_hub(&self.env, self.globals.environment.as_deref(), &self.reporter());
        self.hub.get_or_init(judge)
    }
}
