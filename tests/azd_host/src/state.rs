//! Behaviour of the host, and its recorded calls.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tonic::Status;

use crate::proto::{ExtensionError, ResourceExtended, ResourceGroup, Subscription};

/// Recorded call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `Service.Method`.
    pub method: &'static str,
    /// Message in Rust's debug format.
    pub message: String,
    /// Received metadata: `authorization` and the trace context.
    pub metadata: BTreeMap<String, String>,
}

/// Fault of a method.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Fails with this status.
    Status(Status),
    /// Fails with this status after this number of calls.
    StatusAfter(usize, Status),
    /// Never responds.
    Silence,
    /// Never responds after this number of calls.
    SilenceAfter(usize),
    /// Responds after this delay.
    Slow(Duration),
}

/// Environment of the project.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// True for the default environment, which is used where none is named.
    pub is_default: bool,
    /// Stored values.
    pub values: BTreeMap<String, String>,
}

/// Behaviour of the host.
#[derive(Clone, Debug)]
pub struct HostState {
    /// The only accepted token.
    pub token: String,
    /// Name and directory of the project; `None` without a project.
    pub project: Option<(String, String)>,
    /// Environments by name.
    pub environments: BTreeMap<String, Environment>,
    /// Faults by `Service.Method`.
    pub faults: BTreeMap<String, Fault>,
    /// Subscriptions of the account; the user selects the first one.
    pub subscriptions: Vec<Subscription>,
    /// Resource group that the user selects.
    pub resource_group: Option<ResourceGroup>,
    /// Resource that the user selects.
    pub resource: Option<ResourceExtended>,
    /// Catalogue model that the user selects; `None` for an azd without this prompt.
    pub ai_model: Option<String>,
    /// Answers to `Confirm`, in order.
    pub confirms: VecDeque<bool>,
    /// Answers to `Prompt`, in order.
    pub texts: VecDeque<String>,
    /// Answers to `Select`, in order.
    pub selections: VecDeque<i32>,
}

impl Default for HostState {
    fn default() -> Self {
        Self {
            token: "the-token-of-azds-server".into(),
            project: Some(("demo".into(), "/demo".into())),
            environments: BTreeMap::new(),
            faults: BTreeMap::new(),
            subscriptions: Vec::new(),
            resource_group: None,
            resource: None,
            ai_model: None,
            confirms: VecDeque::new(),
            texts: VecDeque::new(),
            selections: VecDeque::new(),
        }
    }
}

impl HostState {
    /// State without a project.
    #[must_use]
    pub fn without_project() -> Self {
        Self { project: None, ..Self::default() }
    }

    /// Adds an environment.
    #[must_use]
    pub fn with_environment(mut self, name: &str, is_default: bool, values: &[(&str, &str)]) -> Self {
        let values = values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.environments.insert(name.to_owned(), Environment { is_default, values });
        self
    }

    /// Adds a fault of a method.
    #[must_use]
    pub fn with_fault(mut self, method: &str, fault: Fault) -> Self {
        self.faults.insert(method.to_owned(), fault);
        self
    }
}

pub(crate) struct State {
    pub(crate) host_state: HostState,
    pub(crate) calls: Vec<Call>,
    pub(crate) reports: Vec<ExtensionError>,
}

impl State {
    pub(crate) fn new(host_state: HostState) -> Self {
        Self { host_state, calls: Vec::new(), reports: Vec::new() }
    }
}
