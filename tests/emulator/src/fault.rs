//! Faults: the kind, the route, and the number of requests. `sabotage` injects them.

#[path = "../../support/due_fault.rs"]
mod due_fault;

use due_fault::due;
use serde::{Deserialize, Serialize};

/// Operation that a fault affects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Route {
    /// Any request to the project, including one without a matching route.
    Any,
    /// `GET /models`.
    List,
    /// `GET /models/NAME/versions`.
    Versions,
    /// `GET /models/NAME/versions/VERSION`.
    Get,
    /// `POST .../startPendingUpload`.
    StartPendingUpload,
    /// `POST .../createAsync`.
    CreateAsync,
    /// `GET .../createAsync/operations/ID`.
    Poll,
    /// `PUT .../versions/VERSION`.
    Put,
    /// `PATCH .../versions/VERSION`.
    Patch,
    /// `DELETE .../versions/VERSION`.
    Delete,
    /// `POST .../credentials`.
    Credentials,
    /// `GET /deployments` and `GET /deployments/NAME` of the project.
    Deployments,
    /// `POST /openai/v1/chat/completions`.
    Chat,
    /// Any request to Azure Resource Manager, including the routes below.
    Arm,
    /// Accounts and projects of Azure Resource Manager.
    ArmAccounts,
    /// `GET .../deployments`.
    ArmDeployments,
    /// `GET .../deployments/NAME`.
    ArmGet,
    /// `PUT .../deployments/NAME`.
    ArmPut,
    /// `PATCH .../deployments/NAME`.
    ArmPatch,
    /// `DELETE .../deployments/NAME`.
    ArmDelete,
    /// `GET .../deployments/NAME/skus`.
    ArmSkus,
    /// Models of the account or of a region.
    ArmModels,
    /// `GET .../raiPolicies`.
    ArmFilters,
    /// `GET .../usages`.
    ArmUsages,
    /// `GET .../modelCapacities`.
    ArmCapacities,
    /// The URLs of `Azure-AsyncOperation` and `Location`.
    ArmOperation,
    /// State of a feature of the subscription.
    ArmFeature,
}

impl Route {
    /// True if a fault for this route affects a request to the other.
    fn covers(self, request: Option<Self>) -> bool {
        match self {
            Self::Any => true,
            Self::Arm => request.is_some_and(Self::is_arm),
            _ => request == Some(self),
        }
    }

    fn is_arm(self) -> bool {
        matches!(
            self,
            Self::Arm
                | Self::ArmAccounts
                | Self::ArmDeployments
                | Self::ArmGet
                | Self::ArmPut
                | Self::ArmPatch
                | Self::ArmDelete
                | Self::ArmSkus
                | Self::ArmModels
                | Self::ArmFilters
                | Self::ArmUsages
                | Self::ArmCapacities
                | Self::ArmOperation
                | Self::ArmFeature
        )
    }
}

/// Fault that affects some requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Affected route.
    pub route: Route,
    /// Number of requests that pass first.
    #[serde(default)]
    pub skip: u32,
    /// Number of affected requests; `None`: all that follow.
    #[serde(default)]
    pub count: Option<u32>,
    /// The request is processed first and only its response is lost: the ambiguous failure.
    #[serde(default)]
    pub processed: bool,
    /// Kind of the fault.
    pub kind: FaultKind,
}

impl Fault {
    /// Creates a fault that affects each request to a route.
    #[must_use]
    pub fn new(route: Route, kind: FaultKind) -> Self {
        Self { route, skip: 0, count: None, processed: false, kind }
    }

    /// Affects only this number of requests.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.count = Some(count);
        self
    }

    /// Lets this number of requests pass first.
    #[must_use]
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// Processes the request, but breaks its response.
    #[must_use]
    pub fn processed(mut self) -> Self {
        self.processed = true;
        self
    }
}

/// Kind of a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum FaultKind {
    /// An error response in the form of the service.
    Status {
        /// The HTTP status.
        status: u16,
        /// The error's code; default `InjectedFault`.
        #[serde(default)]
        code: Option<String>,
        /// The error's message; default: the recorded message of the service for this code, if known.
        #[serde(default)]
        message: Option<String>,
        /// The `Retry-After` header.
        #[serde(default)]
        retry_after: Option<RetryAfter>,
    },
    /// The request is accepted but never gets a response.
    Stall,
    /// The TCP connection is reset without a response.
    Reset,
    /// `Content-Length` declares the whole response, but the connection ends after half of it.
    Truncated,
    /// An HTML page of a gateway instead of JSON.
    Html {
        /// The HTTP status.
        status: u16,
    },
    /// 200 with a body that begins like JSON.
    JunkJson,
    /// 200 with no body.
    EmptyBody,
    /// The correct response, delayed.
    Delay {
        /// Delay.
        milliseconds: u64,
    },
    /// 200 with valid JSON of this size.
    HugeBody {
        /// Approximate size.
        bytes: usize,
    },
    /// 307 to another URL.
    Redirect {
        /// The `Location` header.
        to: String,
    },
}

impl FaultKind {
    /// Error response with a default code.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status { status, code: None, message: None, retry_after: None }
    }

    /// Error response with this code and message.
    #[must_use]
    pub fn refusal(status: u16, code: &str, message: &str) -> Self {
        Self::Status { status, code: Some(code.to_owned()), message: Some(message.to_owned()), retry_after: None }
    }

    /// Error response with `Retry-After`.
    #[must_use]
    pub fn retry_later(status: u16, retry_after: RetryAfter) -> Self {
        Self::Status { status, code: None, message: None, retry_after: Some(retry_after) }
    }
}

/// The two forms of a `Retry-After` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RetryAfter {
    /// Seconds, as a number.
    Seconds(u64),
    /// This number of seconds from now, as an HTTP date.
    DateInSeconds(i64),
}

/// Armed faults, in order.
#[derive(Debug, Default)]
pub(crate) struct Armed(Vec<Fault>);

impl Armed {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        Self(faults)
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn list(&self) -> &[Fault] {
        &self.0
    }

    /// Fault that applies to this request.
    pub(crate) fn strike(&mut self, route: Option<Route>) -> Option<Fault> {
        due(&mut self.0, |fault| fault.route.covers(route)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_skips_then_applies_then_expires() {
        let mut armed = Armed::new(vec![Fault::new(Route::List, FaultKind::Stall).after(1).times(2)]);
        let struck: Vec<bool> = (0..5).map(|_| armed.strike(Some(Route::List)).is_some()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
    }

    #[test]
    fn any_matches_every_route_and_others_only_their_own() {
        let mut armed = Armed::new(vec![
            Fault::new(Route::Poll, FaultKind::Stall),
            Fault::new(Route::Any, FaultKind::Reset).times(2),
        ]);
        assert_eq!(armed.strike(Some(Route::Poll)).map(|fault| fault.kind), Some(FaultKind::Stall));
        assert_eq!(armed.strike(Some(Route::Get)).map(|fault| fault.kind), Some(FaultKind::Reset));
        assert_eq!(armed.strike(None).map(|fault| fault.kind), Some(FaultKind::Reset));
        assert_eq!(armed.strike(Some(Route::Get)), None);
    }

    #[test]
    fn a_control_plane_fault_applies_to_each_of_its_routes() {
        let mut armed = Armed::new(vec![Fault::new(Route::Arm, FaultKind::Stall)]);
        assert!(armed.strike(Some(Route::ArmPut)).is_some() && armed.strike(Some(Route::ArmFeature)).is_some());
        assert!(armed.strike(Some(Route::Chat)).is_none() && armed.strike(None).is_none());
    }
}
