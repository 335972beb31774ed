//! Progress styles, and the progress of the service's operations.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::Console;
use super::event::ProgressEvent;
use azure_ai_models_core::display::printable;
use azure_ai_models_core::redact::mask_known;
use azure_ai_models_core::units;

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ProgressMode {
    /// A bar on a terminal, plain lines elsewhere.
    #[default]
    Auto,
    /// A bar.
    Bar,
    /// Plain lines.
    Plain,
    /// One JSON object a line.
    Json,
    /// Nothing.
    None,
}

/// Style of progress on standard error, resolved from the mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProgressFormat {
    Bar,
    Plain,
    Json,
    None,
}

impl ProgressFormat {
    /// Resolves the style. JSON was requested explicitly, so quiet does not silence it.
    pub(super) fn choose(mode: ProgressMode, quiet: bool, terminal: bool) -> Self {
        match mode {
            ProgressMode::Json => Self::Json,
            ProgressMode::None => Self::None,
            _ if quiet => Self::None,
            ProgressMode::Plain => Self::Plain,
            ProgressMode::Auto | ProgressMode::Bar if terminal => Self::Bar,
            ProgressMode::Auto | ProgressMode::Bar => Self::Plain,
        }
    }
}

/// Container of the bars; redrawn at most ten times a second.
pub(super) fn bars() -> MultiProgress {
    MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10))
}

/// Creates a line that is redrawn in place.
pub(super) fn bar_line(bars: &MultiProgress) -> ProgressBar {
    let bar = bars.add(ProgressBar::no_length());
    // The template is a constant; the default one would show the same.
    bar.set_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// Progress of a registration or a deployment, which the service reports as states.
pub(crate) struct StatusView<'a> {
    console: &'a Console,
    event: ProgressEvent,
    /// Name of the deployment for events.
    deployment: Option<String>,
    status_line: Duration,
    next_line: Duration,
    bar: Option<ProgressBar>,
}

impl<'a> StatusView<'a> {
    /// View that emits `register.progress`.
    pub(super) fn of_registration(console: &'a Console, status_line: Duration) -> Self {
        Self::new(console, ProgressEvent::RegisterProgress, None, status_line)
    }

    /// View that emits `deploy.progress` with the deployment's name.
    pub(super) fn of_deployment(console: &'a Console, name: &str, status_line: Duration) -> Self {
        Self::new(console, ProgressEvent::DeployProgress, Some(name.to_owned()), status_line)
    }

    fn new(console: &'a Console, event: ProgressEvent, deployment: Option<String>, status_line: Duration) -> Self {
        let bar = (console.format == ProgressFormat::Bar).then(|| bar_line(&console.bars));
        Self { console, event, deployment, status_line, next_line: status_line, bar }
    }

    /// Shows a state as reported by the service, and the elapsed time.
    pub(crate) fn on(&mut self, status: &str, elapsed: Duration) {
        let line = || format!("  {} ({})", printable(status), units::duration(elapsed));
        match self.console.format {
            ProgressFormat::Bar => {
                if let Some(bar) = &self.bar {
                    bar.set_message(mask_known(line()));
                }
            }
            // Most operations end within seconds, and need no line before that.
            ProgressFormat::Plain if elapsed >= self.next_line => {
                self.next_line = elapsed + self.status_line;
                self.console.line(&line());
            }
            ProgressFormat::Plain | ProgressFormat::Json | ProgressFormat::None => {}
        }
        let line = || {
            let rest = json!({ "status": status, "seconds": elapsed.as_secs() });
            let fields = match (&self.deployment, rest) {
                (Some(name), Value::Object(rest)) => {
                    let name = ("name".to_owned(), json!(name));
                    Value::Object(std::iter::once(name).chain(rest).collect())
                }
                (_, rest) => rest,
            };
            self.event.line(fields)
        };
        self.console.json_line(line);
    }

    /// Reports the end; called once, at the end of a command.
    pub(crate) fn done(&self, name: &str, version: &str, status: &str) {
        self.console.event(ProgressEvent::Done, json!({ "name": name, "version": version, "status": status }));
    }
}

impl Drop for StatusView<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_depends_on_mode_stream_and_quiet() {
        for (mode, quiet, terminal, format) in [
            (ProgressMode::Auto, false, true, ProgressFormat::Bar),
            (ProgressMode::Auto, false, false, ProgressFormat::Plain),
            (ProgressMode::Auto, true, true, ProgressFormat::None),
            (ProgressMode::Bar, false, false, ProgressFormat::Plain),
            (ProgressMode::Json, true, false, ProgressFormat::Json),
            (ProgressMode::Plain, false, true, ProgressFormat::Plain),
            (ProgressMode::None, false, true, ProgressFormat::None),
        ] {
            assert_eq!(ProgressFormat::choose(mode, quiet, terminal), format, "{mode:?} {quiet} {terminal}");
        }
    }
}
