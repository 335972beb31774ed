//! Sign-in against small fakes of `azd` and `az`.

use std::path::Path;
use std::sync::Arc;

use super::*;

const PUBLIC: TokenTarget<'_> =
    TokenTarget { host: "a.services.ai.azure.com", loopback: false, named_by_user: true, audience: Audience::Foundry };
const LOOPBACK: TokenTarget<'_> =
    TokenTarget { host: "127.0.0.1", loopback: true, named_by_user: true, audience: Audience::Foundry };

fn source(vars: &[(&str, &str)], target: TokenTarget<'_>) -> Result<TokenSource, CredentialError> {
    let env = Env::from_vars(vars.iter().copied(), Path::new("/"));
    let timings = Timings::from_env(&env);
    TokenSource::new(&env, target, None, timings, Arc::new(|_| ()))
}

#[test]
fn the_scope_follows_the_host() {
    for (host, scope) in [
        ("a.services.ai.azure.com", Some("https://ai.azure.com/.default")),
        ("a.services.ai.azure.us", Some("https://ai.azure.us/.default")),
        ("a.services.ai.azure.cn", None),
        ("127.0.0.1", Some("https://ai.azure.com/.default")),
    ] {
        let found =
            source(&[], TokenTarget { host, loopback: false, named_by_user: true, audience: Audience::Foundry });
        match scope {
            Some(scope) => assert_eq!(found.expect(host).scope(), scope),
            None => assert_eq!(found.expect_err(host), CredentialError::NoScope { host: host.into() }),
        }
    }
    let named = source(
        &[(var::SCOPE, "https://x/.default")],
        TokenTarget {
            host: "a.services.ai.azure.cn",
            loopback: false,
            named_by_user: true,
            audience: Audience::Foundry,
        },
    );
    assert_eq!(named.expect("a scope is named").scope(), "https://x/.default");
}

#[test]
fn the_control_plane_has_separate_scopes() {
    for (host, scope) in [
        ("a.services.ai.azure.com", "https://management.azure.com/.default"),
        ("a.services.ai.azure.us", "https://management.usgovcloudapi.net/.default"),
        ("a.services.ai.azure.cn", "https://management.chinacloudapi.cn/.default"),
        ("127.0.0.1", "https://management.azure.com/.default"),
    ] {
        let target = TokenTarget { host, loopback: false, named_by_user: true, audience: Audience::Arm };
        assert_eq!(source(&[(var::SCOPE, "https://x/.default")], target).expect(host).scope(), scope);
    }
}

#[test]
fn wrong_settings_are_usage_errors() {
    let unknown = source(&[(var::CREDENTIAL, "Azd")], PUBLIC).expect_err("words are exact");
    assert_eq!(unknown, CredentialError::UnknownMethod { word: "Azd".into() });
    assert!(unknown.suggestion().contains("azd, azcli, workload, managed, env, emulator"));
    let elsewhere = source(&[(var::CREDENTIAL, "emulator")], PUBLIC).expect_err("not loopback");
    assert!(unknown.is_usage() && elsewhere.is_usage());
}

#[tokio::test(flavor = "current_thread")]
async fn the_emulator_token_needs_no_program() {
    let source = source(&[(var::CREDENTIAL, "emulator")], LOOPBACK).expect("loopback");
    assert_eq!(source.token().await.expect("fixed").expose(), "emulator");
}

#[tokio::test(flavor = "current_thread")]
async fn a_service_principal_needs_its_three_variables_and_a_secret() {
    let incomplete = source(&[(var::CREDENTIAL, "env"), (var::AZURE_TENANT_ID, "t")], PUBLIC).expect("method");
    assert_eq!(
        incomplete.token().await.expect_err("no client"),
        CredentialError::MissingVariable { how: CredentialMethod::Env, name: var::AZURE_CLIENT_ID }
    );
    let certificate =
        source(&[(var::CREDENTIAL, "env"), (var::AZURE_CLIENT_CERTIFICATE_PATH, "/c.pem")], PUBLIC).expect("method");
    assert_eq!(certificate.token().await.expect_err("certificate"), CredentialError::Certificate);
}

#[cfg(unix)]
mod tools {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A directory with a shell script in it.
    fn tool(name: &str, script: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("directory");
        let path = dir.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("mode");
        dir
    }

