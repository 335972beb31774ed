//! State of the emulator: models, deployments, containers, operations, armed faults, recorded requests. Decides the
//! outcome; the routes decide its form on the wire.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::call::Target;
use crate::catalog::{self, Catalog, SeedError};
use crate::config::{BlobStore, Config, OperationEnd};
use crate::deployments::Deployments;
use crate::fault::Armed;
use crate::record::RequestRecord;
use crate::wire::{self, Registration};

/// State behind a shared lock.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Configuration after a reset.
    initial: Config,
    pub(crate) http: reqwest::Client,
}

impl Shared {
    pub(crate) fn new(config: Config, http: reqwest::Client) -> Result<Self, SeedError> {
        Ok(Self { state: Mutex::new(State::new(config.clone())?), initial: config, http })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn reset(&self) {
        if let Ok(fresh) = State::new(self.initial.clone()) {
            *self.lock() = fresh;
        }
    }
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) catalog: Catalog,
    pub(crate) deployments: Deployments,
    pub(crate) faults: Armed,
    pub(crate) requests: Vec<RequestRecord>,
    uploads: HashMap<Target, Upload>,
    operations: HashMap<String, Operation>,
    hidden: HashMap<Target, u32>,
    containers_made: u32,
    /// Number of SAS URLs issued for reading.
    pub(crate) reads_granted: i64,
}

/// Containers issued for a version.
#[derive(Debug, Clone, Default)]
pub(crate) struct Upload {
    pub(crate) id: String,
    /// Lifetime in seconds of the SAS to issue.
    pub(crate) sas_seconds: i64,
    containers: Vec<String>,
    /// Number of issued SAS URLs.
    grants: usize,
}

impl Upload {
    pub(crate) fn container(&self) -> &str {
        self.containers.last().map_or("", String::as_str)
    }
}

#[derive(Debug, Clone)]
struct Operation {
    target: Target,
    work: Work,
    polls: u32,
    end: Option<OperationEnd>,
}

/// Effect of an operation at its end.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    Register(Registration),
    /// A registration that will fail.
    Fail(OperationEnd),
    Delete,
}

/// Result of a poll of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Progress {
    Running(String),
    Ended(OperationEnd),
}

impl State {
    fn new(config: Config) -> Result<Self, SeedError> {
        let mut catalog = Catalog::default();
        for model in &config.models {
            catalog.seed(model, &config)?;
        }
        let mut deployments = Deployments::default();
        for deployment in &config.arm.deployments {
            deployments.seed(deployment, &config)?;
        }
        Ok(Self {
            catalog,
            deployments,
            faults: Armed::new(config.faults.clone()),
            requests: Vec::new(),
            uploads: HashMap::new(),
            operations: HashMap::new(),
            hidden: HashMap::new(),
            containers_made: 0,
            reads_granted: 0,
            config,
        })
    }

    /// Starts an upload, or returns the current one.
    pub(crate) fn upload(&mut self, target: &Target, requested_id: Option<String>) -> Upload {
        let upload = self.uploads.entry(target.clone()).or_default();
        if self.config.new_container_each_time || upload.containers.is_empty() {
            self.containers_made += 1;
            let container = match self.config.blobs {
                BlobStore::None { .. } => format!("upload-{}", self.containers_made),
                // An Azurite may outlive the emulator and serve several.
                BlobStore::Azurite { .. } => format!("upload-{}", uuid::Uuid::new_v4().simple()),
            };
            upload.containers.push(container);
        }
        if upload.id.is_empty() {
            upload.id = requested_id.unwrap_or_else(|| format!("pending-{}", self.containers_made));
        }
        let lifetimes = &self.config.first_sas_seconds;
        upload.sas_seconds = lifetimes.get(upload.grants).copied().unwrap_or(self.config.sas_seconds);
        upload.grants += 1;
        upload.clone()
    }

    /// Container of `blob_path` (without its leading slash), if it was issued for this version.
    pub(crate) fn owned_container(&self, target: &Target, blob_path: &str) -> Option<String> {
        let upload = self.uploads.get(target)?;
        let known = if self.config.refuses_older_containers {
            &upload.containers[upload.containers.len() - 1..]
        } else {
            &upload.containers[..]
        };
        known.iter().find(|container| blob_path.split('/').next() == Some(container.as_str())).cloned()
    }

