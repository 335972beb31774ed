//! Error messages for rejections by the Hugging Face Hub.

use azure_ai_models_core::env::var;
use azure_ai_models_core::http::{HttpError, NetworkFault};
use azure_ai_models_core::hub::{HubEndpointError, HubError, HubTokenError, TokenOrigin};
use azure_ai_models_core::units;

use super::{CliError, ErrorCode, ErrorKind};

/// Hosts that an import needs.
const HOSTS: &str = "huggingface.co, *.hf.co and *.huggingface.co";
const STALE: &str = "A mirror or cache in front of the Hub is out of date. Try again later, or unset HF_ENDPOINT or HTTPS_PROXY if it points to one.";

impl From<HubError> for CliError {
    fn from(error: HubError) -> Self {
        let answer = error.answer().map(|answer| (answer.status, answer.request_id.clone(), answer.date.clone()));
        let cli_error = translate(error);
        match answer {
            Some((status, id, date)) => cli_error.with_answer(status, id, date),
            None => cli_error,
        }
    }
}

fn translate(error: HubError) -> CliError {
    let message = error.to_string();
    let of = |kind, code| CliError::new(kind, message.clone()).with_code(code);
    match error {
        HubError::Offline => of(ErrorKind::Usage, ErrorCode::HubOffline)
            .with_suggestion("Unset HF_HUB_OFFLINE, or use a local directory as the source."),
        HubError::RepoNotFound { repo, origin: None, .. } => {
            of(ErrorKind::Auth, ErrorCode::RepositoryNotFound).with_suggestion(format!(
                "Check the name '{repo}'. For a private repository sign in with 'hf auth login', or set HF_TOKEN."
            ))
        }
        HubError::RepoNotFound { repo, origin: Some(origin), .. } => {
            of(ErrorKind::NotFound, ErrorCode::RepositoryNotFound).with_suggestion(format!(
                "Check the name '{repo}', and that the token from {origin} can read it if it is private."
            ))
        }
        HubError::BadToken { origin, .. } => of(ErrorKind::Auth, ErrorCode::HubTokenRefused).with_suggestion(renew(&origin)),
        HubError::Gated { page, origin, .. } => {
            let token = match origin {
                Some(origin) => format!(
                    "The token from {origin} must belong to that account; a fine-grained token needs read access to gated repositories."
                ),
                None => "Then sign in with 'hf auth login', or set HF_TOKEN.".to_owned(),
            };
            of(ErrorKind::Auth, ErrorCode::RepositoryGated)
                .with_suggestion(format!("Open {page} in a browser and accept its terms. {token}"))
        }
        HubError::Disabled { .. } => of(ErrorKind::Auth, ErrorCode::RepositoryDisabled)
            .with_suggestion("Use another repository. The page of this one gives the reason."),
        HubError::Forbidden { repo, .. } => of(ErrorKind::Auth, ErrorCode::RepositoryForbidden)
            .with_suggestion(format!("Use a token that can read '{repo}'; a fine-grained token needs this repository in its scope.")),
        HubError::RevisionNotFound { page, .. } => of(ErrorKind::NotFound, ErrorCode::RevisionNotFound)
            .with_suggestion(format!("Use an existing branch, tag or commit: {page}/tree/main")),
        HubError::EntryNotFound { near, .. } => {
            let cli_error = of(ErrorKind::NotFound, ErrorCode::EntryNotFound);
            match near.as_slice() {
                [] => cli_error.with_suggestion("Check the path; it is case-sensitive."),
                near => cli_error.with_suggestion(format!("Similar names: {}", near.join(", "))),
            }
        }
        HubError::Plan(error) => error.into(),
        HubError::NotAHub { .. } => of(ErrorKind::Service, ErrorCode::NotAHub).with_suggestion(
            "Check HF_ENDPOINT and HTTPS_PROXY, and whether this network requires a sign-in in a browser.",
        ),
        HubError::Disagree { .. } => of(ErrorKind::Service, ErrorCode::HubDisagrees).with_suggestion(STALE),
        HubError::RateLimited { wait, has_token } => {
            let when = wait.map_or_else(|| "later".to_owned(), |wait| format!("in {}", units::duration(wait)));
            let more = if has_token { "" } else { " Set HF_TOKEN for a higher limit." };
            of(ErrorKind::Service, ErrorCode::HubRateLimited)
                .with_suggestion(format!("Run the same command again {when}.{more}"))
        }
        HubError::Pages(_) | HubError::Redirect { .. } => {
            of(ErrorKind::Service, ErrorCode::Redirect).with_suggestion(STALE)
        }
        HubError::Refused { .. } => of(ErrorKind::UploadFailed, ErrorCode::SignedUrlRefused).with_suggestion(format!(
            "Check the clock of this machine, and that the firewall or proxy allows {HOSTS}."
        )),
        HubError::BadRange { .. } => of(ErrorKind::Service, ErrorCode::BadRange).with_suggestion(
            "A proxy or mirror in front of the Hub does not support range requests. Unset HTTPS_PROXY or HF_ENDPOINT if it points to one.",
        ),
        HubError::Mismatch { .. } => of(ErrorKind::UploadFailed, ErrorCode::ContentMismatch).with_suggestion(
            "Run the same command again. If it fails again, the file is damaged on the Hub or in transit.",
        ),
        HubError::Http(error) => of_request(error, message),
    }
}

