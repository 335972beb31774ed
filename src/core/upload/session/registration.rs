//! Registration of an uploaded model, as the journal records it.

use url::Url;

use super::super::journal::Stage;
use super::Session;
use crate::model::Registration;

impl Session {
    /// Registration to make: the current details, with the address of the files.
    #[must_use]
    pub fn registration(&self) -> Option<Registration> {
        let blob_uri = self.journal.as_ref()?.blob_uri().clone();
        Some(Registration { blob_uri, details: self.request.details.clone() })
    }

    /// Sets or removes a tag of the model to register.
    pub fn set_tag(&mut self, key: &str, value: Option<String>) {
        let tags = &mut self.request.details.tags;
        match value {
            Some(value) => drop(tags.insert(key.to_owned(), value)),
            None => drop(tags.remove(key)),
        }
    }

    /// Records that the registration is requested. Returns true if an earlier attempt had already requested it.
    pub async fn begin_registration(&mut self) -> bool {
        let Some(mut journal) = self.journal.clone() else { return false };
        let was_asked_for = journal.stage == Stage::Registering;
        journal.stage = Stage::Registering;
        journal.registration.details = self.request.details.clone();
        self.write_or_warn(journal).await;
        was_asked_for
    }

    /// Records the URL at which the service reports on the registration; the URL must not contain a secret.
    pub async fn record_operation(&mut self, operation: Option<Url>) {
        let Some(mut journal) = self.journal.clone() else { return };
        journal.operation = operation;
        self.write_or_warn(journal).await;
    }
}
