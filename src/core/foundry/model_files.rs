//! Files of a registered model, read with credentials from the service.

use std::sync::Arc;

use futures_util::FutureExt;
use thiserror::Error;

use super::client::FoundryClient;
use crate::http::{HttpError, ResponseFlaw};
use crate::model::{BlobUri, CustomModel, ModelName, ModelVersion, Reporter};
use crate::store::{BlobStore, RenewLocation, StoreError, StoredFile, UploadLocation};

/// Readable files of one model version in the blob store. Cheap to clone.
#[derive(Clone)]
pub struct ModelFiles {
    /// Store that holds the files.
    pub(crate) store: Arc<BlobStore>,
    files: Arc<[StoredFile]>,
    blob_uri: BlobUri,
}

impl ModelFiles {
    /// Listed files, sorted by name.
    #[must_use]
    pub fn files(&self) -> &[StoredFile] {
        &self.files
    }

    /// Location of the files, without a secret.
    #[must_use]
    pub fn blob_uri(&self) -> &BlobUri {
        &self.blob_uri
    }
}

/// Failure to read the files of a model.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The service does not report the location of the files.
    #[error("the service does not show where the files of the model are")]
    NoPlace,
    /// The service returns no SAS for them.
    #[error("Foundry did not provide a SAS to read the files of the model: {0}")]
    NoSas(#[source] HttpError),
    /// The SAS does not permit listing them.
    #[error("the SAS from Foundry does not allow listing the files of the model")]
    NotListed,
    /// The store failed.
    #[error("the files of the model cannot be read: {0}")]
    Store(#[source] StoreError),
}

impl FoundryClient {
    /// Lists the files of a registered model, with a SAS that is renewed when it expires.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn model_files(
        &self,
        (name, version): (&ModelName, &ModelVersion),
        model: &CustomModel,
        reporter: &Reporter,
    ) -> Result<ModelFiles, ReadError> {
        let blob_uri = model.view().blob_uri.as_deref().and_then(|uri| uri.parse::<BlobUri>().ok());
        let blob_uri = blob_uri.ok_or(ReadError::NoPlace)?;
        let location = self.signed_location(name, version, &blob_uri).await.map_err(ReadError::NoSas)?;
        let (client, name, version, place) = (self.clone(), name.clone(), version.clone(), blob_uri.clone());
        let renew: RenewLocation = Arc::new(move || {
            let (client, name, version, blob_uri) = (client.clone(), name.clone(), version.clone(), blob_uri.clone());
            async move { client.signed_location(&name, &version, &blob_uri).await }.boxed()
        });
        let store = BlobStore::new(self.shared_http(), Arc::clone(reporter), &location, renew).read_only();
        let files = store.stored_files().await.map_err(ReadError::Store)?.ok_or(ReadError::NotListed)?;
        Ok(ModelFiles { store: Arc::new(store), files: files.into(), blob_uri: place })
    }

    /// Location of the files with a SAS. The service may return a SAS for the container.
    async fn signed_location(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        blob_uri: &BlobUri,
    ) -> Result<UploadLocation, HttpError> {
        let location = self.read_location(name, version, blob_uri).await?;
        match blob_uri.signed_by(&location.sas) {
            Some(sas) => Ok(UploadLocation { sas, blob_uri: blob_uri.clone(), id: None }),
            None => Err(HttpError::BadAnswer {
                host: self.endpoint().host().to_owned(),
                status: 200,
                what: ResponseFlaw::Shape("its SAS is for another place than that of the model".into()),
                request_id: None,
            }),
        }
    }
}
