//! Catalogue of deployable models with their SKUs, quota, and the capacity that is available in regions.
//!
//! Owns the shapes of these lists and the rules that choose a version, a SKU and a capacity; sends no writes.

mod capacity;
mod choice;
mod client;
mod filter;
mod model;
mod sku;
mod usage;

pub use capacity::{CapacityFault, CapacityRange};
pub use choice::{SkuFault, choose_sku, default_version, is_billed_by_time, newest_first};
pub use filter::CatalogFilter;
pub use model::{AccountModel, AccountModelView, Replacement};
pub use sku::ModelSku;
pub use usage::{ModelCapacity, Usage, usage_left};
