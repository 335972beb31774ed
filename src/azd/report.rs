//! A failed command, told to azd, which shows it in its own error block (contracts/azd-host.md 1.7, 3.8).

use super::error::HostError;
use super::host::{AzdHost, within};
use super::proto::extension_error::Source;
use super::proto::extension_service_client::ExtensionServiceClient;
use super::proto::{ErrorLink, ErrorOrigin, ExtensionError, LocalErrorDetail, ReportErrorRequest, ServiceErrorDetail};

/// Where a failure comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This program, of this category.
    Local(Category),
    /// A program that it runs.
    Tool(Category),
    /// A service, with its status.
    Service {
        /// HTTP status.
        status: u16,
        /// Host or name of the service.
        name: String,
    },
}

/// azd's categories of local errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// Wrong usage, unfit files.
    Validation,
    /// Sign-in.
    Auth,
    /// A network, a tool or a service that is not as it should be.
    Dependency,
    /// Something that the person has to change.
    User,
    /// Anything else.
    Local,
}

impl Category {
    fn word(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Auth => "auth",
            Self::Dependency => "dependency",
            Self::User => "user",
            Self::Local => "local",
        }
    }
}

/// What azd is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// What failed.
    pub message: String,
    /// What to do.
    pub suggestion: String,
    /// Title and address.
    pub links: Vec<(String, String)>,
    /// The word that scripts can rely on.
    pub code: String,
    /// Where it comes from.
    pub origin: Origin,
}

impl AzdHost {
    /// Tells azd of a failed command. Once this succeeds azd shows it, so it must not be printed.
    ///
    /// # Errors
    /// See [`HostError`]: then nobody has shown it yet.
    pub async fn report(&self, error: Reported) -> Result<(), HostError> {
        let Reported { message, suggestion, links, code, origin } = error;
        let local = |category: Category| {
            Source::LocalError(LocalErrorDetail { code: snake(&code), category: category.word().to_owned() })
        };
        let (origin, source) = match origin {
            Origin::Local(category) => (ErrorOrigin::Local, local(category)),
            Origin::Tool(category) => (ErrorOrigin::Tool, local(category)),
            Origin::Service { status, name } => (
                ErrorOrigin::Service,
                Source::ServiceError(ServiceErrorDetail {
                    error_code: code.clone(),
                    status_code: status.into(),
                    service_name: name,
                }),
            ),
        };
        let links = links.into_iter().map(|(title, url)| ErrorLink { url, title }).collect();
        let error = ExtensionError { message, origin: origin.into(), suggestion, links, source: Some(source) };
        let mut client = ExtensionServiceClient::new(self.line());
        within(self.report_limit(), client.report_error(ReportErrorRequest { error: Some(error) })).await.map(drop)
    }
}

/// `ModelNotFound` as azd's telemetry wants it: `model_not_found`.
fn snake(code: &str) -> String {
    let mut out = String::new();
    let mut before = '_';
    for char in code.chars() {
        if char.is_ascii_uppercase() && before != '_' && !before.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '_' });
        before = char;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_written_as_azd_writes_them() {
        let codes = ["ModelNotFound", "http_503", "bad-header", "RESOURCEBusy", "usage"].map(snake);
        assert_eq!(codes, ["model_not_found", "http_503", "bad_header", "resourcebusy", "usage"]);
    }
}
