//! JSON output that several commands share.

use serde::Serialize;

use crate::commands::account::AccountContext;
use crate::commands::inference::{Inference, PROMPT};
use crate::console::TableStyle;
use crate::console::deployments_page::{self, DeploymentUsage};
use crate::console::deployments_table::{self, DeploymentRow};
use crate::console::product::{self, JsonPieces, Product};
use azure_ai_models_core::model::{Deployment, DeploymentKind, ProjectDeployment};

/// Deployments as listed by Azure Resource Manager.
pub(super) struct DeploymentList<'a> {
    pub(super) deployments: &'a [Deployment],
    pub(super) with_kind: bool,
}

impl Product for DeploymentList<'_> {
    fn json(&self) -> JsonPieces<'_> {
        product::list(self.deployments)
    }

    fn text(&self, style: TableStyle) -> String {
        let rows: Vec<DeploymentRow> = self.deployments.iter().map(|one| DeploymentRow::of(one.view())).collect();
        deployments_table::table(&rows, self.with_kind, style)
    }
}

/// Deployments as listed by the project.
pub(super) struct ProjectDeployments<'a> {
    pub(super) deployments: &'a [ProjectDeployment],
    pub(super) kinds: &'a [DeploymentKind],
    pub(super) with_kind: bool,
}

impl Product for ProjectDeployments<'_> {
    fn json(&self) -> JsonPieces<'_> {
        product::list(self.deployments)
    }

    fn text(&self, style: TableStyle) -> String {
        let rows = self.deployments.iter().zip(self.kinds);
        let rows: Vec<DeploymentRow> = rows.map(|(one, kind)| DeploymentRow::of_project(one.view(), *kind)).collect();
        deployments_table::table(&rows, self.with_kind, style)
    }
}

/// One deployment and how it is used.
pub(crate) struct DeploymentPage<'a> {
    pub(crate) deployment: &'a Deployment,
    pub(crate) context: &'a AccountContext,
    /// Command that waits for its end.
    pub(crate) wait: String,
}

impl Product for DeploymentPage<'_> {
    fn json(&self) -> JsonPieces<'_> {
        product::document(self.deployment)
    }

    fn text(&self, _: TableStyle) -> String {
        let (inference, view) = (Inference::of(self.context), self.deployment.view());
        let usage = DeploymentUsage {
            base: inference.base(),
            project_base: inference.project_base(),
            curl: inference.curl(&view.name, PROMPT),
            wait: self.wait.clone(),
        };
        deployments_page::page(view, &usage)
    }
}

/// One deployment as listed by the project.
pub(super) struct ProjectDeploymentPage<'a> {
    pub(super) deployment: &'a ProjectDeployment,
    pub(super) kind: DeploymentKind,
}

impl Product for ProjectDeploymentPage<'_> {
    fn json(&self) -> JsonPieces<'_> {
        product::document(self.deployment)
    }

    fn text(&self, _: TableStyle) -> String {
        deployments_page::project_page(self.deployment.view(), self.kind)
    }
}

/// Result of a deletion.
#[derive(Serialize)]
pub(super) struct DeletedDeployment<'a> {
    pub(super) name: &'a str,
    pub(super) deleted: bool,
}

impl Product for DeletedDeployment<'_> {
    fn json(&self) -> JsonPieces<'_> {
        product::document(self)
    }

    fn text(&self, _: TableStyle) -> String {
        String::new()
    }
}
