//! Checks of azd, the token and the role.

use foundry_emulator::{Auth, Config, Fault, FaultKind, Route};
use serde_json::json;

use super::{TENANT, azd, check, doctor, failures, fixture, fixture_with, problems, token};

const OTHER_TENANT: &str = "bbbbbbbb-0000-4000-8000-000000000002";

#[test]
fn missing_azd_is_reported() {
    let mut env = fixture();
    std::fs::remove_file(env.bin().join("azd")).expect("removed");
    env.unset("AZURE_AI_MODELS_CREDENTIAL");
    insta::assert_snapshot!(failures(&doctor(&env), "azd, sign-in"), @"
    failed   azd         azd was not found  Fix: curl -fsSL https://aka.ms/install-azd.sh | bash
    failed   sign-in     azd is required to sign in, but was not found  Fix: curl -fsSL https://aka.ms/install-azd.sh | bash
    warning  role        not checked: see sign-in
    warning  blob-store  not checked: see role
    ");
    env.set("AZURE_AI_MODELS_CREDENTIAL", "emulator");
    insta::assert_snapshot!(problems(&doctor(&env)), @"warning  azd         azd was not found; the emulator signs in without it  Fix: curl -fsSL https://aka.ms/install-azd.sh | bash");
}

#[test]
fn azd_that_is_too_old_is_a_warning() {
    let env = fixture();
    env.program(
        "azd",
        &format!(
            r#"case $1 in version) echo '{{"azd":{{"version":"1.23.9"}}}}';; *) echo '{{"token":"{}","expiresOn":"2038-01-18T00:00:00Z"}}';; esac"#,
            token(TENANT, &json!({}))
        ),
    );
    insta::assert_snapshot!(problems(&doctor(&env)), @"warning  azd         1.23.9 ([ROOT]/bin/azd) is older than 1.24  Fix: curl -fsSL https://aka.ms/install-azd.sh | bash");
}

#[test]
fn token_claims_are_checked() {
    for (more, tenant, expected) in [
        (
            json!({"exp": 1_000_000_000}),
            "",
            "failed: the token of me@contoso.com ended 2001-09-09 01:46 UTC, by this machine's clock; azd auth login",
        ),
        (
            json!({}),
            OTHER_TENANT,
            "failed: the token of me@contoso.com is of tenant [UUID], not of AZURE_TENANT_ID [UUID]; azd auth login --tenant-id [UUID]",
        ),
        (
            json!({"aud": "https://management.azure.com/"}),
            "",
            "warning: azd: me@contoso.com, tenant [UUID], for https://management.azure.com/, until 2038-01-18 00:00 UTC; https://ai.azure.com/.default was asked for; azd auth login",
        ),
        (
            json!({"aud": "dddddddd-0000-4000-8000-000000000004", "upn": null, "appid": "an-app"}),
            TENANT,
            "ok: azd: an-app, tenant [UUID], for [UUID], until 2038-01-18 00:00 UTC; null",
        ),
    ] {
        let mut env = fixture();
        env.set("AZURE_TENANT_ID", tenant);
        azd(&mut env, Some(&token(TENANT, &more)));
        let check = check(&env, "sign-in");
        let text = |key: &str| check[key].as_str().unwrap_or("null").to_owned();
        assert_eq!(format!("{}: {}; {}", text("status"), text("message"), text("fix")), expected);
    }
}

#[test]
fn rejected_token_fails() {
    let env = fixture_with(Config { auth: Auth::RejectAll, ..Config::default() });
    insta::assert_snapshot!(failures(&doctor(&env), "role"), @"
    failed   role        Foundry rejected the token: The bearer *** is missing, expired, or not for this resource. (Unauthorized)  Fix: azd auth login
    warning  blob-store  not checked: see role
    ");
}

#[test]
fn token_of_another_tenant_fails() {
    let tenant = Some(OTHER_TENANT.to_owned());
    let env = fixture_with(Config { auth: Auth::RejectAll, tenant, ..Config::default() });
    insta::assert_snapshot!(failures(&doctor(&env), "role"), @"
    failed   role        the project belongs to tenant [UUID], and the token is of tenant [UUID] (401)  Fix: export AZURE_TENANT_ID=[UUID] && azd auth login --tenant-id [UUID]
    warning  blob-store  not checked: see role
    ");
}

#[test]
fn missing_role_fails() {
    let env = fixture();
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::status(403)));
    insta::assert_snapshot!(failures(&doctor(&env), "role"), @r#"
    failed   role        no permission: The emulator was told to fail. (InjectedFault)  Fix: az role assignment create --role "Azure AI User" --assignee [UUID] --scope PROJECT_ID
    warning  blob-store  not checked: see role
    "#);
}

#[test]
fn private_network_is_distinguished_from_a_missing_role() {
    let env = fixture();
    let refused = "Public access is disabled. Please configure private endpoint.";
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::refusal(403, "Forbidden", refused)));
    insta::assert_snapshot!(failures(&doctor(&env), "role"), @"
    failed   role        the project accepts connections from private networks only: Public access is disabled. Please configure private endpoint. (Forbidden)  Fix: Run this from a network that the project allows.
    warning  blob-store  not checked: see role
    ");
}
