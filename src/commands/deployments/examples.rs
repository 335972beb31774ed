//! Texts and examples of the help pages.

/// Help of the commands of a group whose deployments have one kind of model.
pub(crate) struct KindHelp {
    pub(super) create_about: &'static str,
    pub(super) create: &'static str,
    pub(super) list_about: &'static str,
    pub(super) list: &'static str,
    pub(super) show: &'static str,
    pub(super) update: &'static str,
    pub(super) delete_about: &'static str,
    pub(super) delete: &'static str,
    pub(super) wait: &'static str,
}

pub(super) const CUSTOM: KindHelp = KindHelp {
    create_about: "Deploy a registered model",
    create: CUSTOM_CREATE,
    list_about: "List the deployments of custom models",
    list: CUSTOM_LIST,
    show: CUSTOM_SHOW,
    update: CUSTOM_UPDATE,
    delete_about: "Delete a deployment; the model stays registered",
    delete: CUSTOM_DELETE,
    wait: CUSTOM_WAIT,
};

pub(super) const BASE: KindHelp = KindHelp {
    create_about: "Deploy a catalog model",
    create: BASE_CREATE,
    list_about: "List the deployments of catalog models",
    list: BASE_LIST,
    show: BASE_SHOW,
    update: BASE_UPDATE,
    delete_about: "Delete a deployment",
    delete: BASE_DELETE,
    wait: BASE_WAIT,
};

const CUSTOM_CREATE: &str = "\
A deployment of a custom model is billed while it exists.

Examples:
  azd ai models custom deployments create --name my-deployment --model my-model
  azd ai models custom deployments create -n my-deployment --model my-model --sku-name GlobalProvisionedManaged --sku-capacity 80
  azd ai models custom deployments create -n my-deployment --model my-model --dry-run

  In a pipeline:
    azd ai models custom deployments create -n my-deployment --model my-model --if-not-exists --yes --no-prompt -o json

  A registered draft model for a catalog model:
    azd ai models custom deployments create -n fast --model FW-Qwen3-14B --draft-model my-draft --draft-tokens 4";

const BASE_CREATE: &str = "\
Version, SKU and capacity default to those of the catalog: the default version, GlobalStandard if offered, and the \
default capacity. A SKU that is billed while the deployment exists needs --sku-name.

Examples:
  azd ai models base deployments create --model gpt-4.1
  azd ai models base deployments create -n chat --model gpt-4.1 --sku-name DataZoneStandard --sku-capacity 50
  azd ai models base deployments create --model gpt-4.1 --sku-name GlobalProvisionedManaged --sku-capacity 15 --yes
  azd ai models base deployments create --model gpt-4.1 --dry-run -o json";

const CUSTOM_LIST: &str = "\
Examples:
  azd ai models custom deployments list
  azd ai models custom deployments list -o json";

const BASE_LIST: &str = "\
Examples:
  azd ai models base deployments list
  azd ai models base deployments list -o json";

pub(super) const ALL_LIST: &str = "\
Examples:
  azd ai models deployments list
  azd ai models deployments list -q";

const CUSTOM_SHOW: &str = "\
Examples:
  azd ai models custom deployments show --name my-deployment
  azd ai models custom deployments show --name my-deployment -o json";

const BASE_SHOW: &str = "\
Examples:
  azd ai models base deployments show --name gpt-4.1
  azd ai models base deployments show --name gpt-4.1 -o json";

pub(super) const ALL_SHOW: &str = "\
Examples:
  azd ai models deployments show --name my-deployment
  azd ai models deployments show --name my-deployment -o json";

const CUSTOM_UPDATE: &str = "\
Examples:
  azd ai models custom deployments update --name my-deployment --sku-capacity 160
  azd ai models custom deployments update --name my-deployment --set-tag stage=prod --remove-tag draft
  azd ai models custom deployments update --name my-deployment --rai-policy Microsoft.DefaultV2 --no-wait";

const BASE_UPDATE: &str = "\
Examples:
  azd ai models base deployments update --name gpt-4.1 --sku-capacity 20
  azd ai models base deployments update --name gpt-4.1 --version-upgrade NoAutoUpgrade";

const CUSTOM_DELETE: &str = "\
Examples:
  azd ai models custom deployments delete --name my-deployment
  azd ai models custom deployments delete --name my-deployment --force --if-exists --no-prompt";

const BASE_DELETE: &str = "\
Examples:
  azd ai models base deployments delete --name gpt-4.1
  azd ai models base deployments delete --name gpt-4.1 --force --if-exists --no-prompt";

pub(super) const ALL_DELETE: &str = "\
Examples:
  azd ai models deployments delete --name my-deployment
  azd ai models deployments delete --name my-deployment --force --if-exists --no-prompt";

pub(super) const TEST: &str = "\
Examples:
  azd ai models deployments test my-deployment
  azd ai models deployments test my-deployment --prompt \"What can you do?\" -o json";

pub(super) const ALL_CREATE: &str = "\
Examples:
  azd ai models deployments create";

pub(super) const ALL_UPDATE: &str = "\
Examples:
  azd ai models deployments update";

pub(super) const ALL_WAIT: &str = "\
Examples:
  azd ai models deployments wait";

const CUSTOM_WAIT: &str = "\
Examples:
  azd ai models custom deployments wait --name my-deployment
  azd ai models custom deployments wait --name my-deployment --timeout 1h30m";

const BASE_WAIT: &str = "\
Examples:
  azd ai models base deployments wait --name gpt-4.1
  azd ai models base deployments wait --name gpt-4.1 --timeout 10m";
