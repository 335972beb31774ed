//! Requests for the location of the files of a version, with a SAS for writing or reading.

use serde_json::json;

use super::{FoundryClient, pending};
use crate::http::{HttpError, Method, ResponseFlaw, Retry};
use crate::model::{BlobUri, ModelName, ModelVersion};
use crate::store::UploadLocation;

impl FoundryClient {
    /// Requests a location for the files of a version. A repeated request returns a new SAS.
    ///
    /// # Errors
    /// 409 when the version exists, 403 when a role is missing, among others.
    pub async fn start_pending_upload(
        &self,
        name: &ModelName,
        version: &ModelVersion,
    ) -> Result<UploadLocation, HttpError> {
        let url = self.version_url(name, version, Some("startPendingUpload"));
        let request = self.request(Method::POST, url, Retry::Idempotent).json(&pending::request());
        let response = self.send(request).await?;
        pending::read(&response.json()?).map_err(|what| response.bad(ResponseFlaw::Shape(what.into())))
    }

    /// Requests a SAS for reading the files of a registered version.
    ///
    /// # Errors
    /// A 403 or 404, among others.
    pub(crate) async fn read_location(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        blob_uri: &BlobUri,
    ) -> Result<UploadLocation, HttpError> {
        let url = self.version_url(name, version, Some("credentials"));
        let request = self.request(Method::POST, url, Retry::Idempotent).json(&json!({ "blobUri": blob_uri }));
        let response = self.send(request).await?;
        pending::read(&response.json()?).map_err(|what| response.bad(ResponseFlaw::Shape(what.into())))
    }
}
