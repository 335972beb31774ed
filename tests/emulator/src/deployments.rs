//! Deployments of the account, as the objects that the service returns, and the operations on them. Time is counted in
//! polls, so that tests need not wait.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::arm_config::{Deploying, DeploymentEnd};
use crate::catalog::SeedError;
use crate::config::Config;
use crate::wire::merge_patch;

/// All deployments, in order of creation.
#[derive(Debug, Default)]
pub(crate) struct Deployments {
    items: Vec<Deployment>,
    operations: HashMap<String, Outcome>,
}

/// Deployment and its running operation.
#[derive(Debug, Clone)]
struct Deployment {
    name: String,
    object: Value,
    running: Option<Running>,
    /// Number of GETs that still return 404.
    hidden: u32,
}

#[derive(Debug, Clone)]
struct Running {
    id: String,
    polls: u32,
    deletes: bool,
}

/// Write, as its status URL reports it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) name: String,
    /// `None` while it runs.
    pub(crate) end: Option<DeploymentEnd>,
}

impl Deployments {
    /// Deployment objects, in order.
    pub(crate) fn list(&self) -> Vec<&Value> {
        self.items.iter().map(|one| &one.object).collect()
    }

    /// Deployment object. Does not count as a poll.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.find(name).map(|one| &one.object)
    }

    fn find(&self, name: &str) -> Option<&Deployment> {
        self.items.iter().find(|one| one.name.eq_ignore_ascii_case(name))
    }

    fn find_mut(&mut self, name: &str) -> Option<&mut Deployment> {
        self.items.iter_mut().find(|one| one.name.eq_ignore_ascii_case(name))
    }

    /// Name of a deployment with a running write.
    pub(crate) fn busy(&self) -> Option<String> {
        self.items.iter().find(|one| one.running.is_some()).map(|one| one.name.clone())
    }

    /// Adds a deployment for a test: defaults, patched with `seed`, so that `null` removes a default.
    pub(crate) fn seed(&mut self, seed: &Value, config: &Config) -> Result<(), SeedError> {
        let name = seed["name"].as_str().ok_or(SeedError)?.to_owned();
        let mut object = deployment_object(&name, &defaults(), config);
        object["properties"]["provisioningState"] = "Succeeded".into();
        merge_patch(&mut object, seed);
        self.items.retain(|one| !one.name.eq_ignore_ascii_case(&name));
        self.items.push(Deployment { name, object, running: None, hidden: 0 });
        Ok(())
    }

    /// Starts an operation on an existing deployment, as if another client had requested it.
    pub(crate) fn begin(&mut self, name: &str, rules: &Deploying, deletes: bool) -> String {
        let id = format!("operation-{}", self.operations.len() + 1);
        self.operations.insert(id.clone(), Outcome { name: name.to_owned(), end: None });
        if let Some(one) = self.find_mut(name) {
            one.running = Some(Running { id: id.clone(), polls: 0, deletes });
            let first = rules.states.first().map_or("Creating", String::as_str);
            one.set_state(if deletes { "Deleting" } else { first });
        }
        id
    }

    /// Creates or replaces a deployment. `None` if it completes immediately.
    pub(crate) fn put(&mut self, name: &str, envelope: &Value, (immediate, config): (bool, &Config)) -> Option<String> {
        let rules = &config.arm.deploying;
        let object = deployment_object(name, envelope, config);
        let is_new = self.find(name).is_none();
        match self.find_mut(name) {
            Some(present) => {
                let created = present.object["systemData"].clone();
                present.object = object;
                merge_patch(&mut present.object["systemData"], &json!({"createdAt": created["createdAt"]}));
            }
            None => {
                let hidden = rules.hidden_gets;
                self.items.push(Deployment { name: name.to_owned(), object, running: None, hidden });
            }
        }
        if immediate && is_new && rules.end == DeploymentEnd::Succeeded {
            self.find_mut(name)?.set_state("Succeeded");
            return None;
        }
        Some(self.begin(name, rules, false))
    }

    /// Changes fields of a deployment and starts an operation.
    pub(crate) fn patch(&mut self, name: &str, patch: &Value, rules: &Deploying) -> Option<String> {
        let one = self.find_mut(name)?;
        let tags = &patch["tags"];
        if !tags.is_null() && !rules.patch_merges_tags {
            one.object["tags"] = json!({});
        }
        merge_patch(&mut one.object, patch);
        Some(self.begin(name, rules, false))
    }

    /// Removes a deployment, immediately or after some polls.
    pub(crate) fn delete(&mut self, name: &str, rules: &Deploying) -> Option<String> {
        if rules.delete_status == 202 && rules.polls_until_done > 0 {
            return Some(self.begin(name, rules, true));
        }
        self.items.retain(|one| !one.name.eq_ignore_ascii_case(name));
        None
    }

    /// Polls a deployment, which advances its operation.
    pub(crate) fn poll(&mut self, name: &str, rules: &Deploying) {
        let Some(one) = self.find_mut(name) else { return };
        let Some(running) = &mut one.running else { return };
        if running.polls < rules.polls_until_done {
            let state = rules.states.get(running.polls as usize).or(rules.states.last());
            running.polls += 1;
            if !running.deletes {
                let state = state.cloned().unwrap_or_else(|| "Creating".to_owned());
                one.set_state(&state);
            }
            return;
        }
        let Running { id, deletes, .. } = running.clone();
        one.running = None;
        let end = if deletes { DeploymentEnd::Succeeded } else { rules.end.clone() };
        match &end {
            DeploymentEnd::Succeeded => one.set_state("Succeeded"),
            DeploymentEnd::Failed { state, .. } => one.set_state(&state.clone()),
            DeploymentEnd::Gone => {}
        }
        let is_gone = deletes || end == DeploymentEnd::Gone;
        self.items.retain(|one| !(is_gone && one.name.eq_ignore_ascii_case(name)));
        if let Some(outcome) = self.operations.get_mut(&id) {
            outcome.end = Some(end);
        }
    }

    /// Counts a GET of a new deployment, and returns true while it is hidden.
    pub(crate) fn is_hidden(&mut self, name: &str) -> bool {
        match self.find_mut(name) {
            Some(one) if one.hidden > 0 => {
                one.hidden -= 1;
                true
            }
            _ => false,
        }
    }

    /// Result of a write.
    pub(crate) fn outcome(&self, id: &str) -> Option<Outcome> {
        self.operations.get(id).cloned()
    }
}

