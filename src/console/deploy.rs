//! The command with which a registered model is deployed. Pure.

use azure_ai_models_core::display::harmless;
use azure_ai_models_core::model::CustomModel;

/// What the deploy command names; what is not known stays as a word in capitals.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DeployTarget<'a> {
    /// Subscription of the project.
    pub(crate) subscription: Option<&'a str>,
    /// Resource group of the account.
    pub(crate) group: Option<&'a str>,
    /// Foundry account.
    pub(crate) account: Option<&'a str>,
    /// Foundry project.
    pub(crate) project: Option<&'a str>,
}

/// The command with which a model is deployed, broken over lines as a shell takes it.
#[must_use]
pub(crate) fn deploy_command(model: &CustomModel, target: DeployTarget<'_>) -> String {
    let quote = |text: &str| shell_words::quote(&harmless(text)).into_owned();
    let name = quote(&model.view().name);
    let version = quote(model.view().version.as_deref().unwrap_or("VERSION"));
    let (group, account) = (target.group.unwrap_or("GROUP"), target.account.unwrap_or("ACCOUNT"));
    let source = match target {
        DeployTarget {
            subscription: Some(subscription),
            group: Some(group),
            account: Some(account),
            project: Some(project),
        } => quote(&format!(
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}/projects/{project}"
        )),
        _ => "PROJECT-ARM-ID".to_owned(),
    };
    [
        "az cognitiveservices account deployment create".to_owned(),
        format!("-g {} -n {}", quote(group), quote(account)),
        format!("--deployment-name {name}"),
        format!("--model-name {name} --model-version {version}"),
        "--model-format FireworksCustom".to_owned(),
        format!("--model-source {source}"),
        "--sku-name GlobalProvisionedManaged --sku-capacity 80".to_owned(),
    ]
    .join(" \\\n    ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_deploy_command_names_what_is_known() {
        let model = json!({"name": "my-model", "version": "1"});
        let model: CustomModel = serde_json::from_value(model).expect("a model");
        insta::assert_snapshot!(deploy_command(&model, DeployTarget::default()), @r"
        az cognitiveservices account deployment create \
            -g GROUP -n ACCOUNT \
            --deployment-name my-model \
            --model-name my-model --model-version 1 \
            --model-format FireworksCustom \
            --model-source PROJECT-ARM-ID \
            --sku-name GlobalProvisionedManaged --sku-capacity 80
        ");
        let target =
            DeployTarget { subscription: Some("s"), group: Some("my group"), account: Some("a"), project: Some("p") };
        insta::assert_snapshot!(deploy_command(&model, target), @r"
        az cognitiveservices account deployment create \
            -g 'my group' -n a \
            --deployment-name my-model \
            --model-name my-model --model-version 1 \
            --model-format FireworksCustom \
            --model-source '/subscriptions/s/resourceGroups/my group/providers/Microsoft.CognitiveServices/accounts/a/projects/p' \
            --sku-name GlobalProvisionedManaged --sku-capacity 80
        ");
    }
}
