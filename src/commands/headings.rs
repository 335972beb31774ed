//! Headings of the options in help pages. A command with more than a few options groups them under these.

/// Heading of the options for the registration: name, version, tags.
pub(crate) const MODEL: &str = "Model options";
/// Files to read and their selection.
pub(crate) const SOURCE: &str = "Source options";
/// Shape of an adapter.
pub(crate) const LORA: &str = "LoRA options (with --weight-type LoRA)";
/// Transfer of the files.
pub(crate) const UPLOAD: &str = "Upload options";
/// Uploads without a terminal.
pub(crate) const DETACH: &str = "Detached upload options";
/// Deployment of a model.
pub(crate) const DEPLOYMENT: &str = "Deployment options";
/// Foundry account in Azure Resource Manager.
pub(crate) const ACCOUNT: &str = "Account options";
/// Conditions of a list.
pub(crate) const FILTER: &str = "Filter options";
/// Prompts, waiting, dry runs.
pub(crate) const RUN: &str = "Run options";
/// Progress display.
pub(crate) const OUTPUT: &str = "Output options";
/// Options that every command accepts.
pub(crate) const GLOBAL: &str = "Global options";
