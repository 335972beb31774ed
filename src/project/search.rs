//! The search for the project: option, azd environment, azd's user configuration, process environment (cli.md 4). The
//! first place that names one wins.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::endpoint::ProjectEndpoint;
use super::{EndpointSource, FindError, Found};
use crate::azd::{AzdHost, Program, ProgramError};
use crate::env::{Env, var};
use crate::model::{Report, Reporter};

/// The variables that widen trust: they count only from the person's own environment.
const TRUST: [&str; 6] =
    [var::ALLOW_HOST, var::AZCOPY_URL, var::AZCOPY_SHA256, var::ARM_ENDPOINT, var::CREDENTIAL, var::SCOPE];
/// The file that makes a directory an azd project.
const AZD_PROJECT: &str = "azure.yaml";

/// Where azd can be asked.
pub enum Azd<'a> {
    /// It runs this program.
    Host(&'a AzdHost),
    /// It does not.
    Program(&'a Program),
}

/// What the person says about the project.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// `--project-endpoint`.
    pub endpoint: Option<&'a str>,
    /// `-e NAME`.
    pub environment: Option<&'a str>,
}

/// Searches for the project.
///
/// # Errors
/// See [`FindError`].
pub async fn find(env: &Env, asked: Asked<'_>, azd: Azd<'_>, report: &Reporter) -> Result<Found, FindError> {
    let named = asked.environment.or_else(|| env.get(var::AZD_ENVIRONMENT));
    distrust(env, &file_values(env.cwd(), named), report);
    if let Some(text) = asked.endpoint {
        return found(env, text, EndpointSource::Option, None);
    }
    if let Some((name, values)) = environment(env, asked.environment, named, azd, report).await? {
        distrust(env, &values, report);
        let value = |key: &str| resolved(env, key, values.get(key).map(String::as_str)).filter(|text| !text.is_empty());
        if let Some((text, key)) = endpoint_of(&value) {
            let source = EndpointSource::Environment { name, key };
            return found(env, &text, source, value(var::AZURE_TENANT_ID));
        }
        let text = format!("the azd environment '{name}' names no Foundry project");
        report(Report::Debug(text));
    }
    if let Some(text) = user_config(env) {
        return found(env, &text, EndpointSource::UserConfig, None);
    }
    for name in [var::AZURE_PROJECT_ENDPOINT, var::FOUNDRY_PROJECT_ENDPOINT] {
        if let Some(text) = env.get(name) {
            return found(env, text, EndpointSource::Variable(name), None);
        }
    }
    Err(FindError::NotConfigured)
}

/// The tenant is that of the source, else of the process environment (cli.md 13).
fn found(env: &Env, text: &str, source: EndpointSource, tenant: Option<String>) -> Result<Found, FindError> {
    match ProjectEndpoint::parse(text, env.get(var::ALLOW_HOST)) {
        Ok(endpoint) => {
            let tenant = tenant.or_else(|| env.get(var::AZURE_TENANT_ID).map(str::to_owned));
            Ok(Found { endpoint, source, tenant })
        }
        Err(error) => Err(FindError::Invalid { source_name: source, error }),
    }
}

/// The endpoint that an environment names, and by what.
fn endpoint_of(value: &impl Fn(&str) -> Option<String>) -> Option<(String, &'static str)> {
    if let Some(text) = value(var::AZURE_PROJECT_ENDPOINT) {
        return Some((text, var::AZURE_PROJECT_ENDPOINT));
    }
    if let (Some(account), Some(project)) = (value(var::AZURE_ACCOUNT_NAME), value(var::AZURE_PROJECT_NAME)) {
        let text = format!("https://{account}.services.ai.azure.com/api/projects/{project}");
        return Some((text, "AZURE_ACCOUNT_NAME and AZURE_PROJECT_NAME"));
    }
    value(var::FOUNDRY_PROJECT_ENDPOINT).map(|text| (text, var::FOUNDRY_PROJECT_ENDPOINT))
}

/// A reference to a key vault is resolved by azd when it starts this program, and stands in the process environment.
fn resolved(env: &Env, key: &str, value: Option<&str>) -> Option<String> {
    let value = value?;
    if value.starts_with("akvs://") || value.starts_with("@Microsoft.KeyVault(") {
        return env.get(key).map(str::to_owned);
    }
    Some(value.to_owned())
}

