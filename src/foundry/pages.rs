//! Lists over all their pages. `nextLink` is followed within the project's origin only, and never twice: a list is whole
//! or an error.

use std::collections::HashSet;

use serde::Deserialize;
use thiserror::Error;
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

#[derive(Deserialize)]
struct Page {
    value: Vec<CustomModel>,
    #[serde(rename = "nextLink")]
    next_link: Option<String>,
}

/// All models from this page on.
pub(super) async fn all(client: &FoundryClient, first: Url) -> Result<Vec<CustomModel>, ListError> {
    let mut models = Vec::new();
    let mut seen = HashSet::new();
    let mut url = first;
    loop {
        if !seen.insert(url.clone()) {
            return Err(ListError::Circle);
        }
        let page: Page = client.send(client.request(Method::GET, url.clone(), Retry::Idempotent)).await?.json()?;
        models.extend(page.value);
        let Some(link) = page.next_link.filter(|link| !link.is_empty()) else {
            return Ok(models);
        };
        let next = url.join(&link).map_err(|_| ListError::LeavesProject { host: String::new() })?;
        if !client.endpoint().same_origin(&next) {
            return Err(ListError::LeavesProject { host: next.host_str().unwrap_or_default().to_owned() });
        }
        url = next;
    }
}
