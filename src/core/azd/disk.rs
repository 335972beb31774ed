//! azd's files that may be read without azd (contracts/azd-host.md 7). Nothing is written here.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use thiserror::Error;

/// Where `azd ai project set` keeps the endpoint, in azd's configuration.
pub const ENDPOINT_KEY: &str = "extensions.ai-projects.context.endpoint";

/// azd's configuration is there and cannot be read.
#[derive(Debug, Error)]
#[error("azd's configuration {} cannot be read: {why}", path.display())]
pub struct ConfigError {
    path: PathBuf,
    why: io::Error,
}

/// The directory of the azd project around a directory.
#[must_use]
pub fn project_root(directory: &Path) -> Option<PathBuf> {
    let has_project = |path: &&Path| ["azure.yaml", "azure.yml"].iter().any(|name| path.join(name).is_file());
    directory.ancestors().find(has_project).map(Path::to_owned)
}

/// The environment that counts where none is named; `None` also when the file cannot be read.
#[must_use]
pub fn default_environment(root: &Path) -> Option<String> {
    let text = fs::read_to_string(root.join(".azure/config.json")).ok()?;
    let config: Value = serde_json::from_str(&text).ok()?;
    config["defaultEnvironment"].as_str().filter(|name| !name.is_empty()).map(str::to_owned)
}

/// True when the environment has a directory in the project.
#[must_use]
pub fn has_environment(root: &Path, environment: &str) -> bool {
    is_plain(environment) && root.join(".azure").join(environment).is_dir()
}

/// The names that stand in an environment's `.env`.
#[must_use]
pub fn names_in(root: &Path, environment: &str) -> Vec<String> {
    if !is_plain(environment) {
        return Vec::new();
    }
    // Not every editor writes UTF-8; names are ASCII in any case.
    let bytes = fs::read(root.join(".azure").join(environment).join(".env")).unwrap_or_default();
    names(&String::from_utf8_lossy(&bytes))
}

/// `NAME=value`, `export NAME=value` and `NAME: value`, as azd's reader takes them. A line within a longer value counts
/// too: a name too many costs less than a missed one.
fn names(text: &str) -> Vec<String> {
    let text = text.trim_start_matches('\u{feff}');
    let name = |line: &str| {
        let line = line.trim_start();
        let line = line.strip_prefix("export").filter(|rest| rest.starts_with(char::is_whitespace)).unwrap_or(line);
        let (name, _) = line.split_once(['=', ':'])?;
        let name = name.trim();
        (!name.is_empty() && !name.starts_with('#')).then(|| name.to_owned())
    };
    text.split(['\n', '\r']).filter_map(name).collect()
}

/// The endpoint that `azd ai project set` stored.
///
/// # Errors
/// When there is a configuration that cannot be read.
pub fn stored_endpoint(config_dir: &Path) -> Result<Option<String>, ConfigError> {
    let path = config_dir.join("config.json");
    let config: Value = match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).map_err(|why| ConfigError { path, why: why.into() })?,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(ConfigError { path, why }),
    };
    let value = ENDPOINT_KEY.split('.').fold(&config, |section, key| &section[key]);
    Ok(value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned))
}

/// A name that stays within `.azure`.
fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_however_they_are_written() {
        let text = "\u{feff}A=1\r\n  B = \"x\"\n# C=1\nexport\tD='y'\nE: z\nexported=1\n=no\nG\rH=1\n";
        assert_eq!(names(text), ["A", "B", "D", "E", "exported", "H"]);
    }

    #[test]
    fn a_name_does_not_lead_out_of_the_project() {
        let root = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(root.path().join(".azure/dev")).expect("directories");
        fs::write(root.path().join(".env"), "A=1").expect("a file");
        fs::write(root.path().join(".azure/dev/.env"), "B=1").expect("a file");
        assert_eq!(names_in(root.path(), "dev"), ["B"]);
        assert!(names_in(root.path(), "..").is_empty());
        assert!(names_in(root.path(), "dev/../..").is_empty());
        assert!(!has_environment(root.path(), ".."));
        assert!(has_environment(root.path(), "dev"));
    }
}
