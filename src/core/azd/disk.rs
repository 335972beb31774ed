//! azd's files that may be read without azd. Writes nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use thiserror::Error;

use super::dotenv;

/// Key of the endpoint that `azd ai project set` stores in azd's configuration.
pub const ENDPOINT_KEY: &str = "extensions.ai-projects.context.endpoint";

/// azd's configuration exists and cannot be read.
#[derive(Debug, Error)]
#[error("the azd configuration {} cannot be read: {why}", path.display())]
pub struct ConfigError {
    path: PathBuf,
    why: io::Error,
}

/// Root of the azd project that a directory belongs to.
#[must_use]
pub fn project_root(directory: &Path) -> Option<PathBuf> {
    let has_project = |path: &&Path| ["azure.yaml", "azure.yml"].iter().any(|name| path.join(name).is_file());
    directory.ancestors().find(has_project).map(Path::to_owned)
}

/// Default environment of the project.
///
/// # Errors
/// When the file exists and cannot be read, or azd, which ignores the case of keys, may read a different name.
pub fn default_environment(root: &Path) -> io::Result<Option<String>> {
    const KEY: &str = "defaultEnvironment";
    let text = match fs::read(root.join(".azure/config.json")) {
        Ok(text) => text,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(why),
    };
    let config: serde_json::Map<String, Value> = serde_json::from_slice(&text)?;
    if config.keys().any(|key| key != KEY && key.eq_ignore_ascii_case(KEY)) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a key is like {KEY}")));
    }
    Ok(config.get(KEY).and_then(Value::as_str).filter(|name| !name.is_empty()).map(str::to_owned))
}

/// True if the environment has a directory in the project.
#[must_use]
pub fn has_environment(root: &Path, environment: &str) -> bool {
    is_plain(environment) && root.join(".azure").join(environment).is_dir()
}

/// Names of all environments that have a directory in the project.
///
/// # Errors
/// When the project's `.azure` exists and cannot be read.
pub fn environments(root: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(root.join(".azure")) {
        Ok(entries) => entries,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => return Err(why),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        // A link to a directory is an environment too.
        if entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// Names that an environment's `.env` may set. Empty for an environment without that file.
///
/// # Errors
/// When the file exists and cannot be read.
pub fn names_in(root: &Path, environment: &str) -> io::Result<Vec<String>> {
    if !is_plain(environment) {
        return Ok(Vec::new());
    }
    match fs::read(root.join(".azure").join(environment).join(".env")) {
        Ok(text) => Ok(dotenv::names(&text)),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(why) => Err(why),
    }
}

/// Endpoint that `azd ai project set` stored.
///
/// # Errors
/// When a configuration exists and cannot be read.
pub fn stored_endpoint(config_dir: &Path) -> Result<Option<String>, ConfigError> {
    configured(config_dir, ENDPOINT_KEY)
}

/// Default subscription in azd's own prompts: `azd config set defaults.subscription ID`.
///
/// # Errors
/// When a configuration exists and cannot be read.
pub fn default_subscription(config_dir: &Path) -> Result<Option<String>, ConfigError> {
    configured(config_dir, "defaults.subscription")
}

/// Text value in azd's configuration; an empty one counts as unset.
fn configured(config_dir: &Path, key: &str) -> Result<Option<String>, ConfigError> {
    let path = config_dir.join("config.json");
    let config: Value = match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).map_err(|why| ConfigError { path, why: why.into() })?,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(ConfigError { path, why }),
    };
    let value = key.split('.').fold(&config, |section, key| &section[key]);
    Ok(value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned))
}

/// True for a name that stays within `.azure`.
fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_does_not_lead_out_of_the_project() {
        let root = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(root.path().join(".azure/dev")).expect("directories");
        fs::write(root.path().join(".env"), "A=1").expect("a file");
        fs::write(root.path().join(".azure/dev/.env"), "B=1").expect("a file");
        let names = |environment: &str| names_in(root.path(), environment).expect("readable");
        assert_eq!(names("dev"), ["B"]);
        assert!(names("..").is_empty());
        assert!(names("dev/../..").is_empty());
        assert_eq!(environments(root.path()).expect("readable"), ["dev"]);
        assert!(!has_environment(root.path(), ".."));
        assert!(has_environment(root.path(), "dev"));
    }
}