impl Deployment {
    fn set_state(&mut self, state: &str) {
        self.object["properties"]["provisioningState"] = state.into();
        if state == "Succeeded" {
            self.object["properties"]["currentCapacity"] = self.object["sku"]["capacity"].clone();
        }
    }
}

/// Default model and SKU of a seed.
fn defaults() -> Value {
    json!({
        "sku": {"name": "GlobalStandard", "capacity": 10},
        "properties": {"model": {"format": "OpenAI", "name": "gpt-4.1-mini", "version": "2025-04-14"}},
    })
}

/// Deployment object: the sent fields, and those that the service adds.
fn deployment_object(name: &str, envelope: &Value, config: &Config) -> Value {
    let (subscription, arm) = (config.arm.subscription(), &config.arm);
    let account = format!(
        "/subscriptions/{subscription}/resourceGroups/{}/providers/Microsoft.CognitiveServices/accounts/{}",
        arm.resource_group, config.account
    );
    let model = &envelope["properties"]["model"];
    let row = arm.row(&model["format"], &model["name"], Some(&model["version"]));
    let sku = row.and_then(|row| row["skus"].as_array()?.iter().find(|sku| sku["name"] == envelope["sku"]["name"]));
    let mut properties: Map<String, Value> = envelope["properties"].as_object().cloned().unwrap_or_default();
    for (key, value) in [
        ("provisioningState", json!("Creating")),
        ("deploymentState", json!("Running")),
        ("raiPolicyName", json!("Microsoft.DefaultV2")),
        ("versionUpgradeOption", json!("OnceNewDefaultVersionAvailable")),
        ("currentCapacity", envelope["sku"]["capacity"].clone()),
        ("capabilities", row.map_or_else(|| json!({"chatCompletion": "true"}), |row| row["capabilities"].clone())),
        ("rateLimits", sku.map_or(Value::Null, |sku| limits(sku, &envelope["sku"]["capacity"]))),
        ("xEmulator", json!({"note": "a field that no client knows"})),
    ] {
        if !value.is_null() {
            properties.entry(key).or_insert(value);
        }
    }
    let now = config.clock.unwrap_or_else(OffsetDateTime::now_utc).format(&Rfc3339).unwrap_or_default();
    let mut object = json!({
        "id": format!("{account}/deployments/{name}"),
        "name": name,
        "type": "Microsoft.CognitiveServices/accounts/deployments",
        "etag": "\"cde0a768-0000-0000-0000-000000000000\"",
        "sku": envelope["sku"],
        "properties": properties,
        "systemData": {"createdAt": now, "createdBy": "user@example.com", "createdByType": "User", "lastModifiedAt": now},
    });
    if let Some(tags) = envelope.get("tags").filter(|tags| !tags.is_null()) {
        object["tags"] = tags.clone();
    }
    object
}

/// Rate limits of a capacity: those of the SKU apply to one unit. Counts are floats, as the service sends them.
fn limits(sku: &Value, capacity: &Value) -> Value {
    let units = capacity.as_f64().unwrap_or(1.0);
    let scaled = |limit: &Value| {
        let number = |key: &str| limit[key].as_f64().unwrap_or_default();
        json!({"key": limit["key"], "renewalPeriod": number("renewalPeriod"), "count": number("count") * units})
    };
    sku["rateLimits"].as_array().map_or(Value::Null, |limits| limits.iter().map(scaled).collect())
}
