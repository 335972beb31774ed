//! Kinds of failures and their exit codes.

/// Kind of a failure. Each kind has one exit code and one value in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// Any other failure.
    Failure,
    /// A bad option or value, or a missing value if no prompt is possible.
    Usage,
    /// Model, version, path or project not found.
    NotFound,
    /// Not signed in, 401, 403.
    Auth,
    /// The version exists, or the model is in use.
    Conflict,
    /// The local files are not a valid model, or registered files differ from the expected ones.
    CheckFailed,
    /// The upload failed.
    UploadFailed,
    /// The upload is complete, but the registration is not.
    RegistrationFailed,
    /// Network, throttling, or an unexpected response.
    Service,
    /// Ctrl+C, SIGTERM, SIGHUP.
    Interrupted,
}

impl ErrorKind {
    /// All kinds, in the order of their exit codes.
    pub(crate) const ALL: [Self; 10] = [
        Self::Failure,
        Self::Usage,
        Self::NotFound,
        Self::Auth,
        Self::Conflict,
        Self::CheckFailed,
        Self::UploadFailed,
        Self::RegistrationFailed,
        Self::Service,
        Self::Interrupted,
    ];

    /// Exit code of the kind.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Failure => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Auth => 4,
            Self::Conflict => 5,
            Self::CheckFailed => 6,
            Self::UploadFailed => 7,
            Self::RegistrationFailed => 8,
            Self::Service => 9,
            Self::Interrupted => 130,
        }
    }

    /// Kind with this value in JSON; the general kind for any other value.
    pub(crate) fn of_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).unwrap_or(Self::Failure)
    }

    /// Short description of the failures of this kind.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Failure => "any other failure, or a failed check of `doctor`",
            Self::Usage => "invalid option or value, or a missing answer with prompts disabled",
            Self::NotFound => "model, version, path or project not found",
            Self::Auth => "not signed in, or no permission",
            Self::Conflict => "the version exists, the model is in use, or files of a plan changed",
            Self::CheckFailed => "the model check found errors, or registered files differ",
            Self::UploadFailed => "upload failed or interrupted; run the same command to resume",
            Self::RegistrationFailed => "upload complete, registration failed or not finished",
            Self::Service => "network, throttling, or an unexpected response",
            Self::Interrupted => "ended by Ctrl+C or a signal",
        }
    }

    /// Value in JSON.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Usage => "usage",
            Self::NotFound => "not_found",
            Self::Auth => "auth",
            Self::Conflict => "conflict",
            Self::CheckFailed => "check_failed",
            Self::UploadFailed => "upload_failed",
            Self::RegistrationFailed => "registration_failed",
            Self::Service => "service",
            Self::Interrupted => "interrupted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_and_names_match_the_documentation() {
        let table: Vec<String> =
            ErrorKind::ALL.iter().map(|kind| format!("{} {}", kind.exit_code(), kind.as_str())).collect();
        assert_eq!(
            table,
            [
                "1 failure",
                "2 usage",
                "3 not_found",
                "4 auth",
                "5 conflict",
                "6 check_failed",
                "7 upload_failed",
                "8 registration_failed",
                "9 service",
                "130 interrupted"
            ]
        );
    }
}
