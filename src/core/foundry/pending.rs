//! A pending upload: the request, and the formats of the response. Pure.

use serde_json::{Value, json};
use url::Url;

use crate::model::{AddressError, BlobUri, check_secure};
use crate::redact::SecretUrl;
use crate::store::UploadLocation;

/// Body of `startPendingUpload`; the only type that the service supports for models.
pub(super) fn request() -> Value {
    json!({ "pendingUploadType": "TemporaryBlobReference" })
}

/// Parses all formats that services send. An error names the missing part and quotes nothing: the body contains a SAS.
pub(super) fn read(body: &Value) -> Result<UploadLocation, &'static str> {
    let reference = ["blobReferenceForConsumption", "blobReference"]
        .into_iter()
        .map(|key| &body[key])
        .find(|reference| reference.is_object())
        .ok_or("no upload location")?;
    let sas = text(&reference["credential"]["sasUri"]).or_else(|| text(&reference["sasUri"]));
    let sas = Url::parse(sas.ok_or("no SAS")?).map_err(|_| "the SAS is not a URL")?;
    if sas.query().is_none_or(str::is_empty) {
        return Err("the SAS has no signature");
    }
    check_secure(&sas).map_err(|error| match error {
        AddressError::NotHttps => "the SAS is not for https",
        AddressError::UserInformation => "the SAS contains a user name or password",
    })?;
    let sas = SecretUrl::new(sas);
    let blob_uri = match text(&reference["blobUri"]) {
        Some(uri) => uri.parse().map_err(|_| "blobUri is not a URL")?,
        None => BlobUri::of(&sas),
    };
    let id = ["pendingUploadId", "temporaryDataReferenceId"].into_iter().find_map(|key| text(&body[key]));
    Ok(UploadLocation { sas, blob_uri, id: id.map(str::to_owned) })
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAS: &str = "https://s.blob.core.windows.net/c/p?sv=1&sig=CANARY";

    #[test]
    fn every_format_of_a_pending_upload_is_parsed() {
        let place = "https://s.blob.core.windows.net/c/p";
        for (body, blob_uri, id) in [
            (
                json!({"blobReference": {"blobUri": place, "credential": {"type": "SAS", "sasUri": SAS}}, "pendingUploadId": "i"}),
                place,
                Some("i"),
            ),
            (
                json!({"blobReferenceForConsumption": {"blobUri": "https://other/c?sig=CANARY",
                    "credential": {"credentialType": "SAS", "sasUri": SAS}}, "temporaryDataReferenceId": "t"}),
                "https://other/c",
                Some("t"),
            ),
            (
                json!({"blobReference": {"sasUri": SAS, "containerPath": "c"}, "blobReferenceForConsumption": null}),
                place,
                None,
            ),
        ] {
            let pending = read(&body).expect("a location");
            assert_eq!((pending.blob_uri.as_str(), pending.id.as_deref()), (blob_uri, id));
            assert_eq!(pending.sas.expose().as_str(), SAS);
            assert!(!format!("{pending:?}").contains("CANARY"));
        }
    }

    #[test]
    fn a_pending_upload_without_a_usable_sas_is_refused() {
        let sas = |sas: &str| json!({"blobReference": {"sasUri": sas}});
        for (body, what) in [
            (json!([]), "no upload location"),
            (json!({"blobReference": {}}), "no SAS"),
            (sas("not a url"), "the SAS is not a URL"),
            (sas("https://s/c"), "the SAS has no signature"),
            (sas("http://s.example/c?sig=x"), "the SAS is not for https"),
            (sas("https://u:p@s.example/c?sig=x"), "the SAS contains a user name or password"),
            (json!({"blobReference": {"sasUri": SAS, "blobUri": "c/p"}}), "blobUri is not a URL"),
        ] {
            assert_eq!(read(&body), Err(what));
        }
        assert!(read(&sas("http://127.0.0.1:1/a/c?sig=x")).is_ok());
    }
}
