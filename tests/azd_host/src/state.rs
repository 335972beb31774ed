//! Behaviour of the host, and its recorded calls.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tonic::Status;

use crate::proto::{ExtensionError, ResourceExtended, ResourceGroup, Subscription};

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `Service.Method`.
    pub method: &'static str,
    /// The message, in Rust's notation.
    pub message: String,
    /// The metadata that came with it, `authorization` and the trace context.
    pub metadata: BTreeMap<String, String>,
}

/// Fault of a method.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Refuses with this status.
    Status(Status),
    /// Refuses with this status after this number of calls.
    StatusAfter(usize, Status),
    /// Never answers.
    Silence,
    /// Never answers after this number of calls.
    SilenceAfter(usize),
    /// Answers after this long.
    Slow(Duration),
}

/// An environment of the project.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The one that counts where none is named.
    pub is_default: bool,
    /// Values as they are stored.
    pub values: BTreeMap<String, String>,
}

/// Behaviour of the host.
#[derive(Clone, Debug)]
pub struct HostState {
    /// The only token that it takes.
    pub token: String,
    /// Name and directory of the project; `None`: there is no project.
    pub project: Option<(String, String)>,
    /// Environments by their names.
    pub environments: BTreeMap<String, Environment>,
    /// Methods that do something else, by `Service.Method`.
    pub faults: BTreeMap<String, Fault>,
    /// Subscriptions of the account; the first one is the user's choice.
    pub subscriptions: Vec<Subscription>,
    /// Resource group that the user chooses.
    pub resource_group: Option<ResourceGroup>,
    /// Resource that the user chooses.
    pub resource: Option<ResourceExtended>,
    /// Model of the catalogue that the user chooses; `None`: an azd that does not have the question.
    pub ai_model: Option<String>,
    /// Answers to `Confirm`, in turn.
    pub confirms: VecDeque<bool>,
    /// Answers to `Prompt`, in turn.
    pub texts: VecDeque<String>,
    /// Answers to `Select`, in turn.
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
    /// A host_state without a project.
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