    /// Operation that is still running on a version.
    pub(crate) fn running(&self, target: &Target) -> Option<String> {
        let mut operations = self.operations.iter();
        operations.find(|(_, work)| work.target == *target && work.end.is_none()).map(|(id, _)| id.clone())
    }

    /// Model that a running registration will create.
    pub(crate) fn draft(&self, target: &Target) -> Option<Value> {
        let id = self.running(target)?;
        match &self.operations[&id].work {
            Work::Register(registration) => {
                Some(catalog::object(target, registration.fields.clone(), &self.config, "Creating"))
            }
            Work::Fail(_) | Work::Delete => None,
        }
    }

    /// Starts an operation and returns its ID.
    pub(crate) fn begin(&mut self, target: Target, work: Work) -> String {
        let id = format!("operation-{}", self.operations.len() + 1);
        self.operations.insert(id.clone(), Operation { target, work, polls: 0, end: None });
        id
    }

    /// Starts the registration of a seed and returns its ID.
    pub(crate) fn begin_seed(&mut self, seed: &Value) -> Result<(String, Target), SeedError> {
        let (target, mut fields) = catalog::seeded(seed)?;
        fields.extend(seed.as_object().cloned().unwrap_or_default());
        let blob_uri = fields.get("blobUri").and_then(Value::as_str).and_then(|uri| uri.parse().ok());
        let blob_uri = blob_uri.ok_or(SeedError)?;
        let registration = Registration { blob_uri, fields, base_model_settled: true };
        Ok((self.begin(target.clone(), Work::Register(registration)), target))
    }

    /// Polls an operation, which advances it: time is counted in polls, so that tests need not wait.
    pub(crate) fn poll(&mut self, id: &str) -> Option<Progress> {
        let operation = self.operations.get_mut(id)?;
        if let Some(end) = &operation.end {
            return Some(Progress::Ended(end.clone()));
        }
        if operation.polls < self.config.polls_until_done {
            let states = &self.config.running_states;
            let state = states.get(operation.polls as usize).or(states.last());
            operation.polls += 1;
            return Some(Progress::Running(state.cloned().unwrap_or_else(|| "InProgress".to_owned())));
        }
        let end = match &operation.work {
            Work::Register(_) => self.config.operation_end.clone(),
            Work::Fail(end) => end.clone(),
            Work::Delete => self.config.deletion_end.clone(),
        };
        operation.end = Some(end.clone());
        let Operation { target, work, .. } = operation.clone();
        match work {
            Work::Register(registration) if !matches!(end, OperationEnd::Failed { .. }) => {
                self.register(&target, registration);
            }
            Work::Delete if !matches!(end, OperationEnd::Failed { .. }) => self.delete(&target),
            Work::Register(_) | Work::Fail(_) | Work::Delete => {}
        }
        Some(Progress::Ended(end))
    }

    /// Model that an operation created.
    pub(crate) fn result(&self, id: &str) -> Option<&Value> {
        self.catalog.get(&self.operations.get(id)?.target)
    }

    /// Creates a model from a registration, immediately.
    pub(crate) fn register(&mut self, target: &Target, registration: Registration) {
        let mut model = catalog::object(target, registration.fields, &self.config, "Succeeded");
        if let Some(other) = &self.config.registers_as {
            wire::merge_patch(&mut model, other);
        }
        self.catalog.put(target, model);
        if self.config.hidden_gets > 0 {
            self.hidden.insert(target.clone(), self.config.hidden_gets);
        }
    }

    /// Removes a version and its containers, and cancels a running registration of it.
    pub(crate) fn delete(&mut self, target: &Target) {
        for operation in self.operations.values_mut() {
            if operation.target == *target && operation.end.is_none() {
                operation.end = Some(OperationEnd::Failed {
                    status: "Canceled".to_owned(),
                    code: "OperationCanceled".to_owned(),
                    message: "The model version was deleted.".to_owned(),
                });
            }
        }
        self.catalog.remove(target);
        self.uploads.remove(target);
    }

    /// Counts a GET of a new version, and returns true while it is hidden.
    pub(crate) fn is_hidden(&mut self, target: &Target) -> bool {
        match self.hidden.get_mut(target) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }
}