/// Error for a request that failed for a reason other than a rejection by the Hub.
fn of_request(error: HttpError, message: String) -> CliError {
    match error {
        HttpError::Network { fault: NetworkFault::Proxy { .. } | NetworkFault::ProxyDown, .. } => {
            CliError::new(ErrorKind::Service, message)
                .with_code(ErrorCode::Network)
                .with_suggestion(format!("Check HTTPS_PROXY, and that the proxy allows {HOSTS}."))
        }
        HttpError::Network { .. } => CliError::new(ErrorKind::Service, message)
            .with_code(ErrorCode::Network)
            .with_suggestion(format!("Check the network, and that the firewall or proxy allows {HOSTS}.")),
        HttpError::Service(answer) => {
            let code = ErrorCode::of_answer(answer.code.clone(), answer.status);
            CliError::new(ErrorKind::Service, format!("the Hugging Face Hub returned an error: {message}"))
                .with_code(code)
                .with_suggestion("Try again later; https://status.huggingface.co reports outages.")
        }
        HttpError::BadAnswer { .. } => {
            CliError::new(ErrorKind::Service, message).with_code(ErrorCode::BadAnswer).with_suggestion(
                "Check HF_ENDPOINT and HTTPS_PROXY, and whether this network requires a sign-in in a browser.",
            )
        }
        HttpError::Redirect { .. } => {
            CliError::new(ErrorKind::Service, message).with_code(ErrorCode::Redirect).with_suggestion(STALE)
        }
        error => error.into(),
    }
}

/// Suggestion for a rejected token.
fn renew(origin: &TokenOrigin) -> String {
    match origin {
        TokenOrigin::Variable(name) => {
            format!("Set {name} to a valid token, or unset it. Tokens: https://huggingface.co/settings/tokens")
        }
        TokenOrigin::File(_) => "Sign in again with 'hf auth login'.".to_owned(),
    }
}

impl From<HubTokenError> for CliError {
    fn from(error: HubTokenError) -> Self {
        let name = match &error {
            HubTokenError::NoToken(origin) => origin.to_string(),
            HubTokenError::Unreadable { .. } => var::HF_TOKEN_PATH.to_owned(),
        };
        Self::usage(error.to_string())
            .with_code(ErrorCode::BadVariable)
            .with_suggestion(format!("Correct {name}, or unset it. 'hf auth login' stores a token in its own file."))
    }
}

