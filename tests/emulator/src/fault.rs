//! Faults: the kind, the route, and the number of requests. `sabotage` carries them out.

#[path = "../../support/due_fault.rs"]
mod due_fault;

use due_fault::due;
use serde::{Deserialize, Serialize};

/// An operation, as faults name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Route {
    /// Each request to the project, also one that no route answers.
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
    /// Anything of Azure Resource Manager, also what the routes below name.
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
    /// True if a fault of this route concerns a request of the other.
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

/// Something that goes wrong for some requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Which requests.
    pub route: Route,
    /// How many of them pass unharmed before.
    #[serde(default)]
    pub skip: u32,
    /// How many are harmed; `None`: all that follow.
    #[serde(default)]
    pub count: Option<u32>,
    /// The request is carried out first and only its answer is lost: the ambiguous failure.
    #[serde(default)]
    pub processed: bool,
    /// Kind of the fault.
    pub kind: FaultKind,
}

impl Fault {
    /// A fault for each request of a route.
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

    /// Carries the request out, and spoils the answer.
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
    /// A refusal with the service's error body.
    Status {
        /// The HTTP status.
        status: u16,
        /// The error's code; default `InjectedFault`.
        #[serde(default)]
        code: Option<String>,
        /// The error's message; default: what the service was seen to say with this code, where that is known.
        #[serde(default)]
        message: Option<String>,
        /// The `Retry-After` header.
        #[serde(default)]
        retry_after: Option<RetryAfter>,
    },
    /// The request is accepted and never answered.
    Stall,
    /// The TCP connection is reset without an answer.
    Reset,
    /// `Content-Length` promises the answer, half of it comes, the connection ends.
    Truncated,
    /// A page of a gateway instead of JSON.
    Html {
        /// The HTTP status.
        status: u16,
    },
    /// 200 with a body that begins like JSON.
    JunkJson,
    /// 200 with no body.
    EmptyBody,
    /// The right answer, late.
    Delay {
        /// How late.
        milliseconds: u64,
    },
    /// 200 with valid JSON of this size.
    HugeBody {
        /// About how many bytes.
        bytes: usize,
    },
    /// 307 to another place.
    Redirect {
        /// The `Location` header.
        to: String,
    },
}

impl FaultKind {
    /// A plain refusal.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status { status, code: None, message: None, retry_after: None }
    }

    /// A refusal with the service's code.
    #[must_use]
    pub fn refusal(status: u16, code: &str, message: &str) -> Self {
        Self::Status { status, code: Some(code.to_owned()), message: Some(message.to_owned()), retry_after: None }
    }

    /// A refusal that says when to come back.
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

/// The armed faults, in the order they came.
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

    /// Fault that this request meets.
    pub(crate) fn strike(&mut self, route: Option<Route>) -> Option<Fault> {
        due(&mut self.0, |fault| fault.route.covers(route)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_skips_then_strikes_then_is_spent() {
        let mut armed = Armed::new(vec![Fault::new(Route::List, FaultKind::Stall).after(1).times(2)]);
        let struck: Vec<bool> = (0..5).map(|_| armed.strike(Some(Route::List)).is_some()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
    }

    #[test]
    fn any_matches_all_and_others_only_their_own() {
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
    fn a_fault_of_the_control_plane_strikes_each_of_its_routes() {
        let mut armed = Armed::new(vec![Fault::new(Route::Arm, FaultKind::Stall)]);
        assert!(armed.strike(Some(Route::ArmPut)).is_some() && armed.strike(Some(Route::ArmFeature)).is_some());
        assert!(armed.strike(Some(Route::Chat)).is_none() && armed.strike(None).is_none());
    }
}
