//! Lists over all their pages: whole or an error.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinHandle;

use super::client::HttpClient;
use super::error::HttpError;
use super::request::Request;

/// Failure to read a whole list.
#[derive(Debug)]
pub(crate) enum PageError {
    /// Failed request for a page.
    Http(HttpError),
    /// Next page at another origin, which gets no token.
    OtherOrigin {
        /// Its host; empty where the link is no URL.
        host: String,
    },
    /// Next page that was read already.
    Circle,
}

impl From<HttpError> for PageError {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

/// Part of a page that decides what is requested next.
#[derive(Deserialize)]
struct Link {
    #[serde(rename = "nextLink")]
    next_link: Option<String>,
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Page<T> {
    value: Vec<T>,
}

impl HttpClient {
    /// Returns the items of all pages. The request is that of the first one; each further one is at the `nextLink` of
    /// the one before: within the origin only, and none twice. A page is parsed while the next one is fetched.
    ///
    /// # Errors
    /// See [`PageError`]; never a part of the list.
    pub(crate) async fn list<T>(&self, mut request: Request<'_>) -> Result<Vec<T>, PageError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let origin = request.url.origin();
        let mut items = Vec::new();
        let mut seen = HashSet::new();
        let mut parsing: Option<JoinHandle<Result<Page<T>, HttpError>>> = None;
        loop {
            if !seen.insert(request.url.clone()) {
                return Err(PageError::Circle);
            }
            let response = self.send(&request).await?;
            let Link { next_link } = response.json()?;
            if let Some(page) = parsing.take() {
                items.extend(parsed(page).await?);
            }
            let page = tokio::task::spawn_blocking(move || response.json());
            let Some(link) = next_link.filter(|link| !link.is_empty()) else {
                items.extend(parsed(page).await?);
                return Ok(items);
            };
            parsing = Some(page);
            let next = request.url.join(&link).map_err(|_| PageError::OtherOrigin { host: String::new() })?;
            if next.origin() != origin {
                return Err(PageError::OtherOrigin { host: next.host_str().unwrap_or_default().to_owned() });
            }
            request.url = next;
        }
    }
}

async fn parsed<T>(page: JoinHandle<Result<Page<T>, HttpError>>) -> Result<Vec<T>, HttpError> {
    match page.await {
        Ok(page) => Ok(page?.value),
        // It is never aborted: a panic goes on where it is noticed.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
