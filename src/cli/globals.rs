//! Merges the global options. The dual `-e` is resolved here, and nowhere else.

use thiserror::Error;

use super::GlobalArgs;
use crate::globals::{EnvironmentNameError, Globals, check_environment_name};

/// Global options that contradict each other.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum GlobalsError {
    /// Two endpoints.
    #[error("more than one project endpoint is given")]
    TwoEndpoints,
    /// Two environments.
    #[error("more than one azd environment is given")]
    TwoEnvironments,
    /// Two directories to change to.
    #[error("more than one working directory is given")]
    TwoDirectories,
    /// `--environment https://...`.
    #[error("--environment accepts a name, not a URL")]
    EnvironmentIsUrl,
    /// An environment name that azd would not accept.
    #[error(transparent)]
    BadEnvironment(#[from] EnvironmentNameError),
}

/// Takes the dual `-e` apart and refuses what was given twice.
///
/// # Errors
/// See [`GlobalsError`].
pub(crate) fn merge(args: &GlobalArgs) -> Result<Globals, GlobalsError> {
    let (urls, names): (Vec<&String>, Vec<&String>) =
        args.endpoint_or_environment.iter().partition(|value| is_url(value));
    if args.environment.iter().any(|value| is_url(value)) {
        return Err(GlobalsError::EnvironmentIsUrl);
    }
    let endpoint = at_most_one(args.project_endpoint.iter().chain(urls)).ok_or(GlobalsError::TwoEndpoints)?;
    let environment = at_most_one(args.environment.iter().chain(names)).ok_or(GlobalsError::TwoEnvironments)?;
    let cwd = at_most_one(args.cwd.iter()).ok_or(GlobalsError::TwoDirectories)?;
    environment.as_deref().map_or(Ok(()), check_environment_name)?;
    Ok(Globals {
        endpoint,
        environment,
        subscription: args.subscription.clone().filter(|id| !id.trim().is_empty()),
        output: args.output,
        no_prompt: args.no_prompt,
        debug: args.debug,
        quiet: args.quiet == Some(true),
        cwd,
    })
}

fn is_url(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    lower.starts_with("https://") || lower.starts_with("http://")
}

/// `None` if there are several.
fn at_most_one<'a, T: Clone + 'a>(mut values: impl Iterator<Item = &'a T>) -> Option<Option<T>> {
    let first = values.next().cloned();
    match values.next() {
        None => Some(first),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::super::{Cli, hoist_globals};
    use super::*;
    use crate::globals::OutputFormat;

    fn merged(line: &str) -> Result<Globals, GlobalsError> {
        let words = hoist_globals(&Cli::command(), line.split_whitespace().map(Into::into).collect());
        let cli = Cli::try_parse_from(words).expect("a command line");
        merge(&cli.globals)
    }

    #[test]
    fn one_option_is_read_as_endpoint_or_environment_in_any_position() {
        for line in [
            "p -e dev custom list -e https://x",
            "p custom -e dev list -e https://x",
            "p custom list -e https://x -e dev",
            "p -e https://x --environment dev list",
            "p --environment=dev list --project-endpoint https://x",
            "p list -edev -e=https://x",
        ] {
            let globals = merged(line).expect(line);
            assert_eq!(globals.endpoint.as_deref(), Some("https://x"), "{line}");
            assert_eq!(globals.environment.as_deref(), Some("dev"), "{line}");
        }
    }

    #[test]
    fn two_of_one_kind_are_refused() {
        assert_eq!(merged("p -e https://x list -e https://y"), Err(GlobalsError::TwoEndpoints));
        assert_eq!(merged("p -e a list --environment b"), Err(GlobalsError::TwoEnvironments));
        assert_eq!(merged("p custom uploads -e a list -e b"), Err(GlobalsError::TwoEnvironments));
        assert_eq!(merged("p uploads -e a list --environment b"), Err(GlobalsError::TwoEnvironments));
        for line in ["p -C x list --cwd y", "p custom uploads -C x list -C y", "p uploads list -C x -C y"] {
            assert_eq!(merged(line), Err(GlobalsError::TwoDirectories), "{line}");
        }
        assert_eq!(merged("p -e https://x uploads -e https://y list"), Err(GlobalsError::TwoEndpoints));
        assert_eq!(merged("p list --environment https://x"), Err(GlobalsError::EnvironmentIsUrl));
        assert_eq!(merged("p list -e a/b"), Err(EnvironmentNameError("a/b".into()).into()));
    }

    #[test]
    fn switches_take_a_value_behind_an_equals_sign_and_the_last_one_wins() {
        assert_eq!(merged("p list --debug=false").map(|g| g.debug), Ok(Some(false)));
        assert_eq!(merged("p --no-prompt list").map(|g| g.no_prompt), Ok(Some(true)));
        assert_eq!(merged("p --non-interactive=true list").map(|g| g.no_prompt), Ok(Some(true)));
        assert_eq!(merged("p -o json list -o table").map(|g| g.output), Ok(OutputFormat::Table));
    }
}
