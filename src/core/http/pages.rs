//! Lists over all their pages: whole or an error.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinHandle;

use super::client::HttpClient;
use super::error::HttpError;
use super::request::Request;

/// Most pages of one list; services send 25 to 5,000 items a page.
pub(crate) const MOST_PAGES: usize = 1000;
/// Most items of one list.
const MOST_ITEMS: usize = 1_000_000;

/// Decides whether the items so far are enough.
type IsEnough<'a, T> = &'a (dyn Fn(&[T]) -> bool + Sync);

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
    /// Next page whose address holds a user name or a password.
    UserInformation,
    /// Next page that was read already.
    Circle,
    /// More pages or items than any real list has.
    Endless,
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
    /// the one before: within the origin only, none twice, and at most [`MOST_PAGES`]. A page is parsed while the next one is fetched.
    ///
    /// # Errors
    /// See [`PageError`]; never a part of the list.
    pub(crate) async fn list<T>(&self, request: Request<'_>) -> Result<Vec<T>, PageError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        Ok(self.list_until(request, None).await?.0)
    }

    /// Returns the items of as many pages as `is_enough` asks for, and whether these are all pages.
    ///
    /// # Errors
    /// See [`PageError`].
    pub(crate) async fn list_until<T>(
        &self,
        mut request: Request<'_>,
        is_enough: Option<IsEnough<'_, T>>,
    ) -> Result<(Vec<T>, bool), PageError>
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
            if seen.len() > MOST_PAGES || items.len() > MOST_ITEMS {
                return Err(PageError::Endless);
            }
            let response = self.send(&request).await?;
            let Link { next_link } = response.json()?;
            if let Some(page) = parsing.take() {
                items.extend(parsed(page).await?);
            }
            let page = tokio::task::spawn_blocking(move || response.json());
            let Some(link) = next_link.filter(|link| !link.is_empty()) else {
                items.extend(parsed(page).await?);
                return Ok((items, true));
            };
            match is_enough {
                None => parsing = Some(page),
                Some(is_enough) => {
                    items.extend(parsed(page).await?);
                    if is_enough(&items) {
                        return Ok((items, false));
                    }
                }
            }
            let mut next = request.url.join(&link).map_err(|_| PageError::OtherOrigin { host: String::new() })?;
            if next.origin() != origin {
                return Err(PageError::OtherOrigin { host: next.host_str().unwrap_or_default().to_owned() });
            }
            if !next.username().is_empty() || next.password().is_some() {
                return Err(PageError::UserInformation);
            }
            // No part of the request: two links that differ in it are one page.
            next.set_fragment(None);
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
