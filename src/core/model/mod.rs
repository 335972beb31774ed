//! The domain types: values that parse themselves and enforce their rules. No IO.

mod address;
mod base_model;
mod blob_uri;
mod change;
mod cloud;
mod content_digest;
mod content_hash;
mod custom_model;
mod deployment;
mod deployment_name;
pub(crate) mod document;
mod event;
mod file;
mod file_kind;
mod filter;
mod finding;
mod listed;
mod model_view;
mod name;
mod order;
mod registration;
mod source;
mod state;
mod tag;
mod version;
mod weight_type;

pub use address::AddressError;
pub(crate) use address::check_secure;
pub use address::is_loopback;
pub use base_model::BaseModel;
pub use blob_uri::{BlobUri, BlobUriError};
pub use change::ModelChange;
pub use cloud::Cloud;
pub use content_digest::{CONTENT_DIGEST, content_digest};
pub(crate) use content_hash::from_hex;
pub use content_hash::{ContentHash, ContentHashError};
pub use custom_model::{CustomModel, ModelDocument};
pub use deployment::{
    CUSTOM_FORMAT, Deployment, DeploymentKind, DeploymentProperties, DeploymentState, DeploymentView, FIREWORKS_FORMAT,
    ModelReference, ProjectDeployment, ProjectDeploymentView, RateLimit, Sku, is_fireworks,
};
pub use deployment_name::{DeploymentName, NewDeploymentName};
pub use document::Document;
pub use event::{Report, Reporter, TransferEvent, TransferProgress};
pub use file::{ArrivedFile, BlobPath, FileList, SourceFile};
pub(crate) use file_kind::{FileKind, file_name, weight_extension};
pub use filter::{ModelFilter, NamePattern};
pub use finding::{Finding, FindingCode, FindingLevel};
pub use listed::{ListedModel, ModelListSeed};
pub use model_view::{ArtifactProfile, CatalogInfo, LoraConfig, ModelSource, ModelView, ModelWarning, SystemData};
pub use name::{ModelName, NewModelName};
pub use order::{Versioned, by_creation, by_name, keep_latest, latest, newest_first};
pub use registration::{LoraShape, ModelDetails, Registration};
pub use source::{Source, SourceError};
pub use state::{OperationProgress, state_error, state_word};
pub use tag::Tag;
pub use version::ModelVersion;
pub use weight_type::WeightType;
