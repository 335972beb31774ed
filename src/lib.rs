//! `azure.ai.models`: upload, register and manage custom models in a Foundry project.

mod app;
mod cli;
mod commands;
mod console;
mod detached;
mod error;
#[cfg(test)]
#[path = "core/fuzz.rs"]
mod fuzz;
mod globals;
mod inherited;
mod shell;
mod signals;

use std::ffi::OsString;
use std::io;
use std::num::NonZero;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;

use app::App;
use azure_ai_models_core::azd::Host;
use azure_ai_models_core::cancel;
use azure_ai_models_core::env::{Env, Timings, var};
use cli::{Action, Command, Invocation};
use console::{Console, ProgressMode, Settings, colour, follows_escapes, restore_terminal_on_panic};
use detached::Detached;
use error::CliError;
use globals::{OutputFormat, PROGRAM};
use inherited::Inherited;
use tokio::runtime::Runtime;

/// Access for tests without running the program.
pub mod testing {
    use std::ffi::OsString;
    use std::fmt::Debug;

    pub use crate::globals::{AZD_PROGRAM, PROGRAM};

    use crate::cli::{self, Action};
    use crate::error::{ARM_ROWS, ROWS};

    /// Parses arguments, beginning with the program's name, that run a command.
    ///
    /// # Errors
    /// Output that the program would print instead.
    pub fn parse(args: Vec<OsString>) -> Result<impl Debug, String> {
        let invocation = cli::read(args, false);
        match &invocation.action {
            Action::Run(_) => Ok(invocation),
            Action::Print(text) => Err(text.clone()),
            Action::Refuse(refusal) => Err(refusal.message.clone()),
        }
    }

    /// Tree of commands and options, for man pages and completions.
    #[must_use]
    pub fn command() -> clap::Command {
        cli::tree(PROGRAM)
    }

    /// Names of the rows in the table of the service's rejections.
    pub fn error_rows() -> impl Iterator<Item = &'static str> {
        ROWS.iter().map(|row| row.name)
    }

    /// Row names of the table of rejections by Azure Resource Manager that concern deployments.
    pub fn arm_error_rows() -> impl Iterator<Item = &'static str> {
        ARM_ROWS.iter().map(|row| row.name)
    }
}

/// Runs the whole program: parse, run, report, exit code. Must be called by the only thread of the process.
#[must_use]
pub fn run(mut args: Vec<OsString>) -> ExitCode {
    restore_terminal_on_panic();
    let detached = Detached::take(&mut args).map(Rc::new);
    let env = Env::from_process();
    let invocation = cli::read(args, env.run_by_azd());
    let is_work = matches!(&invocation.action, Action::Run(command) if command.is_work());
    let Inherited { env, warnings, left_out } = inherited::environment(env, is_work);
    #[cfg(feature = "test-fakes")]
    console::panic_on_demand(&env);
    let console =
        Arc::new(Console::new(console_settings(&env, &invocation), detached.as_ref().map(|run| run.events())));
    // With JSON output, azd's own error would be text on standard output; for an agent it would have a different
    // wording.
    let is_own = invocation.globals.output == OutputFormat::Json || env.agent().is_some();
    let host = Host::from_env(&env, &Timings::from_env(&env)).filter(|_| !is_own);
    let shows_ignored = matches!(&invocation.action, Action::Run(command) if matches!(**command, Command::Doctor(_)));
    if is_work {
        if !shows_ignored {
            warnings.iter().for_each(|text| console.warn(text));
        }
        if !left_out.is_empty() {
            console.debug(&format!("not taken over from azd environments: {}", left_out.join(", ")));
        }
    }
    let outcome = match invocation.action {
        Action::Print(text) => console.product(&text).map_err(CliError::from),
        Action::Refuse(refusal) => Err(refusal.into()),
        Action::Run(command) if command.progress() == ProgressMode::Bar && env.agent().is_some() => {
            Err(CliError::no_bar(env.agent().unwrap_or_default()))
        }
        Action::Run(command) => enter(env, invocation.globals.cwd.as_deref()).and_then(|env| {
            dispatch(*command, detached.clone(), |cancel| {
                let mut app = App::new(env, invocation.globals, Arc::clone(&console), cancel);
                app.detached.clone_from(&detached);
                app.ignored = warnings;
                app
            })
        }),
    };
    if let Err(error) = &outcome
        && !error.is_reported()
    {
        if host.is_some_and(|host| azd_shows(&host, error, &console)) {
            console.error_shown_by_azd(&error.page());
        } else {
            console.error(&error.page());
        }
    }
    // Last, so that an attached process has seen all of the upload by then.
    if let Some(detached) = detached.and_then(Rc::into_inner) {
        detached.conclude(&console, outcome.as_ref().err());
    }
    outcome.map_or_else(|error| error.exit_code(), |()| ExitCode::SUCCESS)
}

