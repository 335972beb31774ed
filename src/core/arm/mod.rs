//! Azure's control plane: from a subscription to a Foundry project, the deployments of its account, and the catalog.
//!
//! Owns the address that receives management tokens, ARM ids, and long-running operations.

mod account;
mod catalog;
mod client;
mod deployments;
mod endpoint;
mod id;
mod portal;

/// Resource provider of Foundry accounts.
const PROVIDER: &str = "Microsoft.CognitiveServices";

pub use account::{Account, AccountId, may_get_inference_token};
pub use catalog::{
    AccountModel, AccountModelView, CapacityFault, CapacityRange, CatalogFilter, ModelCapacity, ModelSku, Replacement,
    SkuFault, Usage, choose_sku, default_version, is_billed_by_time, newest_first, usage_left,
};
pub use client::{ArmClient, ArmError, FoundryProject, Subscription};
pub use deployments::{
    AcceptedWrite, DeployError, DeployStatus, DeploymentChange, Deployments, Difference, DraftModel, NewDeployment,
    NewModel, QuotaShortage, WaitTarget,
};
pub use endpoint::{ArmEndpoint, ArmEndpointError};
pub use id::{IdError, ProjectId};
pub use portal::{project_page, start_page};