impl From<HubEndpointError> for CliError {
    fn from(error: HubEndpointError) -> Self {
        Self::usage(format!("HF_ENDPOINT cannot be used: {error}"))
            .with_code(ErrorCode::BadVariable)
            .with_suggestion("Correct HF_ENDPOINT, for example https://huggingface.co, or unset it.")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use azure_ai_models_core::http::ServiceError;
    use azure_ai_models_core::hub::{HubSum, RepoId, SumMismatch};

    use super::*;

    fn repo() -> RepoId {
        "org/repo".parse().expect("a repository")
    }

    fn answer(status: u16) -> Box<ServiceError> {
        Box::new(ServiceError { status, request_id: Some("Root=1".into()), ..ServiceError::default() })
    }

    fn table() -> Vec<HubError> {
        let token = || Some(TokenOrigin::Variable("HF_TOKEN"));
        let (host, path) = (|| "huggingface.co".to_owned(), || "model.safetensors".to_owned());
        let sum = |digit: &str| HubSum::of_git(&digit.repeat(40)).expect("a sum");
        let network =
            |fault| HttpError::Network { host: "h:443".into(), fault, connecting: true, message: String::new() };
        vec![
            HubError::Offline,
            HubError::RepoNotFound { repo: repo(), host: host(), origin: None, answer: answer(401) },
            HubError::RepoNotFound { repo: repo(), host: host(), origin: token(), answer: answer(404) },
            HubError::BadToken { origin: TokenOrigin::Variable("HF_TOKEN"), answer: answer(401) },
            HubError::BadToken { origin: TokenOrigin::File("/home/me/token".into()), answer: answer(401) },
            HubError::Gated {
                repo: repo(),
                page: "https://huggingface.co/org/repo".into(),
                origin: None,
                answer: answer(401),
            },
            HubError::Gated {
                repo: repo(),
                page: "https://huggingface.co/org/repo".into(),
                origin: token(),
                answer: answer(403),
            },
            HubError::Disabled { repo: repo(), answer: Some(answer(403)) },
            HubError::Forbidden { repo: repo(), answer: answer(403) },
            HubError::RevisionNotFound {
                repo: repo(),
                revision: "v9".into(),
                page: "https://huggingface.co/org/repo".into(),
            },
            HubError::EntryNotFound { repo: repo(), path: "fp16".into(), near: vec!["fp8".into()] },
            HubError::EntryNotFound { repo: repo(), path: "x".into(), near: Vec::new() },
            HubError::NotAHub { host: host(), what: "the response for a file contains no commit" },
            HubError::Disagree { path: path(), what: "the size is 9 in one and 8 in another".into() },
            HubError::RateLimited { wait: Some(Duration::from_secs(900)), has_token: false },
            HubError::RateLimited { wait: None, has_token: true },
            HubError::Pages("continues on another host"),
            HubError::Redirect { host: host(), to: "http://h.example/x".into() },
            HubError::Refused { path: path(), host: "us.aws.cdn.hf.co".into(), answer: answer(403) },
            HubError::BadRange { path: path(), host: "us.aws.cdn.hf.co".into(), what: "the whole file (200)".into() },
            HubError::Mismatch { path: path(), sums: SumMismatch { expected: sum("a"), found: sum("b") } },
            HubError::Http(network(NetworkFault::Refused)),
            HubError::Http(network(NetworkFault::ProxyDown)),
            HubError::Http(HttpError::Service(answer(503))),
        ]
    }

    #[test]
    fn each_error_has_its_exit_code_and_message() {
        let rows: Vec<String> = table()
            .into_iter()
            .map(|error| {
                let error = CliError::from(error);
                let page = error.page();
                let code = ErrorKind::ALL.into_iter().find(|kind| kind.as_str() == page.kind).expect("a kind");
                let (number, suggestion) = (code.exit_code(), page.suggestion.unwrap_or_default());
                let status = page.status.map(|status| format!(" [{status}]")).unwrap_or_default();
                format!("{number} {}{status}: {}\n    {suggestion}", page.code, page.message)
            })
            .collect();
        insta::assert_snapshot!(rows.join("\n"));
    }
}
