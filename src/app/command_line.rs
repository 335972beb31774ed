//! Commands of this program as a user would type them: with the given global options, quoted for the shell.

use super::App;
use crate::globals::{AZD_PROGRAM, PROGRAM};
use crate::shell::{option_arguments, quoted};

impl App {
    /// Returns a command with the global options that determine what this run works on.
    #[must_use]
    pub(crate) fn command_line(&self, args: &[&str]) -> String {
        let globals = &self.globals;
        let options = [
            ("--project-endpoint", globals.endpoint.as_deref()),
            ("--environment", globals.environment.as_deref()),
            ("--subscription", globals.subscription.as_deref()),
        ];
        self.joined(args, &options)
    }

    /// Returns a command that works on the project of an azd environment; `None` means the default one.
    #[must_use]
    pub(crate) fn command_line_in(&self, environment: Option<&str>, args: &[&str]) -> String {
        self.joined(args, &[("-e", environment)])
    }

    fn joined(&self, args: &[&str], options: &[(&str, Option<&str>)]) -> String {
        let by_azd = self.env.run_by_azd() || self.detached.as_ref().is_some_and(|run| run.ticket.by_azd);
        let program = if by_azd { AZD_PROGRAM } else { PROGRAM };
        let cwd = self.globals.cwd.as_deref().map(|cwd| cwd.display().to_string());
        let given = options.iter().copied().chain([("--cwd", cwd.as_deref())]);
        let mut words: Vec<String> = args.iter().map(ToString::to_string).collect();
        for (option, value) in given.filter_map(|(option, value)| Some((option, value?))) {
            words.extend(option_arguments(option, value));
        }
        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        format!("{program} {}", words.join(" "))
    }
}
