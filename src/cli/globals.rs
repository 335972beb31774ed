//! The global options, and what they mean together. The dual `-e` is resolved here, and nowhere else.

use thiserror::Error;

use crate::commands::headings;
use crate::globals::{EnvironmentNameError, Globals, OutputFormat, check_environment_name};
use clap::builder::BoolishValueParser;
use clap::{Args, ValueHint};

/// Options that are accepted before or after the command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = headings::GLOBAL)]
pub(crate) struct GlobalArgs {
    /// Foundry project endpoint
    ///
    /// Written as https://ACCOUNT.services.ai.azure.com/api/projects/PROJECT. Without it, the endpoint comes from the azd
    /// environment, else from AZURE_PROJECT_ENDPOINT or FOUNDRY_PROJECT_ENDPOINT.
    #[arg(long, global = true, value_name = "URL", action = clap::ArgAction::Append, value_hint = ValueHint::Url, hide_short_help = true)]
    pub(crate) project_endpoint: Vec<String>,

    /// Project endpoint (http:// or https://), or name of an azd environment
    #[arg(short = 'e', global = true, value_name = "URL|NAME", action = clap::ArgAction::Append)]
    pub(crate) endpoint_or_environment: Vec<String>,

    /// azd environment [env: AZD_ENVIRONMENT]
    #[arg(long, global = true, value_name = "NAME", action = clap::ArgAction::Append, hide_short_help = true)]
    pub(crate) environment: Vec<String>,

    /// Azure subscription
    #[arg(short, long, global = true, value_name = "ID", hide_short_help = true)]
    pub(crate) subscription: Option<String>,

    /// Output format: table or json
    #[arg(
        short,
        long,
        global = true,
        value_name = "FORMAT",
        value_enum,
        ignore_case = true,
        default_value = "table",
        hide_possible_values = true
    )]
    pub(crate) output: OutputFormat,

    /// Never prompt; fail if a required answer is missing [env: AZD_NO_PROMPT]
    ///
    /// Values that a prompt offers as default are used. Consent is never assumed: it needs its option, such as --yes or
    /// --force.
    #[arg(long, global = true, alias = "non-interactive", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_parser = BoolishValueParser::new())]
    pub(crate) no_prompt: Option<bool>,

    /// Trace requests and child processes on stderr, with secrets masked [env: AZD_DEBUG]
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_parser = BoolishValueParser::new(), hide_short_help = true)]
    pub(crate) debug: Option<bool>,

    /// Hide progress and hints; list, versions and create print names only
    #[arg(short, long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_parser = BoolishValueParser::new())]
    pub(crate) quiet: Option<bool>,

    /// Change to this directory first [env: AZD_CWD]
    #[arg(short = 'C', long, global = true, value_name = "DIR", action = clap::ArgAction::Append, value_hint = ValueHint::DirPath, hide_short_help = true)]
    pub(crate) cwd: Vec<std::path::PathBuf>,

    /// Print the URL of the documentation
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_parser = BoolishValueParser::new(), hide_short_help = true)]
    pub(crate) docs: Option<bool>,

    /// Print help (see more with '--help')
    #[arg(short, long, global = true, action = clap::ArgAction::Help, long_help = "Print help (see a summary with '-h')")]
    pub(crate) help: Option<bool>,

    /// Option of azd (accepted and ignored)
    #[arg(long, global = true, value_name = "FILE", hide = true)]
    pub(crate) trace_log_file: Option<std::path::PathBuf>,

    /// Option of azd (accepted and ignored)
    #[arg(long, global = true, value_name = "URL", hide = true)]
    pub(crate) trace_log_url: Option<String>,
}

/// Global options that contradict each other.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum GlobalsError {
    /// Two different endpoints.
    #[error("more than one project endpoint is given")]
    TwoEndpoints,
    /// Two different environments.
    #[error("more than one azd environment is given")]
    TwoEnvironments,
    /// Two different directories.
    #[error("more than one working directory is given")]
    TwoDirectories,
    /// `--environment https://...`.
    #[error("--environment accepts a name, not a URL")]
    EnvironmentIsUrl,
    /// An environment name that azd would not accept.
    #[error(transparent)]
    BadEnvironment(#[from] EnvironmentNameError),
}

/// Resolves the dual `-e` and rejects options that were given twice.
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

/// Returns the only distinct value; `None` if there are several.
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
    fn conflicting_global_options_are_rejected() {
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
    fn flags_accept_a_value_after_an_equals_sign_and_the_last_one_wins() {
        assert_eq!(merged("p list --debug=false").map(|g| g.debug), Ok(Some(false)));
        assert_eq!(merged("p --no-prompt list").map(|g| g.no_prompt), Ok(Some(true)));
        assert_eq!(merged("p --non-interactive=true list").map(|g| g.no_prompt), Ok(Some(true)));
        assert_eq!(merged("p -o json list -o table").map(|g| g.output), Ok(OutputFormat::Table));
    }
}
