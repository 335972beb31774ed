//! Faults: the kind, the route, and the number of requests.

#[path = "../../support/due_fault.rs"]
mod due_fault;

use due_fault::due;

/// Operation that a fault affects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Any request to either origin.
    Any,
    /// `GET /api/models/ID/revision/REV`.
    Revision,
    /// `GET /api/models/ID/tree/SHA`.
    Tree,
    /// `GET` or `HEAD /ID/resolve/SHA/PATH` of a large file: the redirect.
    Resolve,
    /// Resolution and content of a small file.
    File,
    /// A signed URL.
    Cdn,
}

/// Fault that affects some requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Affected route.
    pub route: Route,
    /// Only requests for this file.
    pub path: Option<String>,
    /// Only requests for a range that begins at this byte.
    pub from: Option<u64>,
    /// Number of requests that pass first.
    pub skip: u32,
    /// Number of affected requests; `None`: all that follow.
    pub count: Option<u32>,
    /// Kind of the fault.
    pub kind: FaultKind,
}

/// Kind of a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// An error response.
    Status {
        /// HTTP status.
        status: u16,
        /// `X-Error-Code`.
        code: Option<String>,
        /// `X-Error-Message`.
        message: Option<String>,
        /// `Retry-After` in seconds.
        retry_after: Option<u64>,
    },
    /// 429 with `RateLimit` of a bucket without requests left.
    RateLimit {
        /// Seconds until the window ends.
        reset: u64,
    },
    /// The request is accepted but never gets a response.
    Stall,
    /// Half of the content is sent, then nothing.
    Hang,
    /// Half of the content is sent, then the connection breaks.
    Cut,
    /// 200 with the whole file, regardless of the requested range.
    IgnoreRange,
    /// 206 with the right `Content-Range`, and half of its bytes.
    Short,
    /// 206 with no bytes.
    Empty,
    /// 206 with a range other than the requested one.
    OtherRange,
    /// 403 `Auth failed: invalid range`.
    InvalidRange,
    /// 403, as for an expired signed URL.
    Expired,
    /// One byte of the content is changed.
    Flip,
    /// Correct response, delayed by this number of milliseconds.
    Delay(u64),
    /// `X-Repo-Commit` names another commit.
    OtherCommit,
    /// `X-Linked-Size` or the tree's size differs by one.
    OtherSize,
    /// `X-Linked-Etag` is of other content.
    OtherSum,
    /// A redirect to another host, which is not a CDN.
    Leave,
    /// The next page is the page itself.
    Loop,
    /// 200 with an HTML page of a gateway instead of JSON.
    Html,
}

impl Fault {
    /// Creates a fault that affects each request to a route.
    #[must_use]
    pub fn new(route: Route, kind: FaultKind) -> Self {
        Self { route, path: None, from: None, skip: 0, count: None, kind }
    }

    /// Affects only this number of requests.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self { count: Some(count), ..self }
    }

    /// Lets this number of requests pass first.
    #[must_use]
    pub fn after(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    /// Affects only requests for a range that begins at this byte.
    #[must_use]
    pub fn from(self, byte: u64) -> Self {
        Self { from: Some(byte), ..self }
    }

    /// Affects only requests for this file.
    #[must_use]
    pub fn of(self, path: &str) -> Self {
        Self { path: Some(path.to_owned()), ..self }
    }
}

impl FaultKind {
    /// Error response without code and message.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status { status, code: None, message: None, retry_after: None }
    }
}

/// Armed faults, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Armed(Vec<Fault>);

impl Armed {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        Self(faults)
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Fault that applies to this request.
    pub(crate) fn strike(&mut self, route: Route, path: Option<&str>, from: Option<u64>) -> Option<FaultKind> {
        let fault = due(&mut self.0, |fault| {
            (fault.route == Route::Any || fault.route == route)
                && fault.path.as_deref().is_none_or(|wanted| path == Some(wanted))
                && fault.from.is_none_or(|wanted| from == Some(wanted))
        });
        fault.map(|fault| fault.kind.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_skips_then_applies_to_its_file_then_expires() {
        let fault = Fault::new(Route::Cdn, FaultKind::Empty).after(1).times(2).of("a");
        let mut armed = Armed::new(vec![fault]);
        assert_eq!(armed.strike(Route::Cdn, Some("b"), None), None);
        let struck: Vec<bool> = (0..5).map(|_| armed.strike(Route::Cdn, Some("a"), None).is_some()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        armed.add(Fault::new(Route::Cdn, FaultKind::Empty).from(0));
        let struck = [None, Some(5), Some(0)].map(|from| armed.strike(Route::Cdn, Some("a"), from).is_some());
        assert_eq!(struck, [false, false, true]);
    }
}
