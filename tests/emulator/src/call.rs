//! Operation of a method and a path. Pure; paths are read raw and each segment is decoded separately, so that a name
//! may contain any character, even an encoded `/`.

use axum::http::Method;

use crate::arm_call::ArmCall;
use crate::fault::Route;

/// Chat completions on the account's host.
const CHAT: &str = "/openai/v1/chat/completions";

/// Model version in a request path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// An operation of the data plane, or of Azure Resource Manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Call {
    List,
    Versions {
        name: String,
    },
    Get(Target),
    Put(Target),
    Patch(Target),
    Delete(Target),
    StartPendingUpload(Target),
    CreateAsync(Target),
    Poll {
        id: String,
    },
    Credentials(Target),
    /// Deployments of the account, as the project shows them.
    Deployments,
    Deployment {
        name: String,
    },
    Chat {
        in_project: bool,
    },
    Arm(ArmCall),
}

/// Reason why a request matches no operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoCall {
    /// The path does not belong to a project.
    UnknownRoute,
    /// A project that does not exist.
    UnknownProject(String),
    /// The path exists, but does not support the method.
    WrongMethod,
    /// A segment is not percent-encoded UTF-8.
    BadEncoding,
}

impl Call {
    /// Reads an operation of `project` from a request line.
    pub(crate) fn parse(project: &str, method: &Method, raw_path: &str) -> Result<Self, NoCall> {
        if raw_path.starts_with("/subscriptions") || raw_path.starts_with("/tenants") {
            return ArmCall::parse(method, raw_path).map(Self::Arm);
        }
        if raw_path == CHAT {
            return only(method, &Method::POST, Self::Chat { in_project: false });
        }
        let segments: Vec<String> = raw_path
            .strip_prefix("/api/projects/")
            .ok_or(NoCall::UnknownRoute)?
            .split('/')
            .map(decode)
            .collect::<Option<_>>()
            .ok_or(NoCall::BadEncoding)?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (requested, rest) = segments.split_first().ok_or(NoCall::UnknownRoute)?;
        if *requested != project {
            return Err(NoCall::UnknownProject((*requested).to_owned()));
        }
        if rest.contains(&"") {
            return Err(NoCall::UnknownRoute);
        }
        match *rest {
            ["deployments"] => only(method, &Method::GET, Self::Deployments),
            ["deployments", name] => only(method, &Method::GET, Self::Deployment { name: name.to_owned() }),
            ["openai", "v1", "chat", "completions"] => only(method, &Method::POST, Self::Chat { in_project: true }),
            ["models"] => only(method, &Method::GET, Self::List),
            ["models", name, "versions"] => only(method, &Method::GET, Self::Versions { name: name.to_owned() }),
            ["models", name, "versions", version] => {
                let target = Target { name: name.to_owned(), version: version.to_owned() };
                match *method {
                    Method::GET => Ok(Self::Get(target)),
                    Method::PUT => Ok(Self::Put(target)),
                    Method::PATCH => Ok(Self::Patch(target)),
                    Method::DELETE => Ok(Self::Delete(target)),
                    _ => Err(NoCall::WrongMethod),
                }
            }
            ["models", name, "versions", version, action] => {
                let target = Target { name: name.to_owned(), version: version.to_owned() };
                let call = match action {
                    "startPendingUpload" => Self::StartPendingUpload(target),
                    "createAsync" => Self::CreateAsync(target),
                    "credentials" => Self::Credentials(target),
                    _ => return Err(NoCall::UnknownRoute),
                };
                only(method, &Method::POST, call)
            }
            ["models", _, "versions", _, "createAsync", "operations", id] => {
                only(method, &Method::GET, Self::Poll { id: id.to_owned() })
            }
            _ => Err(NoCall::UnknownRoute),
        }
    }

