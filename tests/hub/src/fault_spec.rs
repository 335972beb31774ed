//! Faults as one word of a command line: `ROUTE:KIND[=VALUE][,KEY=VALUE]...`. Pure.

use std::fmt;
use std::str::FromStr;

use crate::fault::{Fault, FaultKind, Route};

/// Defect of a text that is no valid fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultSpecError {
    /// There is no `ROUTE:` before the kind.
    NoRoute,
    /// The route has another name.
    UnknownRoute(String),
    /// The kind has another name, or lacks its value.
    UnknownKind(String),
    /// A key that this kind does not have, or without its value.
    UnknownKey(String),
    /// A value that should be a number.
    NotANumber(String),
}

impl fmt::Display for FaultSpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoute => f.write_str("expected ROUTE:KIND, for example cdn:status=503"),
            Self::UnknownRoute(route) => {
                write!(f, "unknown route '{route}'; known: any, revision, tree, resolve, file, cdn")
            }
            Self::UnknownKind(kind) => write!(
                f,
                "unknown kind '{kind}'; known: status=N, rateLimit=SECONDS, stall, hang, cut, ignoreRange, short, empty, \
                 otherRange, invalidRange, expired, flip, delay=MS, otherCommit, otherSize, otherSum, leave, loop, html"
            ),
            Self::UnknownKey(key) => write!(
                f,
                "unknown key '{key}'; known: count=N, skip=N, path=FILE, and for status: code=C, message=M, \
                 retryAfter=SECONDS"
            ),
            Self::NotANumber(value) => write!(f, "'{value}' is not a number"),
        }
    }
}

impl std::error::Error for FaultSpecError {}

impl FromStr for Fault {
    type Err = FaultSpecError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (route, rest) = text.split_once(':').ok_or(FaultSpecError::NoRoute)?;
        let mut parts = rest.split(',');
        let mut fault = Self::new(read_route(route)?, read_kind(parts.next().unwrap_or_default())?);
        for part in parts {
            set(&mut fault, part)?;
        }
        Ok(fault)
    }
}

fn read_route(name: &str) -> Result<Route, FaultSpecError> {
    Ok(match name {
        "any" => Route::Any,
        "revision" => Route::Revision,
        "tree" => Route::Tree,
        "resolve" => Route::Resolve,
        "file" => Route::File,
        "cdn" => Route::Cdn,
        _ => return Err(FaultSpecError::UnknownRoute(name.to_owned())),
    })
}

fn read_kind(text: &str) -> Result<FaultKind, FaultSpecError> {
    Ok(match text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value))) {
        ("status", Some(status)) => FaultKind::status(number(status)?),
        ("rateLimit", Some(seconds)) => FaultKind::RateLimit { reset: number(seconds)? },
        ("delay", Some(milliseconds)) => FaultKind::Delay(number(milliseconds)?),
        ("stall", None) => FaultKind::Stall,
        ("hang", None) => FaultKind::Hang,
        ("cut", None) => FaultKind::Cut,
        ("ignoreRange", None) => FaultKind::IgnoreRange,
        ("short", None) => FaultKind::Short,
        ("empty", None) => FaultKind::Empty,
        ("otherRange", None) => FaultKind::OtherRange,
        ("invalidRange", None) => FaultKind::InvalidRange,
        ("expired", None) => FaultKind::Expired,
        ("flip", None) => FaultKind::Flip,
        ("otherCommit", None) => FaultKind::OtherCommit,
        ("otherSize", None) => FaultKind::OtherSize,
        ("otherSum", None) => FaultKind::OtherSum,
        ("leave", None) => FaultKind::Leave,
        ("loop", None) => FaultKind::Loop,
        ("html", None) => FaultKind::Html,
        _ => return Err(FaultSpecError::UnknownKind(text.to_owned())),
    })
}

fn set(fault: &mut Fault, part: &str) -> Result<(), FaultSpecError> {
    let unknown = || FaultSpecError::UnknownKey(part.to_owned());
    let (key, value) = part.split_once('=').ok_or_else(unknown)?;
    match (key, &mut fault.kind) {
        ("count", _) => fault.count = Some(number(value)?),
        ("skip", _) => fault.skip = number(value)?,
        ("path", _) => fault.path = Some(value.to_owned()),
        ("code", FaultKind::Status { code, .. }) => *code = Some(value.to_owned()),
        ("message", FaultKind::Status { message, .. }) => *message = Some(value.to_owned()),
        ("retryAfter", FaultKind::Status { retry_after, .. }) => *retry_after = Some(number(value)?),
        _ => return Err(unknown()),
    }
    Ok(())
}

fn number<T: FromStr>(text: &str) -> Result<T, FaultSpecError> {
    text.parse().map_err(|_| FaultSpecError::NotANumber(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_equals_its_value() {
        let refusal = |status, code: &str, message: &str| FaultKind::Status {
            status,
            code: Some(code.to_owned()),
            message: Some(message.to_owned()),
            retry_after: Some(3),
        };
        for (text, fault) in [
            ("cdn:short,skip=1,count=2", Fault::new(Route::Cdn, FaultKind::Short).after(1).times(2)),
            ("resolve:otherSum,path=a/b.bin", Fault::new(Route::Resolve, FaultKind::OtherSum).of("a/b.bin")),
            ("tree:rateLimit=7", Fault::new(Route::Tree, FaultKind::RateLimit { reset: 7 })),
            (
                "revision:status=401,code=RepoNotFound,message=no,retryAfter=3",
                Fault::new(Route::Revision, refusal(401, "RepoNotFound", "no")),
            ),
        ] {
            assert_eq!(text.parse(), Ok(fault), "{text}");
        }
    }

    #[test]
    fn a_wrong_part_is_named() {
        for (text, error) in [
            ("cut", FaultSpecError::NoRoute),
            ("trees:cut", FaultSpecError::UnknownRoute("trees".to_owned())),
            ("tree:explode", FaultSpecError::UnknownKind("explode".to_owned())),
            ("cdn:status=soon", FaultSpecError::NotANumber("soon".to_owned())),
            ("cdn:cut,code=X", FaultSpecError::UnknownKey("code=X".to_owned())),
        ] {
            assert_eq!(text.parse::<Fault>(), Err(error), "{text}");
        }
    }
}
