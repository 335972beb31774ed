//! One page of the list of models, which requires only the permission to read.

use serde_json::Value;

use super::client::FoundryClient;
use crate::http::{HttpError, Method, ResponseFlaw, Retry};
use crate::model::BlobUri;

/// One page of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstPage {
    /// Location of the files of its newest model.
    pub newest_blob_uri: Option<BlobUri>,
}

impl FoundryClient {
    /// Requests one page of models, once.
    ///
    /// # Errors
    /// 401 and 403 among others.
    pub async fn first_page(&self) -> Result<FirstPage, HttpError> {
        let response = self.send(self.request(Method::GET, self.url(&[]), Retry::None)).await?;
        let page: Value = response.json()?;
        let models =
            page["value"].as_array().ok_or_else(|| response.bad(ResponseFlaw::Shape("it is no list".into())))?;
        let newest = models.iter().max_by_key(|model| model["systemData"]["createdAt"].as_str());
        let uri = newest.and_then(|model| model["blobUri"].as_str()).and_then(|uri| uri.parse().ok());
        Ok(FirstPage { newest_blob_uri: uri })
    }
}