/// Settings of the console, from the arguments and the environment.
fn console_settings(env: &Env, invocation: &Invocation) -> Settings {
    let progress = match &invocation.action {
        Action::Run(command) => command.progress(),
        _ => ProgressMode::Auto,
    };
    let stderr_escapes = follows_escapes(env.stderr_terminal, &::console::Term::stderr());
    let agent = env.agent().is_some();
    let no_color = env.get(var::NO_COLOR).is_some() || agent;
    let colour = |terminal| colour(no_color, env.get(var::FORCE_COLOR) == Some("1"), terminal);
    Settings {
        agent,
        quiet: invocation.globals.quiet,
        debug: invocation.globals.debug.unwrap_or_else(|| env.flag(var::AZD_DEBUG)),
        json: invocation.globals.output == OutputFormat::Json,
        colour_stderr: colour(stderr_escapes),
        stdout_terminal: env.stdout_terminal,
        stderr_terminal: env.stderr_terminal,
        stderr_escapes,
        columns: env.get(var::COLUMNS).and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0),
        progress,
    }
}

fn dispatch(
    command: Command,
    detached: Option<Rc<Detached>>,
    app: impl FnOnce(cancel::Cancellation) -> App,
) -> Result<(), CliError> {
    let (canceller, cancellation) = cancel::channel();
    let canceller = Arc::new(canceller);
    if let Some(detached) = detached {
        detached.set_canceller(Arc::clone(&canceller));
    }
    let app = app(cancellation);
    match command {
        Command::Version => commands::version::version(&app),
        Command::Metadata => commands::metadata::metadata(&app, cli::tree(PROGRAM)),
        Command::Skill => commands::skill::skill(&app, &cli::tree(PROGRAM)),
        Command::Completion { shell } => commands::completion::completion(&app, cli::tree(PROGRAM), shell),
        // clap prints the help of a group without a command.
        Command::Custom { command: None }
        | Command::Base { command: None }
        | Command::Deployments { command: None } => Ok(()),
        Command::Init(args) => awaited(&app, canceller, Threads::One, || commands::init::init(&app, &args)),
        Command::Doctor(args) => awaited(&app, canceller, Threads::One, || commands::doctor::doctor(&app, &args)),
        Command::Custom { command: Some(command) } => {
            let threads = Threads::of(command.carries_content());
            awaited(&app, canceller, threads, || commands::custom::run_group(&app, command))
        }
        Command::Short(command) => {
            let threads = Threads::of(command.carries_content());
            awaited(&app, canceller, threads, || commands::custom::run(&app, command))
        }
        Command::Base { command: Some(command) } => {
            awaited(&app, canceller, Threads::One, || commands::base::run(&app, command))
        }
        Command::Deployments { command: Some(command) } => awaited(&app, canceller, Threads::One, || command.run(&app)),
    }
}

/// Threads of a command's event loop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Threads {
    /// A short command waits for a few responses: a second thread would only cost start-up time.
    One,
    /// Gigabytes over TLS: each connection is encrypted on one of a thread per core.
    Several,
}

impl Threads {
    /// Maximum number of threads; more are never busy: eight encrypt 50 Gbit/s and more.
    const MAX_THREADS: usize = 8;

    fn of(carries_content: bool) -> Self {
        if carries_content { Self::Several } else { Self::One }
    }

    fn event_loop(self) -> io::Result<Runtime> {
        match self {
            Self::One => tokio::runtime::Builder::new_current_thread().enable_all().build(),
            Self::Several => {
                let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
                let mut builder = tokio::runtime::Builder::new_multi_thread();
                builder.worker_threads(cores.min(Self::MAX_THREADS)).enable_all().build()
            }
        }
    }
}

/// Runs a command until it returns or the user interrupts it. Commands themselves simply wait.
//
// Kept as a separate stack frame: the futures of the commands take tens of kilobytes on the stack, and a caller that
// they are inlined into touches every page of that, even for `version`.
#[inline(never)]
fn awaited<F: Future<Output = Result<(), CliError>>>(
    app: &App,
    canceller: Arc<cancel::Canceller>,
    threads: Threads,
    command: impl FnOnce() -> F,
) -> Result<(), CliError> {
    let runtime = threads.event_loop();
    let runtime = runtime.map_err(|why| CliError::failure(format!("cannot start the program's event loop: {why}")))?;
    let outcome = runtime.block_on(async {
        signals::listen(canceller, app.detached.is_some())
            .map_err(|why| CliError::failure(format!("cannot listen to signals: {why}")))?;
        let ended = app.cancel.run(app.timings.interrupt_grace, Box::pin(command())).await;
        ended.unwrap_or_else(|| Err(app.interrupted()))
    });
    // A thread may still wait for an answer on the terminal.
    runtime.shutdown_background();
    outcome
}

/// Reports the error to azd; returns false if this program has to show it.
fn azd_shows(host: &Host, error: &CliError, console: &Console) -> bool {
    let Some(report) = error.report() else { return false };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return false };
    match runtime.block_on(host.report(report)) {
        Ok(()) => true,
        Err(why) => {
            console.debug(&format!("the error was not handed to azd: {why}"));
            false
        }
    }
}

/// Changes to `--cwd`, otherwise to `AZD_CWD`.
fn enter(mut env: Env, cwd: Option<&Path>) -> Result<Env, CliError> {
    let named = match cwd {
        Some(cwd) => Some((cwd, "--cwd")),
        None => env.get(var::AZD_CWD).map(|cwd| (Path::new(cwd), var::AZD_CWD)),
    };
    if let Some((cwd, origin)) = named {
        let cwd = env.cwd().join(cwd);
        std::env::set_current_dir(&cwd).map_err(|why| CliError::bad_directory(&cwd, origin, &why))?;
        env.set_cwd(cwd);
    }
    Ok(env)
}
