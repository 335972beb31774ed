//! Names of this stand-in for the parts of a fault on the command line.

#[path = "../../support/fault_spec.rs"]
mod text;

use crate::fault::{Fault, FaultKind, RetryAfter, Route};

pub use self::text::FaultSpecError;
use self::text::{number, split};

const EXAMPLE: &str = "list:status=503";

const ROUTES: &str = "any, list, versions, get, startPendingUpload, createAsync, poll, put, patch, delete, credentials, \
                      deployments, chat, arm, armAccounts, armDeployments, armGet, armPut, armPatch, armDelete, armSkus, \
                      armModels, armFilters, armUsages, armCapacities, armOperation, armFeature";

const KINDS: &str =
    "status=N, stall, reset, truncated, html=N, junkJson, emptyBody, delay=MS, hugeBody=BYTES, redirect=URL";

const KEYS: &str = "count=N, skip=N, processed, and for status: code=C, message=M, retryAfter=SECONDS, \
                    retryAfterDate=SECONDS";

fn read_route(name: &str) -> Result<Route, FaultSpecError> {
    let value = serde_json::Value::String(name.to_owned());
    serde_json::from_value(value).map_err(|_| FaultSpecError::UnknownRoute(name.to_owned()))
}

fn read_kind(text: &str) -> Result<FaultKind, FaultSpecError> {
    let (name, value) = split(text);
    Ok(match (name, value) {
        ("status", Some(status)) => FaultKind::status(number(status)?),
        ("stall", None) => FaultKind::Stall,
        ("reset", None) => FaultKind::Reset,
        ("truncated", None) => FaultKind::Truncated,
        ("html", Some(status)) => FaultKind::Html { status: number(status)? },
        ("junkJson", None) => FaultKind::JunkJson,
        ("emptyBody", None) => FaultKind::EmptyBody,
        ("delay", Some(milliseconds)) => FaultKind::Delay { milliseconds: number(milliseconds)? },
        ("hugeBody", Some(bytes)) => FaultKind::HugeBody { bytes: number(bytes)? },
        ("redirect", Some(to)) => FaultKind::Redirect { to: to.to_owned() },
        _ => return Err(FaultSpecError::UnknownKind(text.to_owned())),
    })
}

fn set(fault: &mut Fault, part: &str) -> Result<(), FaultSpecError> {
    let (key, value) = split(part);
    match (key, value, &mut fault.kind) {
        ("count", Some(count), _) => fault.count = Some(number(count)?),
        ("skip", Some(skip), _) => fault.skip = number(skip)?,
        ("processed", None, _) => fault.processed = true,
        ("code", Some(value), FaultKind::Status { code, .. }) => *code = Some(value.to_owned()),
        ("message", Some(value), FaultKind::Status { message, .. }) => *message = Some(value.to_owned()),
        ("retryAfter", Some(value), FaultKind::Status { retry_after, .. }) => {
            *retry_after = Some(RetryAfter::Seconds(number(value)?));
        }
        ("retryAfterDate", Some(value), FaultKind::Status { retry_after, .. }) => {
            *retry_after = Some(RetryAfter::DateInSeconds(number(value)?));
        }
        _ => return Err(FaultSpecError::UnknownKey(part.to_owned())),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_specification_is_parsed() {
        let table = [
            ("list:status=503", Fault::new(Route::List, FaultKind::status(503))),
            ("any:reset,skip=1,count=2", Fault::new(Route::Any, FaultKind::Reset).after(1).times(2)),
            ("createAsync:stall,processed", Fault::new(Route::CreateAsync, FaultKind::Stall).processed()),
            ("armPut:status=409", Fault::new(Route::ArmPut, FaultKind::status(409))),
            ("poll:delay=20", Fault::new(Route::Poll, FaultKind::Delay { milliseconds: 20 })),
            ("get:redirect=http://h/?a=b", Fault::new(Route::Get, FaultKind::Redirect { to: "http://h/?a=b".into() })),
            (
                "startPendingUpload:status=403,code=Forbidden,message=no role",
                Fault::new(Route::StartPendingUpload, FaultKind::refusal(403, "Forbidden", "no role")),
            ),
            (
                "list:status=429,retryAfterDate=3",
                Fault::new(Route::List, FaultKind::retry_later(429, RetryAfter::DateInSeconds(3))),
            ),
        ];
        for (text, fault) in table {
            assert_eq!(text.parse(), Ok(fault), "{text}");
        }
    }

    #[test]
    fn the_error_names_the_invalid_part() {
        let table = [
            ("reset", FaultSpecError::NoRoute),
            ("lists:reset", FaultSpecError::UnknownRoute("lists".to_owned())),
            ("list:explode", FaultSpecError::UnknownKind("explode".to_owned())),
            ("list:status", FaultSpecError::UnknownKind("status".to_owned())),
            ("list:status=soon", FaultSpecError::NotANumber("soon".to_owned())),
            ("list:reset,code=X", FaultSpecError::UnknownKey("code=X".to_owned())),
        ];
        for (text, error) in table {
            assert_eq!(text.parse::<Fault>(), Err(error), "{text}");
        }
    }
}
