//! Lists over all their pages. `nextLink` is followed within the project's origin only, and never twice: a list is whole
//! or an error.

use std::collections::HashSet;

use serde::Deserialize;
use thiserror::Error;
use tokio::task::JoinHandle;
use url::Url;

use super::client::FoundryClient;
use crate::http::{HttpError, Method, Retry};
use crate::model::CustomModel;

/// Why there is no whole list.
#[derive(Debug, Error)]
pub enum ListError {
    /// A page could not be had.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The next page is said to be at another host, which gets no token.
    #[error("the list goes on at {host}, which is not the project's host")]
    LeavesProject {
        /// That host.
        host: String,
    },
    /// A page points to one that was already read.
    #[error("the list goes round in a circle")]
    Circle,
}

/// What is asked first of a page: where the next one is.
#[derive(Deserialize)]
struct Link {
    #[serde(rename = "nextLink")]
    next_link: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    value: Vec<CustomModel>,
}

/// All models from this page on. A page is read while the next one is on its way.
pub(super) async fn all(client: &FoundryClient, first: Url) -> Result<Vec<CustomModel>, ListError> {
    let mut models = Vec::new();
    let mut seen = HashSet::new();
    let mut reading: Option<JoinHandle<Result<Page, HttpError>>> = None;
    let mut url = first;
    loop {
        if !seen.insert(url.clone()) {
            return Err(ListError::Circle);
        }
        let response = client.send(client.request(Method::GET, url.clone(), Retry::Idempotent)).await?;
        let link: Link = response.json()?;
        if let Some(reading) = reading.take() {
            models.extend(read(reading).await?);
        }
        let page = tokio::task::spawn_blocking(move || response.json());
        let Some(link) = link.next_link.filter(|link| !link.is_empty()) else {
            models.extend(read(page).await?);
            return Ok(models);
        };
        reading = Some(page);
        let next = url.join(&link).map_err(|_| ListError::LeavesProject { host: String::new() })?;
        if !client.endpoint().same_origin(&next) {
            return Err(ListError::LeavesProject { host: next.host_str().unwrap_or_default().to_owned() });
        }
        url = next;
    }
}

async fn read(page: JoinHandle<Result<Page, HttpError>>) -> Result<Vec<CustomModel>, HttpError> {
    match page.await {
        Ok(page) => Ok(page?.value),
        // It is never aborted: a panic goes on where it is noticed.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
