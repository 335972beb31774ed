//! Process environment without the variables that azd took from an azd environment.
//!
//! reqwest, rustls, azure_identity, dirs and child processes read the process environment themselves, so omitting a
//! variable from `Env` would not suffice: it is removed from the process, before a second thread exists and before any
//! library reads it.

use std::collections::BTreeSet;

use azure_ai_models_core::azd::{InjectedVariables, VariableOrigin, injected};
use azure_ai_models_core::env::{Env, Timings, var};

/// Process environment, with the variables of azd environments removed.
pub(crate) struct Inherited {
    /// Environment without the ignored variables.
    pub(crate) env: Env,
    /// Warnings about removed variables that would have changed the behaviour of this program.
    pub(crate) warnings: Vec<String>,
    /// Removed names that would have had no effect.
    pub(crate) left_out: Vec<String>,
}

/// Removes variables from the process environment that an azd environment may not set; `env` is its snapshot. Must be
/// called once, by the only thread. azd is asked if the command does work; other commands need no variable whose origin
/// matters, and run without all of them.
pub(crate) fn environment(env: Env, is_work: bool) -> Inherited {
    if !env.run_by_azd() {
        return Inherited { env, warnings: Vec::new(), left_out: Vec::new() };
    }
    let (injected, is_silent) = if is_work { ask(&env) } else { (not_queried(), false) };
    let (mut ignored, mut from_azd) = (Vec::new(), BTreeSet::new());
    for (name, value) in std::env::vars_os() {
        let text = name.to_string_lossy().into_owned();
        match injected.origin(&text, &value.to_string_lossy()) {
            VariableOrigin::User => {}
            VariableOrigin::AzdEnvironment => drop(from_azd.insert(text)),
            VariableOrigin::Ignored => {
                #[expect(unsafe_code, reason = "the standard library has no other way to unset a variable")]
                // SAFETY: this is the only thread: `main` has started none, and `ask` uses only a runtime on this
                // thread.
                unsafe {
                    std::env::remove_var(&name);
                }
                ignored.push(text);
            }
        }
    }
    let mut env = Env::from_process();
    env.set_from_azd(from_azd);
    if is_silent {
        env.set_azd_silent();
    }
    if !is_work {
        return Inherited { env, warnings: Vec::new(), left_out: ignored };
    }
    let matters = |name: &String| is_consequential(name, env.get(var::CREDENTIAL).is_some());
    let (warned, left_out) = ignored.into_iter().partition(matters);
    Inherited { env, warnings: warnings(&injected, warned), left_out }
}

fn not_queried() -> InjectedVariables {
    InjectedVariables::Unknown { why: "azd was not asked".into() }
}

/// Variables that azd injected, and whether azd failed to respond within the limit.
fn ask(env: &Env) -> (InjectedVariables, bool) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(why) => return (InjectedVariables::Unknown { why: format!("azd cannot be asked: {why}") }, false),
    };
    runtime.block_on(injected(env, &Timings::from_env(env)))
}

/// True for variables that this program, or a program that it starts, would have used. Most values of an azd
/// environment belong to the application, and do not need a notice.
fn is_consequential(name: &str, signs_in_by_itself: bool) -> bool {
    let upper = name.to_ascii_uppercase();
    let starts = ["AZURE_AI_MODELS_", "AZCOPY_", "SSL_CERT_", "AZD_", "HF_", "HUGGING_FACE_"]
        .iter()
        .any(|prefix| upper.starts_with(prefix));
    let of_sign_in = ["AZURE_CLIENT_", "AZURE_AUTHORITY_", "AZURE_FEDERATED_", "IDENTITY_", "MSI_"];
    starts
        || upper.ends_with("_PROXY")
        || ["PATH", "HOME", "USERPROFILE", "AZURE_CONFIG_DIR"].contains(&&*upper)
        || (signs_in_by_itself && of_sign_in.iter().any(|prefix| upper.starts_with(prefix)))
}

fn warnings(injected: &InjectedVariables, names: Vec<String>) -> Vec<String> {
    if let InjectedVariables::Unknown { why } = injected {
        return vec![format!(
            "azd did not report which variables come from the azd environment, and {why}. Only variables that name a project are used; proxies, certificates, PATH and settings of this extension are ignored."
        )];
    }
    let warning = |name: String| {
        let owner = injected.owner(&name).unwrap_or_default();
        format!(
            "{name} is ignored: it is set by the azd environment '{owner}', but only accepted from your own environment"
        )
    };
    names.into_iter().map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_consequential_variables_cause_a_warning() {
        for (name, signs_in_by_itself, expected) in [
            ("https_proxy", false, true),
            ("NO_PROXY", false, true),
            ("PATH", false, true),
            ("AZCOPY_CONCURRENCY_VALUE", false, true),
            ("AZURE_AI_MODELS_SCOPE", false, true),
            ("HF_ENDPOINT", false, true),
            ("HUGGING_FACE_HUB_TOKEN", false, true),
            ("AZURE_CLIENT_ID", false, false),
            ("AZURE_CLIENT_ID", true, true),
            ("AZURE_AUTHORITY_HOST", true, true),
            ("SERVICE_API_NAME", true, false),
        ] {
            assert_eq!(is_consequential(name, signs_in_by_itself), expected, "{name}");
        }
    }
}
