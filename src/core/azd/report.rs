//! Errors that azd reports to the user itself.

use super::host::with_limit;
use super::proto::extension_error::Source;
use super::proto::extension_service_client::ExtensionServiceClient;
use super::proto::{self, ErrorOrigin, LocalErrorDetail, ReportErrorRequest, ServiceErrorDetail};
use super::{Host, HostError};

/// A failure for azd to display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorReport {
    /// Error message.
    pub message: String,
    /// Suggestion; azd prints `Suggestion:` before it.
    pub suggestion: Option<String>,
    /// Links for further reading: title and address.
    pub links: Vec<(String, String)>,
    /// Origin of the failure.
    pub origin: FailureOrigin,
}

/// Origin of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailureOrigin {
    /// Response of a service.
    Service {
        /// Stable code of the service.
        code: String,
        /// HTTP status.
        status: u16,
        /// Host name of the service.
        host: String,
    },
    /// A program that this one runs.
    Tool {
        /// Error code, lower case with underscores.
        code: String,
        /// Category, one of azd's keywords.
        category: &'static str,
    },
    /// This program.
    Local {
        /// Error code, lower case with underscores.
        code: String,
        /// Category, one of azd's keywords.
        category: &'static str,
    },
}

impl Host {
    /// Passes an error to azd, which displays it once this program has ended with a failure.
    ///
    /// # Errors
    /// See [`HostError`]: azd did not receive it then, and this program must display it.
    pub async fn report(&self, report: ErrorReport) -> Result<(), HostError> {
        let local = |code, category: &str| Source::LocalError(LocalErrorDetail { code, category: category.to_owned() });
        let (origin, source) = match report.origin {
            FailureOrigin::Service { code, status, host } => {
                let detail =
                    ServiceErrorDetail { error_code: code, status_code: i32::from(status), service_name: host };
                (ErrorOrigin::Service, Source::ServiceError(detail))
            }
            FailureOrigin::Tool { code, category } => (ErrorOrigin::Tool, local(code, category)),
            FailureOrigin::Local { code, category } => (ErrorOrigin::Local, local(code, category)),
        };
        let error = proto::ExtensionError {
            message: report.message,
            origin: origin.into(),
            suggestion: report.suggestion.unwrap_or_default(),
            links: report.links.into_iter().map(|(title, url)| proto::ErrorLink { url, title }).collect(),
            source: Some(source),
        };
        let mut client = ExtensionServiceClient::new(self.channel()?);
        let request = self.request(ReportErrorRequest { error: Some(error) });
        with_limit(self.timings().host_report, client.report_error(request)).await?;
        Ok(())
    }
}
