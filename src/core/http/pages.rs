//! Paged lists: complete or an error.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use tokio::task::JoinHandle;

use super::client::HttpClient;
use super::error::HttpError;
use super::request::Request;

/// Maximum number of pages of one list; services send 25 to 5,000 items per page.
pub(crate) const MAX_PAGES: usize = 1000;
/// Maximum number of items of one list.
const MAX_ITEMS: usize = 1_000_000;

/// Decides whether the items so far are enough.
type IsEnough<'a, T> = &'a (dyn Fn(&[T]) -> bool + Sync);

/// Failure to read a whole list.
#[derive(Debug)]
pub(crate) enum PageError {
    /// Failed request for a page.
    Http(HttpError),
    /// Next page on another origin, which does not receive the token.
    OtherOrigin {
        /// Host of the page; empty if the link is no URL.
        host: String,
    },
    /// Next page whose address holds a user name or a password.
    UserInformation,
    /// Next page that was already read.
    Cycle,
    /// More pages or items than any real list has.
    Endless,
}

impl From<HttpError> for PageError {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

/// Part of a page that determines the next request.
#[derive(Deserialize)]
struct Link {
    #[serde(rename = "nextLink")]
    next_link: Option<String>,
}

/// Items of a page, each read by the seed as it arrives, so that unneeded parts are freed before the next.
#[derive(Clone)]
struct Page<S>(S);

/// Array of the items.
struct Items<S>(S);

impl<'de, S: DeserializeSeed<'de> + Clone> DeserializeSeed<'de> for Page<S> {
    type Value = Vec<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: DeserializeSeed<'de> + Clone> Visitor<'de> for Page<S> {
    type Value = Vec<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut items = None;
        while let Some(field) = map.next_key::<String>()? {
            if field != "value" {
                map.next_value::<IgnoredAny>()?;
            } else if items.replace(map.next_value_seed(Items(self.0.clone()))?).is_some() {
                return Err(A::Error::duplicate_field("value"));
            }
        }
        items.ok_or_else(|| A::Error::missing_field("value"))
    }
}

impl<'de, S: DeserializeSeed<'de> + Clone> DeserializeSeed<'de> for Items<S> {
    type Value = Vec<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, S: DeserializeSeed<'de> + Clone> Visitor<'de> for Items<S> {
    type Value = Vec<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(self.0.clone())? {
            items.push(item);
        }
        Ok(items)
    }
}

impl HttpClient {
    /// Returns the items of all pages. `request` fetches the first page; each further page is at the `nextLink` of the
    /// previous one: only within the origin, none twice, and at most [`MAX_PAGES`]. A page is parsed while the next one
    /// is fetched.
    ///
    /// # Errors
    /// See [`PageError`]; never a partial list.
    pub(crate) async fn list<T>(&self, request: Request<'_>) -> Result<Vec<T>, PageError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        Ok(self.list_by(request, PhantomData::<T>, None).await?.0)
    }

    /// Returns the items, read by the seed, of all pages or of as many as `is_enough` requires, and whether these are
    /// all pages.
    ///
    /// # Errors
    /// See [`PageError`].
    pub(crate) async fn list_by<S, T>(
        &self,
        mut request: Request<'_>,
        seed: S,
        is_enough: Option<IsEnough<'_, T>>,
    ) -> Result<(Vec<T>, bool), PageError>
    where
        S: for<'de> DeserializeSeed<'de, Value = T> + Clone + Send + 'static,
        T: Send + 'static,
    {
        let origin = request.url.origin();
        let mut items = Vec::new();
        let mut seen = HashSet::new();
        let mut parsing: Option<JoinHandle<Result<Vec<T>, HttpError>>> = None;
        loop {
            if !seen.insert(request.url.clone()) {
                return Err(PageError::Cycle);
            }
            if seen.len() > MAX_PAGES || items.len() > MAX_ITEMS {
                return Err(PageError::Endless);
            }
            let response = self.send(&request).await?;
            let Link { next_link } = response.json()?;
            if let Some(page) = parsing.take() {
                items.extend(parsed(page).await?);
            }
            let seed = Page(seed.clone());
            let page = tokio::task::spawn_blocking(move || response.json_by(seed));
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
            // The fragment is not sent: two links that differ only in it are the same page.
            next.set_fragment(None);
            request.url = next;
        }
    }
}

async fn parsed<T>(page: JoinHandle<Result<Vec<T>, HttpError>>) -> Result<Vec<T>, HttpError> {
    match page.await {
        Ok(items) => items,
        // The task is never aborted: a panic is propagated to the caller.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
