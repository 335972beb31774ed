//! SAS URLs: for an upload, and for reading registered content.

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use url::Url;

use super::{models, require_content_type, require_valid_names};
use crate::azurite::{self, BlobStoreError, Grant};
use crate::call::Target;
use crate::config::{BlobStore, PendingUploadShape};
use crate::record::Incoming;
use crate::refusal::{Answer, Refusal};
use crate::state::{Shared, State, Upload};
use crate::wire::{self, CredentialsBody, StartBody};

const TEMPORARY: &str = "TemporaryBlobReference";
const STORAGE_ACCOUNT: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/emulator/providers/Microsoft.Storage/storageAccounts/devstoreaccount1";

pub(super) async fn start(shared: &Shared, request: &Incoming, target: &Target) -> Answer {
    require_content_type(request, "application/json")?;
    require_valid_names(target)?;
    let body: StartBody = wire::read(&request.body)?;
    if body.pending_upload_type != TEMPORARY {
        let message =
            format!("The pendingUploadType '{}' is not supported; send {TEMPORARY}.", body.pending_upload_type);
        return Err(Refusal::bad_request("ValidationError", message));
    }
    let (upload, config) = {
        let mut state = shared.lock();
        if state.catalog.get(target).is_some() {
            return Err(Refusal::conflict(target));
        }
        (state.upload(target, body.pending_upload_id), state.config.clone())
    };
    if let BlobStore::Azurite { endpoint } = &config.blobs {
        azurite::create_container(&shared.http, endpoint, upload.container()).await.map_err(store_failed)?;
    }
    let grant = azurite::grant(&config.blobs, upload.container(), &config.sas_permissions, upload.sas_seconds);
    let response = match config.pending_upload_shape {
        PendingUploadShape::Datastore => datastore(&grant, &upload, body.connection_name.as_deref()),
        PendingUploadShape::Sdk => sdk(&grant, &upload, target),
        PendingUploadShape::Flat => flat(&grant),
    };
    Ok(Json(response).into_response())
}

pub(super) fn credentials(state: &mut State, request: &Incoming, target: &Target) -> Answer {
    require_content_type(request, "application/json")?;
    let body: CredentialsBody = wire::read(&request.body)?;
    let model = state.catalog.get(target).ok_or_else(|| models::missing(state, target))?;
    if model["blobUri"] != body.blob_uri {
        return Err(Refusal::bad_request("InvalidBlobUri", "blobUri is not that of the model version."));
    }
    let container = Url::parse(&body.blob_uri)
        .ok()
        .and_then(|uri| azurite::path_in_store(&state.config.blobs, &uri))
        .and_then(|path| path.split('/').next().map(str::to_owned))
        .unwrap_or_else(|| "seeded".to_owned());
    // A second longer each time, so that no two are equal.
    state.reads_granted += 1;
    let seconds = state.config.sas_seconds + state.reads_granted;
    let grant = azurite::grant(&state.config.blobs, &container, "rl", seconds);
    Ok(Json(json!({ "blobReference": reference(&grant) })).into_response())
}

pub(super) fn store_failed(error: BlobStoreError) -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "BlobStoreUnavailable", format!("{error}."))
}

fn datastore(grant: &Grant, upload: &Upload, connection: Option<&str>) -> Value {
    json!({
        "blobReferenceForConsumption": {
            "blobUri": grant.blob_uri,
            "storageAccountArmId": STORAGE_ACCOUNT,
            "credential": { "credentialType": "SAS", "sasUri": grant.sas_uri, "wasbsUri": null },
            "isSingleFile": false,
            "blobManifestDigest": null,
            "connectionName": connection,
        },
        "imageReferenceForConsumption": null,
        "temporaryDataReferenceId": upload.id,
        "temporaryDataReferenceType": TEMPORARY,
    })
}

fn sdk(grant: &Grant, upload: &Upload, target: &Target) -> Value {
    json!({
        "blobReference": reference(grant),
        "pendingUploadId": upload.id,
        "version": target.version,
        "pendingUploadType": TEMPORARY,
    })
}

fn reference(grant: &Grant) -> Value {
    json!({
        "blobUri": grant.blob_uri,
        "storageAccountArmId": STORAGE_ACCOUNT,
        "credential": { "type": "SAS", "sasUri": grant.sas_uri },
    })
}

fn flat(grant: &Grant) -> Value {
    json!({ "blobReference": { "sasUri": grant.sas_uri, "containerPath": grant.blob_uri, "expiresOn": grant.expires_on } })
}
