//! Environment of AzCopy: the one of this program, without variables that would change how AzCopy signs in or that it
//! does not need.

use std::path::Path;

use crate::env::{Env, var};
use crate::platform::Platform;

/// True for variables that AzCopy must not receive: azd's and Azure's contain secrets and settings of this program;
/// AzCopy's own could make it use credentials other than the SAS.
fn withheld(name: &str) -> bool {
    // Windows ignores the case of names.
    let name = name.to_ascii_uppercase();
    ["AZD_", "AZURE_", "AZCOPY_SPA_"].iter().any(|prefix| name.starts_with(prefix)) || name == "AZCOPY_AUTO_LOGIN_TYPE"
}

/// Variables for every start of AzCopy, including `--version`.
pub(super) fn base(env: &Env) -> Vec<(String, String)> {
    let given = env.vars().filter(|(name, _)| !withheld(name));
    let mut vars: Vec<_> = given.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    // AzCopy uses Go's httpproxy, which does not support ALL_PROXY: it would connect to the store without the proxy
    // that this program used.
    let either = |name: &str| env.get(name).or_else(|| env.get(&name.to_ascii_lowercase()));
    if let (None, Some(proxy)) = (either(var::HTTPS_PROXY), either(var::ALL_PROXY)) {
        vars.retain(|(name, _)| !name.eq_ignore_ascii_case(var::HTTPS_PROXY));
        vars.push((var::HTTPS_PROXY.to_owned(), proxy.to_owned()));
    }
    vars
}

/// Variables of a job: log and plan in the private directory, and a home directory if there is none. Without a home
/// directory AzCopy writes into the working directory.
pub(super) fn for_job(base: &[(String, String)], directory: &Path) -> Vec<(String, String)> {
    let directory = directory.to_string_lossy().into_owned();
    let mut vars = base.to_vec();
    let mut set = |name: &str, value: String| {
        vars.retain(|(existing, _)| existing != name);
        vars.push((name.to_owned(), value));
    };
    set("AZCOPY_LOG_LOCATION", directory.clone());
    set("AZCOPY_JOB_PLAN_LOCATION", directory.clone());
    set("AZCOPY_DISABLE_SYSLOG", "true".to_owned());
    let home = Platform::CURRENT.home_variable();
    if !base.iter().any(|(name, value)| name == home && Path::new(value).is_absolute()) {
        set(home, directory);
    }
    vars
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_needed_variables_reach_azcopy() {
        for (name, value, kept) in [
            ("PATH", "/bin", true),
            ("HTTPS_PROXY", "http://proxy", true),
            ("SSL_CERT_FILE", "/cert", true),
            ("AZCOPY_BUFFER_GB", "0.25", true),
            ("AZCOPY_CONCURRENCY_VALUE", "4", true),
            ("AZDX", "1", true),
            ("AZD_SERVER", "127.0.0.1:1", false),
            ("AZD_ACCESS_TOKEN", "CANARY", false),
            ("AZURE_CLIENT_SECRET", "CANARY", false),
            ("Azure_Tenant_Id", "t", false),
            ("AZURE_AI_MODELS_CREDENTIAL", "env", false),
            ("AZCOPY_AUTO_LOGIN_TYPE", "AZCLI", false),
            ("AZCOPY_SPA_CLIENT_SECRET", "CANARY", false),
        ] {
            let vars = base(&Env::from_vars([(name, value)], Path::new("/")));
            assert_eq!(vars.iter().any(|(left, _)| left == name), kept, "{name}");
        }
    }

    #[test]
    fn all_proxy_is_passed_to_azcopy_as_https_proxy() {
        for (given, wanted) in [
            (&[("ALL_PROXY", "http://all")][..], Some("http://all")),
            (&[("all_proxy", "http://all"), ("HTTPS_PROXY", "")], Some("http://all")),
            (&[("ALL_PROXY", "http://all"), ("HTTPS_PROXY", "http://own")], Some("http://own")),
            // Windows uses one variable, Unix two.
            (
                &[("ALL_PROXY", "http://all"), ("https_proxy", "http://own")],
                if cfg!(windows) { Some("http://own") } else { None },
            ),
            (&[("HTTP_PROXY", "http://plain")], None),
        ] {
            let vars = base(&Env::from_vars(given.iter().copied(), Path::new("/")));
            let mut found = vars.iter().filter(|(name, _)| name == "HTTPS_PROXY").map(|(_, value)| value.as_str());
            assert_eq!((found.next(), found.next()), (wanted, None), "{given:?}");
        }
    }

    #[test]
    fn log_plan_and_a_missing_home_use_the_private_directory() {
        let given = |vars: &[(&str, &str)], name: &str| {
            let env = Env::from_vars(vars.iter().copied(), Path::new("/"));
            let all = for_job(&base(&env), Path::new("/private"));
            let mut values = all.into_iter().filter(|(left, _)| left == name).map(|(_, value)| value);
            (values.next(), values.next())
        };
        let private = (Some("/private".to_owned()), None);
        assert_eq!(given(&[("AZCOPY_LOG_LOCATION", "/elsewhere")], "AZCOPY_LOG_LOCATION"), private);
        assert_eq!(given(&[], "AZCOPY_JOB_PLAN_LOCATION"), private);
        let name = Platform::CURRENT.home_variable();
        let home = if cfg!(windows) { r"C:\Users\me" } else { "/home/me" };
        assert_eq!(given(&[], name), private);
        assert_eq!(given(&[(name, "relative")], name), private);
        assert_eq!(given(&[(name, home)], name), (Some(home.to_owned()), None));
        assert_eq!(given(&[], "AZCOPY_DISABLE_SYSLOG"), (Some("true".to_owned()), None));
    }
}
