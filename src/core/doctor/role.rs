//! Permission to read the project's models, tested by one GET that changes nothing. Pure.

use super::sign_in::login;
use super::{Check, CheckId, Claims, Fix, SignIn, set_variable};
use crate::env::var;
use crate::foundry::FirstPage;
use crate::http::{HttpError, ServiceError};
use crate::platform::Platform;
use crate::project::EndpointSource;

/// Request, its response and its credential.
#[derive(Clone, Copy, Debug)]
pub struct RoleRequest<'a> {
    /// Response of the service.
    pub answer: &'a Result<FirstPage, HttpError>,
    /// Sign-in of the request.
    pub sign_in: &'a SignIn,
    /// Source of the endpoint, and thereby of the tenant.
    pub source: &'a EndpointSource,
    /// ARM id of the project, if known.
    pub project_id: Option<&'a str>,
}

/// Verdict on the response.
#[must_use]
pub fn role(question: &RoleRequest<'_>) -> Check {
    let id = CheckId::Role;
    let Err(error) = question.answer else {
        return Check::ok(id, "the project's models can be read; an upload needs the role Azure AI User or more");
    };
    let Some(refusal) = error.service().filter(|refusal| !refusal.is_html()) else {
        return Check::failed(id, error.to_string(), Fix::of_program(&["custom", "list", "--debug"]));
    };
    match refusal.status {
        401 => unauthorized(refusal, question),
        403 if refusal.mentions(&["public access is disabled", "private endpoint", "virtual network"]) => {
            Check::failed(
                id,
                format!("the project accepts connections from private networks only: {refusal}"),
                "Run this from a network that the project allows.",
            )
        }
        403 => Check::failed(id, format!("no permission: {refusal}"), assignment(question)),
        404 => Check::failed(id, format!("project not found: {refusal}"), Fix::of_program(&["init", "--force"])),
        _ => Check::failed(id, format!("Foundry refused: {refusal}"), Fix::of_program(&["custom", "list", "--debug"])),
    }
}

fn unauthorized(refusal: &ServiceError, question: &RoleRequest<'_>) -> Check {
    let login = |tenant| login(question.sign_in.method(), tenant);
    let own = question.sign_in.claims().and_then(|claims| claims.tenant.as_deref());
    match refusal.tenant.as_deref() {
        Some(wanted) if own.is_none_or(|own| !own.eq_ignore_ascii_case(wanted)) => {
            let own = own.map(|own| format!(", and the token is of tenant {own}")).unwrap_or_default();
            let message = format!("the project belongs to tenant {wanted}{own} (401)");
            let set = match question.source {
                EndpointSource::Environment { name, .. } => {
                    format!("azd env set {} {wanted} -e {name}", var::AZURE_TENANT_ID)
                }
                _ => set_variable(Platform::CURRENT, var::AZURE_TENANT_ID, wanted),
            };
            Check::failed(CheckId::Role, message, format!("{set} && {}", login(Some(wanted))))
        }
        tenant => Check::failed(CheckId::Role, format!("Foundry rejected the token: {refusal}"), login(tenant)),
    }
}

fn assignment(question: &RoleRequest<'_>) -> String {
    assignment_to(question.sign_in.claims(), question.project_id)
}

/// Command for a user who may assign roles.
pub(super) fn assignment_to(claims: Option<&Claims>, project_id: Option<&str>) -> String {
    let assignee = claims.and_then(|claims| claims.object_id.as_deref()).unwrap_or("USER");
    let scope = project_id.unwrap_or("PROJECT_ID");
    format!("az role assignment create --role \"Azure AI User\" --assignee {assignee} --scope {scope}")
}
