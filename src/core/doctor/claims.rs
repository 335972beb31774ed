//! Claims of a JSON Web Token, read without verifying: the service does that. Pure.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use time::OffsetDateTime;

/// Claims of a token, without the token itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Tenant that issued it (`tid`).
    pub tenant: Option<String>,
    /// Service that it is issued for (`aud`).
    pub audience: Option<String>,
    /// Expiry (`exp`).
    pub expires_at: Option<OffsetDateTime>,
    /// Name of the user, otherwise id of the application.
    pub account: Option<String>,
    /// Id of the user or application in its tenant (`oid`).
    pub object_id: Option<String>,
}

impl Claims {
    /// Parses a token; `None` if it is not a JSON Web Token.
    pub(super) fn read(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let claims: Value = serde_json::from_slice(&bytes).ok()?;
        let text = |name: &str| claims[name].as_str().map(str::to_owned);
        let names = ["upn", "preferred_username", "unique_name", "appid", "azp"];
        Some(Self {
            tenant: text("tid"),
            audience: text("aud"),
            expires_at: claims["exp"].as_i64().and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok()),
            account: names.into_iter().find_map(text),
            object_id: text("oid"),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(claims: &Value) -> Option<Claims> {
        Claims::read(&format!("e30.{}.signature", URL_SAFE_NO_PAD.encode(claims.to_string())))
    }

    #[test]
    fn the_account_is_the_most_readable_name_in_the_token() {
        for (claims, name) in [
            (json!({"upn": "a@b", "preferred_username": "c@d", "appid": "e"}), Some("a@b")),
            (json!({"preferred_username": "c@d", "appid": "e"}), Some("c@d")),
            (json!({"unique_name": "live.com#a@b"}), Some("live.com#a@b")),
            (json!({"appid": "e"}), Some("e")),
            (json!({"azp": "e"}), Some("e")),
            (json!({"upn": 1}), None),
            (json!({}), None),
            (json!([]), None),
        ] {
            assert_eq!(read(&claims).expect("claims").account.as_deref(), name, "{claims}");
        }
        let end = read(&json!({"exp": 0, "tid": "t", "aud": "a", "oid": "o"})).expect("claims");
        assert_eq!(end.expires_at, Some(OffsetDateTime::UNIX_EPOCH));
        assert_eq!(
            (end.tenant.as_deref(), end.audience.as_deref(), end.object_id.as_deref()),
            (Some("t"), Some("a"), Some("o"))
        );
        assert_eq!(read(&json!({"exp": i64::MAX})).expect("claims").expires_at, None);
    }

    #[test]
    fn a_string_that_is_not_a_jwt_has_no_claims() {
        for token in ["", "emulator", "a.b", "a.b.c", "e30.!.x", "..", "e30.e30"] {
            assert_eq!(Claims::read(token), None, "{token:?}");
        }
    }
}