    fn signed(dir: &Path, method: &str, time: &str) -> TokenSource {
        let path = format!("{}:/usr/bin:/bin", dir.display());
        let vars = [(var::PATH, path.as_str()), (var::CREDENTIAL, method), (var::TEST_TIME, time)];
        source(&vars, PUBLIC).expect("source")
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_token_is_cached_until_it_is_dropped() {
        let dir = tool(
            "azd",
            r#"echo "$@" >> "${0%/*}/calls"
echo "{\"token\":\"t$(wc -l < "${0%/*}/calls" | tr -d ' ')\",\"expiresOn\":\"2038-01-18T00:00:00+02:00\"}""#,
        );
        let source = signed(dir.path(), "azd", "1");
        assert_eq!(source.token().await.expect("first").expose(), "t1");
        assert_eq!(source.token().await.expect("kept").expose(), "t1");
        source.drop_cached();
        assert_eq!(source.token().await.expect("second").expose(), "t2");
        let calls = fs::read_to_string(dir.path().join("calls")).expect("calls");
        let call = "auth token -o json --no-prompt --scope https://ai.azure.com/.default\n";
        assert_eq!(calls, format!("{call}{call}"));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn concurrent_requests_start_one_azd() {
        let dir = tool(
            "azd",
            r#"echo x >> "${0%/*}/calls"; sleep 0.05
echo '{"token":"t","expiresOn":"2038-01-18T00:00:00Z"}'"#,
        );
        let source = signed(dir.path(), "azd", "1");
        let (left, right) = tokio::join!(source.token(), source.token());
        assert!(left.is_ok() && right.is_ok());
        assert_eq!(fs::read_to_string(dir.path().join("calls")).expect("calls"), "x\n");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_token_that_expires_soon_is_not_cached() {
        let dir = tool(
            "azd",
            r#"echo x >> "${0%/*}/calls"
echo "{\"token\":\"t\",\"expiresOn\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\"}""#,
        );
        let source = signed(dir.path(), "azd", "1");
        source.token().await.expect("first");
        source.token().await.expect("second");
        assert_eq!(fs::read_to_string(dir.path().join("calls")).expect("calls"), "x\nx\n");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn azds_own_suggestion_is_passed_on() {
        let dir = tool(
            "azd",
            r#"echo '{"error":"e","message":"expired","suggestion":"Run azd auth login --tenant-id T","links":null}' >&2
exit 1"#,
        );
        let error = signed(dir.path(), "azd", "1").token().await.expect_err("expired");
        assert_eq!(
            error,
            CredentialError::NotSignedIn {
                how: CredentialMethod::Azd,
                message: "expired".into(),
                suggestion: Some("Run azd auth login --tenant-id T".into())
            }
        );
        assert_eq!(error.suggestion(), "Run azd auth login --tenant-id T");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn failures_are_distinguished() {
        let network = r#"echo '{"data":{"message":"ERROR: fetching token: no such host"}}' >&2; exit 1"#;
        let refused = |how, message: &str| CredentialError::Refused { how, message: message.into(), suggestion: None };
        for (name, method, script, error) in [
            ("azd", "azd", network, refused(CredentialMethod::Azd, "fetching token: no such host")),
            ("azd", "azd", "echo '{\"token\":\"CANARY\"}'", CredentialError::Unreadable { how: CredentialMethod::Azd }),
            (
                "az",
                "azcli",
                "echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1",
                CredentialError::NotSignedIn {
                    how: CredentialMethod::AzCli,
                    message: "Please run 'az login' to setup account.".into(),
                    suggestion: None,
                },
            ),
        ] {
            let dir = tool(name, script);
            assert_eq!(signed(dir.path(), method, "1").token().await.expect_err(script), error);
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_azd_in_the_working_directory_is_ignored() {
        let dir = tool("azd", r#"echo '{"token":"t","expiresOn":"2038-01-18T00:00:00Z"}'"#);
        let env = Env::from_vars([(var::PATH, ":.:relative")], dir.path());
        let source = TokenSource::new(&env, PUBLIC, None, Timings::default(), Arc::new(|_| ())).expect("source");
        let error = source.token().await.expect_err("nothing is found");
        assert!(matches!(error, CredentialError::ProgramMissing { program: "azd", .. }), "{error:?}");
        assert!(error.suggestion().contains("https://aka.ms/azd-install"));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_tenant_or_scope_with_shell_syntax_is_rejected() {
        let env = Env::from_vars([], Path::new("/"));
        let source = TokenSource::new(&env, PUBLIC, Some("t; rm -rf /"), Timings::default(), Arc::new(|_| ()));
        let error = source.expect("source").token().await.expect_err("tenant");
        assert!(matches!(error, CredentialError::BadConfiguration { how: CredentialMethod::Azd, .. }), "{error:?}");
        let error =
            super::source(&[(var::SCOPE, "x; rm -rf /")], PUBLIC).expect("source").token().await.expect_err("scope");
        assert!(matches!(error, CredentialError::BadConfiguration { how: CredentialMethod::Azd, .. }), "{error:?}");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn the_time_limit_kills_the_whole_process_group() {
        let dir = tool("azd", r#"sleep 300 & echo $! > "${0%/*}/child"; wait"#);
        let source = signed(dir.path(), "azd", "0.1");
        let error = source.token().await.expect_err("too slow");
        assert!(matches!(error, CredentialError::TimedOut { how: CredentialMethod::Azd, .. }), "{error:?}");
        let child: i32 = fs::read_to_string(dir.path().join("child")).expect("pid").trim().parse().expect("number");
        let child = rustix::process::Pid::from_raw(child).expect("pid");
        // After the kill its parent may need time to reap it; /proc shows that.
        for _ in 0..1500 {
            if rustix::process::test_kill_process(child).is_err() || is_zombie(child) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the child of azd still runs");
    }

    fn is_zombie(pid: rustix::process::Pid) -> bool {
        fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).is_ok_and(|stat| stat.contains(") Z "))
    }
}
