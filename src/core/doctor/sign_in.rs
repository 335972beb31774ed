//! A token for the project: its owner, its service and its lifetime. No part of it is ever shown.

use time::OffsetDateTime;
use time::macros::format_description;
use url::Url;

use super::{Check, CheckId, Claims};
use crate::credential::{CredentialError, CredentialMethod, TokenSource};
use crate::redact::clean;

/// Result of a token source.
#[derive(Debug)]
pub struct SignIn {
    method: CredentialMethod,
    scope: String,
    /// Requested tenant.
    tenant: Option<String>,
    /// Claims of the token, if they can be read.
    token: Result<Option<Claims>, CredentialError>,
    now: OffsetDateTime,
}

impl SignIn {
    /// Requests a token.
    pub async fn observe(tokens: &TokenSource, tenant: Option<&str>) -> Self {
        let token = tokens.token().await.map(|token| Claims::read(token.expose()));
        Self {
            method: tokens.method(),
            scope: tokens.scope().to_owned(),
            tenant: tenant.map(str::to_owned),
            token,
            now: OffsetDateTime::now_utc(),
        }
    }

    /// Source of the token.
    #[must_use]
    pub fn method(&self) -> CredentialMethod {
        self.method
    }

    /// Claims of the token.
    #[must_use]
    pub fn claims(&self) -> Option<&Claims> {
        self.token.as_ref().ok()?.as_ref()
    }
}

/// Verdict on a token, or on the failure to get one.
#[must_use]
pub fn sign_in(observed: &Result<SignIn, CredentialError>) -> Check {
    let id = CheckId::SignIn;
    let given = match observed {
        Err(error) => return refused(error, None),
        Ok(SignIn { token: Err(error), tenant, .. }) => return refused(error, tenant.as_deref()),
        Ok(given) => given,
    };
    let SignIn { method, scope, now, .. } = given;
    let Some(claims) = given.claims() else {
        let what = if *method == CredentialMethod::Emulator {
            "uses its fixed token"
        } else {
            "returned a token without claims"
        };
        return Check::ok(id, format!("{method} {what}"));
    };
    let login = login(*method, given.tenant.as_deref());
    let account = claims.account.as_deref().map(clean).unwrap_or_else(|| "an account without a name".to_owned());
    if let Some(expired) = claims.expires_at.filter(|end| end <= now) {
        let message = format!("the token of {account} ended {}, by this machine's clock", moment(expired));
        return Check::failed(id, message, login);
    }
    if let (Some(wanted), Some(has)) = (&given.tenant, &claims.tenant)
        && !wanted.eq_ignore_ascii_case(has)
    {
        let message = format!("the token of {account} is of tenant {}, not of AZURE_TENANT_ID {wanted}", clean(has));
        return Check::failed(id, message, login);
    }
    let tenant = claims.tenant.as_deref().map(|tenant| format!(", tenant {}", clean(tenant))).unwrap_or_default();
    let audience = claims.audience.as_deref().map(|aud| format!(", for {}", clean(aud))).unwrap_or_default();
    let end = claims.expires_at.map(|end| format!(", until {}", moment(end))).unwrap_or_default();
    let message = format!("{method}: {account}{tenant}{audience}{end}");
    match claims.audience.as_deref() {
        Some(audience) if !is_for(audience, scope) => {
            Check::warning(id, format!("{message}; {scope} was asked for"), login)
        }
        _ => Check::ok(id, message),
    }
}

/// True for a token of this scope. An audience that is an id cannot be compared.
fn is_for(audience: &str, scope: &str) -> bool {
    let host = |text: &str| Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned));
    host(audience).is_none_or(|audience| Some(audience) == host(scope))
}

fn refused(error: &CredentialError, tenant: Option<&str>) -> Check {
    let fix = match error {
        CredentialError::NotSignedIn { how, .. } => login(*how, tenant),
        CredentialError::ProgramMissing { program: "azd", .. } => super::tools::install_azd().to_owned(),
        error => error.suggestion().replace('\n', " "),
    };
    Check::failed(CheckId::SignIn, error.to_string(), fix)
}

/// Command that signs in, to a specific tenant if it is known.
pub(super) fn login(method: CredentialMethod, tenant: Option<&str>) -> String {
    let (command, option) = match method {
        CredentialMethod::AzCli => ("az login", "--tenant"),
        CredentialMethod::Azd | CredentialMethod::Emulator => ("azd auth login", "--tenant-id"),
        CredentialMethod::Env | CredentialMethod::Managed | CredentialMethod::Workload => {
            return format!("Check {method}.");
        }
    };
    tenant.map_or_else(|| command.to_owned(), |tenant| format!("{command} {option} {tenant}"))
}

fn moment(at: OffsetDateTime) -> String {
    let form = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    at.format(&form).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    fn given(tenant: Option<&str>, claims: Claims) -> Result<SignIn, CredentialError> {
        Ok(SignIn {
            method: CredentialMethod::AzCli,
            scope: "https://ai.azure.com/.default".to_owned(),
            tenant: tenant.map(str::to_owned),
            token: Ok(Some(claims)),
            now: OffsetDateTime::UNIX_EPOCH,
        })
    }

    #[test]
    fn a_tenant_is_compared_without_case() {
        let of = |tenant: &str| Claims { tenant: Some(tenant.to_owned()), ..Claims::default() };
        assert_eq!(sign_in(&given(Some("AA-BB"), of("aa-bb"))).status, Status::Ok);
        let check = sign_in(&given(Some("aa-cc"), of("aa-bb")));
        assert!(check.is_failed() && check.fix == Some("az login --tenant aa-cc".into()), "{check:?}");
    }

    #[test]
    fn a_token_ends_at_its_time() {
        let until = |end: i64| Claims {
            expires_at: Some(OffsetDateTime::from_unix_timestamp(end).expect("a time")),
            ..Claims::default()
        };
        assert_eq!(sign_in(&given(None, until(1))).status, Status::Ok);
        for end in [0, -1] {
            assert!(sign_in(&given(None, until(end))).is_failed(), "{end}");
        }
    }
}
