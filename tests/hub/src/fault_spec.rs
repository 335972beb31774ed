//! Names of this stand-in for the parts of a fault on the command line.

#[path = "../../support/fault_spec.rs"]
mod text;

use crate::fault::{Fault, FaultKind, Route};

pub use self::text::FaultSpecError;
use self::text::{number, split};

const EXAMPLE: &str = "cdn:status=503";

const ROUTES: &str = "any, revision, tree, resolve, file, cdn";

const KINDS: &str = "status=N, rateLimit=SECONDS, stall, hang, cut, ignoreRange, short, empty, otherRange, invalidRange, \
                     expired, flip, delay=MS, otherCommit, otherSize, otherSum, leave, loop, html";

const KEYS: &str = "count=N, skip=N, path=FILE, and for status: code=C, message=M, retryAfter=SECONDS";

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
    Ok(match split(text) {
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
    let (key, value) = split(part);
    match (key, value, &mut fault.kind) {
        ("count", Some(count), _) => fault.count = Some(number(count)?),
        ("skip", Some(skip), _) => fault.skip = number(skip)?,
        ("path", Some(path), _) => fault.path = Some(path.to_owned()),
        ("code", Some(value), FaultKind::Status { code, .. }) => *code = Some(value.to_owned()),
        ("message", Some(value), FaultKind::Status { message, .. }) => *message = Some(value.to_owned()),
        ("retryAfter", Some(value), FaultKind::Status { retry_after, .. }) => *retry_after = Some(number(value)?),
        _ => return Err(FaultSpecError::UnknownKey(part.to_owned())),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_specification_is_parsed() {
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
    fn the_error_names_the_invalid_part() {
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
