//! Debug forms of the values that hold secrets.

use std::path::Path;

use azure_ai_models::testing::parse;
use azure_ai_models_core::azcopy::{CopyJob, JobSource};
use azure_ai_models_core::credential::{Audience, TokenSource, TokenTarget};
use azure_ai_models_core::env::{Env, Timings};
use azure_ai_models_core::http::{Method, Request, Retry};
use azure_ai_models_core::redact::{SecretUrl, Token};
use azure_ai_models_core::store::UploadLocation;
use serde_json::json;

use crate::support::CANARY;

/// `{:?}` is how secrets get into panics and traces.
#[test]
fn debug_forms_contain_no_secret() {
    let sas = || SecretUrl::new(format!("https://u:{CANARY}@h/c?sig={CANARY}").parse().expect("a URL"));
    let pending =
        UploadLocation { sas: sas(), blob_uri: "https://h/c".parse().expect("a URL"), id: Some("1".to_owned()) };
    let job = CopyJob {
        source: JobSource::Remote { url: sas() },
        destination: sas(),
        directory: "/private".into(),
        cap: None,
    };
    let vars = [
        ("AZURE_AI_MODELS_CREDENTIAL", "env"),
        ("AZURE_CLIENT_SECRET", CANARY),
        ("HTTPS_PROXY", "http://u:CANARY5A5@proxy"),
    ];
    let env = Env::from_vars(vars, Path::new("/"));
    let target = TokenTarget {
        host: "a.services.ai.azure.com",
        loopback: false,
        named_by_user: true,
        audience: Audience::Foundry,
    };
    let tokens = TokenSource::new(&env, target, None, Timings::default(), std::sync::Arc::new(|_| {})).expect("tokens");
    let request = Request::new(Method::GET, sas().expose().clone(), Retry::None)
        .tokens(&tokens)
        .json(&json!({"source": sas().expose().as_str()}));
    let source = format!("--source=https://a.blob.core.windows.net/c?sig={CANARY}");
    let line = ["azure-ai-models", "create", "--name", "ok", source.as_str()];
    for shown in [
        format!("{pending:?}"),
        format!("{job:?}"),
        format!("{tokens:?}"),
        format!("{request:?}"),
        format!("{env:?}"),
        format!("{:?}", Token::new(CANARY.to_owned())),
        format!("{:?}", parse(line.map(Into::into).to_vec()).expect("a command")),
    ] {
        assert!(!shown.contains(CANARY), "{shown}");
    }
}
