//! What is said of a model when it is registered.

use std::collections::BTreeMap;

use url::Url;

use super::{BaseModel, WeightType};

/// The content of a registration, whatever the dialect of the service.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Where the weights are: container, or container and prefix; never with a query.
    pub blob_uri: Url,
    /// Kind of weights.
    pub weight_type: WeightType,
    /// Base model, if one was named.
    pub base_model: Option<BaseModel>,
    /// Text for people.
    pub description: Option<String>,
    /// Tags, `baseArchitecture` not among them: it follows from the base model.
    pub tags: BTreeMap<String, String>,
}