    /// Route name that faults use for this operation.
    pub(crate) fn route(&self) -> Route {
        match self {
            Self::List => Route::List,
            Self::Versions { .. } => Route::Versions,
            Self::Get(_) => Route::Get,
            Self::Put(_) => Route::Put,
            Self::Patch(_) => Route::Patch,
            Self::Delete(_) => Route::Delete,
            Self::StartPendingUpload(_) => Route::StartPendingUpload,
            Self::CreateAsync(_) => Route::CreateAsync,
            Self::Poll { .. } => Route::Poll,
            Self::Credentials(_) => Route::Credentials,
            Self::Deployments | Self::Deployment { .. } => Route::Deployments,
            Self::Chat { .. } => Route::Chat,
            Self::Arm(call) => call.route(),
        }
    }
}

fn only(method: &Method, allowed: &Method, call: Call) -> Result<Call, NoCall> {
    if method == allowed { Ok(call) } else { Err(NoCall::WrongMethod) }
}

pub(crate) fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str, version: &str) -> Target {
        Target { name: name.to_owned(), version: version.to_owned() }
    }

    #[test]
    fn every_route_is_found() {
        let version = "/api/projects/demo/models/m/versions/1";
        let t = || target("m", "1");
        let table = [
            (Method::GET, "/api/projects/demo/models".to_owned(), Call::List),
            (Method::GET, "/api/projects/demo/models/m/versions".to_owned(), Call::Versions { name: "m".to_owned() }),
            (Method::GET, version.to_owned(), Call::Get(t())),
            (Method::PUT, version.to_owned(), Call::Put(t())),
            (Method::PATCH, version.to_owned(), Call::Patch(t())),
            (Method::DELETE, version.to_owned(), Call::Delete(t())),
            (Method::POST, format!("{version}/startPendingUpload"), Call::StartPendingUpload(t())),
            (Method::POST, format!("{version}/createAsync"), Call::CreateAsync(t())),
            (Method::GET, format!("{version}/createAsync/operations/7"), Call::Poll { id: "7".to_owned() }),
            (Method::POST, format!("{version}/credentials"), Call::Credentials(t())),
            (Method::GET, "/api/projects/demo/deployments".to_owned(), Call::Deployments),
            (Method::GET, "/api/projects/demo/deployments/d".to_owned(), Call::Deployment { name: "d".to_owned() }),
            (Method::POST, CHAT.to_owned(), Call::Chat { in_project: false }),
            (Method::POST, format!("/api/projects/demo{CHAT}"), Call::Chat { in_project: true }),
        ];
        for (method, path, call) in table {
            assert_eq!(Call::parse("demo", &method, &path), Ok(call), "{method} {path}");
        }
    }

    #[test]
    fn names_are_decoded_segment_by_segment() {
        let path = "/api/projects/demo/models/a%2Fb%20%C3%A9/versions/1.0%2B2";
        assert_eq!(Call::parse("demo", &Method::GET, path), Ok(Call::Get(target("a/b é", "1.0+2"))));
    }

    #[test]
    fn an_unknown_operation_has_a_reason() {
        let table = [
            (Method::GET, "/models", NoCall::UnknownRoute),
            (Method::GET, "/api/projects/demo", NoCall::UnknownRoute),
            (Method::GET, "/api/projects/demo/models/", NoCall::UnknownRoute),
            (Method::GET, "/api/projects/demo/models/m", NoCall::UnknownRoute),
            (Method::POST, "/api/projects/demo/models/m/versions/1/bake", NoCall::UnknownRoute),
            (Method::GET, "/api/projects/other/models", NoCall::UnknownProject("other".to_owned())),
            (Method::POST, "/api/projects/demo/models", NoCall::WrongMethod),
            (Method::GET, "/api/projects/demo/models/m/versions/1/createAsync", NoCall::WrongMethod),
            (Method::GET, "/api/projects/demo/models/%zz/versions", NoCall::BadEncoding),
            (Method::GET, "/api/projects/demo/models/%+1/versions", NoCall::BadEncoding),
            (Method::GET, "/api/projects/demo/models/%ff/versions", NoCall::BadEncoding),
            (Method::GET, "/api/projects/demo/models/%/versions", NoCall::BadEncoding),
        ];
        for (method, path, reason) in table {
            assert_eq!(Call::parse("demo", &method, path), Err(reason), "{method} {path}");
        }
    }
}
