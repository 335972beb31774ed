//! Stored failure of a detached upload: written by its process, and reported by a command that attaches.

use azure_ai_models_core::upload::detached::RecordedError;

use super::{CliError, ErrorCode, ErrorKind};

impl CliError {
    /// Failure in its stored form.
    pub(crate) fn recorded(&self) -> RecordedError {
        let details = &*self.details;
        RecordedError {
            kind: self.kind.as_str().to_owned(),
            code: details.code.as_str().to_owned(),
            message: details.message.clone(),
            status: details.status,
            request_id: details.request_id.clone(),
            time: details.time.clone(),
            suggestion: details.suggestion.clone(),
            links: details.links.clone(),
        }
    }

    /// Restores the stored failure, with its own exit code.
    pub(crate) fn from_record(record: RecordedError) -> Self {
        let kind = ErrorKind::of_word(&record.kind);
        let mut error = Self::new(kind, record.message).with_code(ErrorCode::Service(record.code));
        error.details.suggestion = record.suggestion;
        error.details.links = record.links;
        if let Some(status) = record.status {
            error = error.with_answer(status, record.request_id, record.time);
        }
        error
    }

    /// The exit code as a number.
    pub(crate) fn exit_number(&self) -> u8 {
        self.kind.exit_code()
    }

    /// True if the user, or a signal, ended the command.
    pub(crate) fn is_interrupt(&self) -> bool {
        self.kind == ErrorKind::Interrupted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_unchanged_after_it_was_stored() {
        let error = CliError::new(ErrorKind::RegistrationFailed, "refused")
            .with_code(ErrorCode::RegistrationFailed)
            .with_suggestion("Do this.")
            .with_link("Roles", "https://x")
            .with_answer(409, Some("id".into()), Some("now".into()));
        let again = CliError::from_record(error.recorded());
        assert_eq!(again.recorded(), error.recorded());
        assert_eq!(again.exit_number(), 8);
        for kind in ErrorKind::ALL {
            assert_eq!(ErrorKind::of_word(kind.as_str()), kind);
        }
    }
}
