//! The `azd` program as a source of tokens: started in a process group of its own, which ends with it, and understood
//! in both shapes of its errors (contracts/azd-host.md 6).

use std::ffi::OsStr;
use std::io;
use std::process::{Output, Stdio};
use std::time::Duration;

use azure_identity::Executor;
use serde_json::Value;

use crate::env::{Env, var};

/// What azd told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// Its words.
    pub(super) words: String,
    /// Its suggestion.
    pub(super) suggestion: Option<String>,
}

/// Reads azd's words out of an error text that may hold either of its JSON shapes.
pub(super) fn told(text: &str) -> Told {
    let mut words = Vec::new();
    let mut suggestion = None;
    for line in text.lines() {
        let json = line.find('{').and_then(|at| serde_json::from_str::<Value>(&line[at..]).ok());
        match json {
            Some(document) => {
                let text =
                    |value: &Value| value.as_str().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
                let message = text(&document["data"]["message"])
                    .or_else(|| text(&document["message"]))
                    .or_else(|| text(&document["error"]));
                words.extend(message);
                suggestion = suggestion.or_else(|| text(&document["suggestion"]));
            }
            None if !line.trim().is_empty() => words.push(line.trim().to_owned()),
            None => {}
        }
    }
    let words = words.join("\n");
    let words = words.rsplit("ERROR: ").next().unwrap_or(&words).trim().to_owned();
    Told { words, suggestion }
}

/// Starts programs for azure_identity, which itself sets no limit and would leave the shell's child behind.
#[derive(Debug)]
pub(super) struct GroupExecutor {
    limit: Duration,
    path: String,
}

impl GroupExecutor {
    pub(super) fn new(env: &Env, limit: Duration) -> Self {
        // An empty or relative entry would let the working directory choose the program.
        let separator = if cfg!(windows) { ';' } else { ':' };
        let entries = env.get(var::PATH).unwrap_or_default().split(separator);
        let absolute: Vec<&str> = entries.filter(|entry| std::path::Path::new(entry).is_absolute()).collect();
        Self { limit, path: absolute.join(&separator.to_string()) }
    }
}

#[async_trait::async_trait]
impl Executor for GroupExecutor {
    async fn run(&self, program: &OsStr, args: &[&OsStr]) -> io::Result<Output> {
        let mut command = tokio::process::Command::new(program);
        command.args(args).env(var::PATH, &self.path);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn()?;
        let _group = Group(child.id());
        match tokio::time::timeout(self.limit, child.wait_with_output()).await {
            Ok(output) => output,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

/// Ends the whole group when dropped: at the limit, and when the person interrupts.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self.0.and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
            // An error means that it has ended already.
            rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes_of_azds_errors_are_understood() {
        for (text, words, suggestion) in [
            (
                r#"{"type":"consoleMessage","timestamp":"t","data":{"message":"\nERROR: not logged in, run `azd auth login` to login\n"}}"#,
                "not logged in, run `azd auth login` to login",
                None,
            ),
            (
                r#"AzureDeveloperCliCredential authentication failed. {"error":"x","message":"reauthentication required","suggestion":"Run azd auth login","links":[]}"#,
                "reauthentication required",
                Some("Run azd auth login"),
            ),
            ("plain words", "plain words", None),
        ] {
            assert_eq!(told(text), Told { words: words.into(), suggestion: suggestion.map(str::to_owned) });
        }
    }
}
