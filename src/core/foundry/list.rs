//! Lists of models, over all pages.

use std::collections::HashSet;

use thiserror::Error;

use super::FoundryClient;
use crate::http::{HttpError, Method, PageError, Retry};
use crate::model::{CustomModel, ListedModel, ModelListSeed, ModelName, Versioned};

/// Failure to read a whole list.
#[derive(Debug, Error)]
pub enum ListError {
    /// Failed request for a page.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Next page on another host, which does not receive the token.
    #[error("the list continues on {host}, which is not the project's host")]
    LeavesProject {
        /// Host of the page.
        host: String,
    },
    /// Next page whose address holds a user name or a password.
    #[error("the URL of the next page contains a user name or password")]
    UserInformation,
    /// Next page that was already read.
    #[error("the list repeats its pages")]
    Cycle,
    /// More pages or items than any real list has.
    #[error("the list does not end")]
    Endless,
}

impl From<PageError> for ListError {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Http(error) => Self::Http(error),
            PageError::OtherOrigin { host } => Self::LeavesProject { host },
            PageError::UserInformation => Self::UserInformation,
            PageError::Cycle => Self::Cycle,
            PageError::Endless => Self::Endless,
        }
    }
}

impl FoundryClient {
    /// Lists the latest version of each model, all pages. Of the filters of the listing, the service may support the
    /// training job.
    ///
    /// # Errors
    /// See [`ListError`]; never a partial list.
    pub async fn list_models(&self, listing: ModelListSeed) -> Result<Vec<ListedModel>, ListError> {
        let mut url = self.url(&[]);
        if let Some(job) = &listing.filter.source_job {
            url.query_pairs_mut().append_pair("source.jobId", job);
        }
        Ok(self.http().list_by(self.request(Method::GET, url, Retry::Idempotent), listing, None).await?.0)
    }

    /// Lists the models of as many pages as are needed for `count` different ones, and whether these are all pages.
    ///
    /// # Errors
    /// See [`ListError`].
    pub async fn first_models(
        &self,
        count: usize,
        listing: ModelListSeed,
    ) -> Result<(Vec<ListedModel>, bool), ListError> {
        let is_enough = |models: &[ListedModel]| {
            let names: HashSet<&str> = models.iter().map(Versioned::name).collect();
            names.len() >= count
        };
        let request = self.request(Method::GET, self.url(&[]), Retry::Idempotent);
        Ok(self.http().list_by(request, listing, Some(&is_enough)).await?)
    }

    /// Lists all versions of a model with the fields of a list, all pages, in the service's order.
    ///
    /// # Errors
    /// See [`ListError`]; never a partial list.
    pub async fn listed_versions(
        &self,
        name: &ModelName,
        listing: ModelListSeed,
    ) -> Result<Vec<ListedModel>, ListError> {
        let request = self.request(Method::GET, self.versions_url(name), Retry::Idempotent);
        Ok(self.http().list_by(request, listing, None).await?.0)
    }

    /// Lists all versions of a model, all pages, in the service's order.
    ///
    /// # Errors
    /// See [`ListError`]; never a partial list.
    pub async fn list_versions(&self, name: &ModelName) -> Result<Vec<CustomModel>, ListError> {
        Ok(self.http().list(self.request(Method::GET, self.versions_url(name), Retry::Idempotent)).await?)
    }
}
