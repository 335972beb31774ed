//! Table of deployments. Pure.

use super::table::{self, TableStyle};
use azure_ai_models_core::display::printable;
use azure_ai_models_core::model::{DeploymentKind, DeploymentView, ModelReference, ProjectDeploymentView, Sku};

/// State of a deployment that only the project lists.
pub(super) const UNKNOWN: &str = "unknown";

/// Row of the table.
pub(crate) struct DeploymentRow {
    name: String,
    kind: DeploymentKind,
    model: String,
    version: String,
    sku: Sku,
    state: String,
}

impl DeploymentRow {
    /// Row of a deployment.
    pub(crate) fn of(deployment: &DeploymentView) -> Self {
        let ModelReference { name, version, .. } = deployment.model().cloned().unwrap_or_default();
        Self {
            name: deployment.name.clone(),
            kind: deployment.kind(),
            model: name.unwrap_or_default(),
            version: version.unwrap_or_default(),
            sku: deployment.sku.clone().unwrap_or_default(),
            state: deployment.properties().provisioning_state.clone().unwrap_or_default(),
        }
    }

    /// Row of a deployment that only the project lists.
    pub(crate) fn of_project(deployment: &ProjectDeploymentView, kind: DeploymentKind) -> Self {
        Self {
            name: deployment.name.clone(),
            kind,
            model: deployment.model_name.clone().unwrap_or_default(),
            version: deployment.model_version.clone().unwrap_or_default(),
            sku: deployment.sku.clone().unwrap_or_default(),
            state: UNKNOWN.to_owned(),
        }
    }
}

/// Table of a list; only the names with `--quiet`.
#[must_use]
pub(crate) fn table(rows: &[DeploymentRow], with_kind: bool, style: TableStyle) -> String {
    if !style.summary {
        return rows.iter().map(|row| printable(&row.name) + "\n").collect();
    }
    let mut headings = vec!["NAME", "MODEL", "VERSION", "SKU", "CAPACITY", "STATE"];
    if with_kind {
        headings.insert(1, "KIND");
    }
    let cells = rows.iter().map(|row| {
        let capacity = row.sku.capacity.map(|capacity| capacity.to_string()).unwrap_or_default();
        let sku = row.sku.name.clone().unwrap_or_default();
        let mut cells =
            vec![row.name.clone(), row.model.clone(), row.version.clone(), sku, capacity, row.state.clone()];
        if with_kind {
            cells.insert(1, row.kind.word().to_owned());
        }
        cells
    });
    let table = match rows {
        [] => String::new(),
        _ => table::table(&headings, cells, 1, style) + "\n",
    };
    format!("{table}{} deployment(s) found\n", rows.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(json: &str) -> azure_ai_models_core::model::Deployment {
        serde_json::from_str(json).expect("a deployment")
    }

    #[test]
    fn quiet_lists_contain_only_names() {
        let rows = [
            DeploymentRow::of(deployment(r#"{"name":"a"}"#).view()),
            DeploymentRow::of(deployment(r#"{"name":"b"}"#).view()),
        ];
        assert_eq!(table(&rows, true, TableStyle { width: None, summary: false }), "a\nb\n");
    }
}