type Values = BTreeMap<String, String>;

/// The azd environment that counts, with its values; `None` where there is none.
async fn environment(
    env: &Env,
    option: Option<&str>,
    named: Option<&str>,
    azd: Azd<'_>,
    report: &Reporter,
) -> Result<Option<(String, Values)>, FindError> {
    match azd {
        Azd::Host(host) => {
            if host.project().await?.is_none() {
                return option.map_or(Ok(None), |name| Err(FindError::NoAzdProject { name: name.to_owned() }));
            }
            let environments = host.environments().await?;
            let name = match named {
                Some(name) if environments.iter().any(|one| one.name == name) => name.to_owned(),
                Some(name) => return Err(FindError::NoSuchEnvironment { name: name.to_owned() }),
                None => match environments.into_iter().find(|one| one.is_default) {
                    Some(default) => default.name,
                    None => return Ok(None),
                },
            };
            let values = host.values(&name).await?;
            Ok(Some((name, values)))
        }
        Azd::Program(program) => {
            let Some(root) = project_root(env.cwd()) else {
                return option.map_or(Ok(None), |name| Err(FindError::NoAzdProject { name: name.to_owned() }));
            };
            let shown = named.map(str::to_owned).or_else(|| default_environment(&root));
            match program.values(named).await {
                Ok(values) => Ok(Some((shown.unwrap_or_else(|| "default".to_owned()), values))),
                Err(ProgramError::Missing) if option.is_none() => {
                    let words = "The azd project here is not read: the program 'azd' was not found on PATH.";
                    report(Report::Warning(words.to_owned()));
                    Ok(None)
                }
                // azd has no code for an environment that is not there.
                Err(ProgramError::Failed(words)) => match named {
                    Some(name) if words.contains("not found") || words.contains("does not exist") => {
                        Err(FindError::NoSuchEnvironment { name: name.to_owned() })
                    }
                    Some(_) => Err(FindError::Program(ProgramError::Failed(words))),
                    None => {
                        report(Report::Debug(format!("azd names no environment: {words}")));
                        Ok(None)
                    }
                },
                Err(error) => Err(FindError::Program(error)),
            }
        }
    }
}

/// `extensions.ai-projects.context.endpoint`: what `azd ai project set` writes.
fn user_config(env: &Env) -> Option<String> {
    let text = std::fs::read(env.azd_config_dir()?.join("config.json")).ok()?;
    let config: serde_json::Value = serde_json::from_slice(&text).ok()?;
    let endpoint = config.pointer("/extensions/ai-projects/context/endpoint")?.as_str()?;
    (!endpoint.is_empty()).then(|| endpoint.to_owned())
}

/// The directory of the azd project, upward from here.
fn project_root(cwd: &Path) -> Option<PathBuf> {
    cwd.ancestors().find(|directory| directory.join(AZD_PROJECT).is_file()).map(Path::to_owned)
}

fn default_environment(root: &Path) -> Option<String> {
    let text = std::fs::read(root.join(".azure/config.json")).ok()?;
    let config: serde_json::Value = serde_json::from_slice(&text).ok()?;
    config["defaultEnvironment"].as_str().map(str::to_owned)
}

/// The names that the project's own file sets: azd puts them into the environment of what it starts.
fn file_values(cwd: &Path, named: Option<&str>) -> Values {
    let Some(root) = project_root(cwd) else { return Values::new() };
    let Some(name) = named.map(str::to_owned).or_else(|| default_environment(&root)) else { return Values::new() };
    let Ok(text) = std::fs::read_to_string(root.join(".azure").join(name).join(".env")) else { return Values::new() };
    let names = text.lines().filter_map(|line| line.trim().trim_start_matches("export ").split_once('='));
    names.map(|(name, _)| (name.trim().to_owned(), String::new())).collect()
}

/// A cloned repository must not choose where tokens go.
fn distrust(env: &Env, values: &Values, report: &Reporter) {
    for name in TRUST.into_iter().filter(|name| values.contains_key(*name)) {
        if env.distrust(name) {
            report(Report::Warning(format!(
                "{name} stands in the azd environment and is ignored: it counts only from your own environment."
            )));
        }
    }
}
