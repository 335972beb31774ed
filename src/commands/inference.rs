//! Use of a deployment: its addresses, and a command that sends one prompt.

use serde_json::{Value, json};
use url::Url;

use super::account::AccountContext;
use azure_ai_models_core::arm::{Account, may_get_inference_token};
use azure_ai_models_core::credential::CredentialMethod;
use azure_ai_models_core::project::ProjectEndpoint;

/// Default prompt.
pub(crate) const PROMPT: &str = "Say hello";

/// Addresses of deployments, limited to those that may receive tokens.
#[derive(Clone, Debug)]
pub(crate) struct Inference {
    host: Url,
    project: ProjectEndpoint,
    sign_in: CredentialMethod,
}

impl Inference {
    /// Addresses of an account; only those of the project if the user cannot see the account.
    pub(crate) fn new(account: Option<&Account>, project: &ProjectEndpoint, sign_in: CredentialMethod) -> Self {
        let host = account.map(|account| account.inference_host(project));
        let host = host.filter(|host| may_get_inference_token(host, project));
        Self { host: host.unwrap_or_else(|| project.host_url()), project: project.clone(), sign_in }
    }

    /// Addresses of the account of this run.
    pub(crate) fn of(context: &AccountContext) -> Self {
        Self::new(Some(&context.account), context.foundry.endpoint(), context.foundry.sign_in())
    }

    /// Address without a path that receives the tokens.
    pub(crate) fn host(&self) -> &Url {
        &self.host
    }

    /// Base address of the OpenAI API, for requests.
    pub(crate) fn base_url(&self) -> Url {
        let mut url = self.host.clone();
        url.set_path("/openai/v1/");
        url
    }

    /// Base address of the OpenAI API.
    pub(crate) fn base(&self) -> String {
        format!("{}openai/v1/", self.host)
    }

    /// Base address of the OpenAI API at the project.
    pub(crate) fn project_base(&self) -> String {
        format!("{}/openai/v1/", self.project)
    }

    /// Scope of tokens for the base address.
    pub(crate) fn scope(&self) -> String {
        self.project.cloud().inference_scope()
    }

    /// Command in the syntax of a POSIX shell that sends one prompt to a deployment, with the current sign-in.
    pub(crate) fn curl(&self, deployment: &str, prompt: &str) -> String {
        let scope = self.scope();
        let token = match self.sign_in {
            CredentialMethod::Emulator => "emulator".to_owned(),
            CredentialMethod::Azd => format!("$(azd auth token --scope {scope})"),
            CredentialMethod::AzCli
            | CredentialMethod::Workload
            | CredentialMethod::Managed
            | CredentialMethod::Env => {
                format!("$(az account get-access-token --scope {scope} --query accessToken -o tsv)")
            }
        };
        format!(
            "curl -sS \"{}chat/completions\" -H \"Content-Type: application/json\" -H \"Authorization: Bearer {token}\" -d {}",
            self.base(),
            shell_words::quote(&question(deployment, prompt).to_string())
        )
    }
}

/// Body of a chat completion. Without a token limit: models differ in the name of that field.
pub(crate) fn question(deployment: &str, prompt: &str) -> Value {
    json!({ "model": deployment, "messages": [{ "role": "user", "content": prompt }] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curl_line_gets_its_token_from_the_current_sign_in() {
        let project = "https://acc.services.ai.azure.com/api/projects/p";
        let project = ProjectEndpoint::parse(project, None).expect("an endpoint");
        for (method, token) in [
            (CredentialMethod::Azd, "$(azd auth token --scope https://cognitiveservices.azure.com/.default)"),
            (
                CredentialMethod::AzCli,
                "$(az account get-access-token --scope https://cognitiveservices.azure.com/.default --query accessToken -o tsv)",
            ),
            (CredentialMethod::Emulator, "emulator"),
        ] {
            let line = Inference::new(None, &project, method).curl("it's", "Say hello");
            assert!(line.contains(&format!("-H \"Authorization: Bearer {token}\"")), "{line}");
            let words = shell_words::split(&line).expect("a command");
            assert_eq!(words[2], "https://acc.services.ai.azure.com/openai/v1/chat/completions");
            let body = r#"{"model":"it's","messages":[{"role":"user","content":"Say hello"}]}"#;
            assert_eq!(words.last().map(String::as_str), Some(body));
        }
    }

    /// Addresses come from the account, and tokens are sent only to Azure's.
    #[test]
    fn an_address_that_may_not_receive_tokens_is_not_used() {
        let project = "https://acc.services.ai.azure.com/api/projects/p";
        let project = ProjectEndpoint::parse(project, None).expect("an endpoint");
        for (endpoint, base) in [
            ("https://own.openai.azure.com/", "https://own.openai.azure.com/openai/v1/"),
            ("https://elsewhere.example/", "https://acc.services.ai.azure.com/openai/v1/"),
        ] {
            let account = json!({"id": "/subscriptions/s", "name": "acc", "properties": {"endpoint": endpoint}});
            let account: Account = serde_json::from_value(account).expect("an account");
            assert_eq!(Inference::new(Some(&account), &project, CredentialMethod::Azd).base(), base);
        }
    }
}
