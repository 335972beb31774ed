//! A failure as azd is told of it (cli.md 3, 13; contracts/azd-host.md 3.8).

use super::{CliError, ErrorKind};
use crate::azd::{Category, Origin, Reported};

/// What the service is called where only its status is known.
const SERVICE: &str = "services.ai.azure.com";

impl CliError {
    /// False for what the person did: an interrupt, which azd does not outlive, and a question answered with no, which is
    /// said on the spot.
    #[must_use]
    pub fn is_worth_reporting(&self) -> bool {
        self.kind != ErrorKind::Interrupted && self.told.code != "cancelled"
    }

    /// What azd is told.
    #[must_use]
    pub fn reported(&self) -> Reported {
        let category = match self.kind {
            ErrorKind::Usage | ErrorKind::CheckFailed => Category::Validation,
            ErrorKind::Auth => Category::Auth,
            ErrorKind::NotFound | ErrorKind::Conflict => Category::User,
            ErrorKind::UploadFailed | ErrorKind::RegistrationFailed | ErrorKind::Service => Category::Dependency,
            ErrorKind::Failure | ErrorKind::Interrupted => Category::Local,
        };
        let origin = match (self.told.status, self.kind) {
            (Some(status), _) => Origin::Service { status, name: SERVICE.to_owned() },
            (None, ErrorKind::UploadFailed) => Origin::Tool(category),
            (None, _) if self.told.code.starts_with("azcopy") => Origin::Tool(category),
            (None, _) => Origin::Local(category),
        };
        let answer = match (&self.told.request_id, &self.told.time) {
            (Some(id), Some(time)) => format!("\nRequest id: {id}, {time}"),
            (Some(id), None) => format!("\nRequest id: {id}"),
            (None, _) => String::new(),
        };
        Reported {
            message: format!("{}{answer}", self.told.message),
            suggestion: self.told.suggestion.clone().unwrap_or_default(),
            links: self.told.links.clone(),
            code: self.told.code.clone(),
            origin,
        }
    }
}
