//! Background process of a detached upload.
//!
//! `create --detach` starts this program again with [`DETACHED_COMMAND`] before the same command line, and passes data
//! that must not appear on a command line through standard input. Once that process owns the directory of the upload,
//! it reports so in one line of standard output, closes both streams, and works as the foreground would: output goes to
//! the log of the upload, progress to its events, and the outcome to its result.

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::app::App;
use crate::console::Console;
use crate::error::CliError;
use azure_ai_models_core::cancel::Canceller;
use azure_ai_models_core::env::Env;
use azure_ai_models_core::process::{Inhibitor, Programs, inhibit, leave_terminal, release_streams};
use azure_ai_models_core::upload::Session;
use azure_ai_models_core::upload::detached::{
    DetachedFiles, DetachedOutcome, EventLog, RecordedError, RecordedProduct, ResumeHint, RunLock, RunResult, trim_log,
};

/// First argument of the process; not a command for users.
pub(crate) const DETACHED_COMMAND: &str = "__detached";
/// Interval between checks for a request to end.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Number of these checks between checks of the log's size.
const POLLS_PER_LOG_CHECK: u32 = 50;
/// Time limit for the system to inhibit sleep.
const INHIBIT: Duration = Duration::from_secs(10);
/// Time limit of the program that is run at the end.
const NOTIFY: Duration = Duration::from_secs(30);

/// Data that the foreground passes to the detached process.
#[derive(Serialize, Deserialize)]
pub(crate) struct Ticket {
    /// Source with its SAS, if it is a URL.
    pub(crate) source: Option<String>,
    /// True if azd runs the command, so that commands are printed as users of azd type them.
    pub(crate) by_azd: bool,
    /// Program to run at the end.
    pub(crate) notify: Option<PathBuf>,
    /// True to keep the machine awake.
    pub(crate) inhibit: bool,
}

/// Response to the process that detaches.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StartReply {
    /// The detached process has taken over the upload.
    Ready {
        /// Process id of the detached process.
        pid: u32,
        /// Warnings for the user.
        warnings: Vec<String>,
    },
    /// The upload could not begin.
    Failed(RecordedError),
}

/// Detached upload of this process: from the data passed to it to its result.
pub(crate) struct Detached {
    /// Data from the process that started it.
    pub(crate) ticket: Ticket,
    events: Arc<EventLog>,
    canceller: RefCell<Option<Arc<Canceller>>>,
    begun: RefCell<Option<DetachedUpload>>,
    product: Cell<Option<RecordedProduct>>,
}

/// A run that owns its directory.
struct DetachedUpload {
    id: String,
    name: String,
    version: String,
    files: DetachedFiles,
    lock: RunLock,
    env: Env,
    _inhibitor: Option<Inhibitor>,
}

impl Detached {
    /// Removes [`DETACHED_COMMAND`] from the arguments, and reads the passed data; `None` for every other command.
    pub(crate) fn take(args: &mut Vec<OsString>) -> Option<Self> {
        if args.get(1).is_none_or(|word| word != DETACHED_COMMAND) {
            return None;
        }
        // A process that already leads a group, for example one started manually, stays in it.
        drop(leave_terminal());
        let mut text = Vec::new();
        std::io::stdin().lock().read_to_end(&mut text).ok()?;
        let ticket = serde_json::from_slice(&text).ok()?;
        args.remove(1);
        let (events, canceller, begun) = (Arc::default(), RefCell::default(), RefCell::default());
        Some(Self { ticket, events, canceller, begun, product: Cell::default() })
    }

    /// Event log that the console writes.
    pub(crate) fn events(&self) -> Arc<EventLog> {
        Arc::clone(&self.events)
    }

    /// Sets the canceller that ends the command.
    pub(crate) fn set_canceller(&self, canceller: Arc<Canceller>) {
        *self.canceller.borrow_mut() = Some(canceller);
    }

    /// Records the product of the command, instead of printing it.
    pub(crate) fn set_product(&self, product: RecordedProduct) {
        self.product.set(Some(product));
    }

    /// Takes ownership of the session's directory, reports to the process that detached, and continues independently.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) async fn begin(
        &self,
        app: &App,
        session: &mut Session,
        (name, version): (&str, &str),
        resume: ResumeHint,
    ) -> Result<(), CliError> {
        let (lock, path) = session.begin_detached(resume)?;
        let files = DetachedFiles::of(&path);
        let events = files.events();
        self.events
            .begin(&events)
            .map_err(|why| CliError::failure(format!("cannot write {}: {why}", events.display())))?;
        let mut warnings = Vec::new();
        let inhibitor = match self.keep_awake(app, name).await {
            Ok(inhibitor) => inhibitor,
            Err(why) => {
                let warning = format!("This machine may sleep during the upload, which pauses it: {why}");
                app.console.warn(&warning);
                warnings.push(warning);
                None
            }
        };
        self.watch(files.clone());
        let (name, version) = (name.to_owned(), version.to_owned());
        let id = path.file_name().map(|id| id.to_string_lossy().into_owned()).unwrap_or_default();
        let env = app.env.clone();
        *self.begun.borrow_mut() = Some(DetachedUpload { id, name, version, files, lock, env, _inhibitor: inhibitor });
        answer(&app.console, &StartReply::Ready { pid: std::process::id(), warnings });
        release_streams();
        Ok(())
    }

    async fn keep_awake(&self, app: &App, name: &str) -> Result<Option<Inhibitor>, String> {
        if !self.ticket.inhibit {
            return Ok(None);
        }
        let (env, why) = (app.env.clone(), format!("Uploading the model {name}"));
        let asked = tokio::task::spawn_blocking(move || inhibit(&env, &why));
        match tokio::time::timeout(INHIBIT, asked).await {
            Ok(Ok(answer)) => answer.map(Some),
            Ok(Err(why)) => Err(why.to_string()),
            Err(_) => Err("the system did not respond".to_owned()),
        }
    }

    /// Ends the command when that is requested, and keeps the log small.
    fn watch(&self, files: DetachedFiles) {
        let Some(canceller) = self.canceller.borrow().clone() else { return };
        tokio::spawn(async move {
            let mut is_stopping = false;
            for look in 0_u32.. {
                tokio::time::sleep(POLL_INTERVAL).await;
                if !is_stopping && files.is_stop_requested() {
                    is_stopping = true;
                    canceller.request();
                }
                if look % POLLS_PER_LOG_CHECK == 0 {
                    drop(trim_log(&files.log()));
                }
            }
        });
    }

    /// Records the result of the command, reports to the process that detached if that is still waiting, and runs the
    /// program of `--notify`.
    pub(crate) fn conclude(self, console: &Console, failure: Option<&CliError>) {
        let Some(begun) = self.begun.into_inner() else {
            if let Some(error) = failure {
                answer(console, &StartReply::Failed(error.recorded()));
            }
            return;
        };
        let DetachedUpload { id, name, version, files, lock, env, _inhibitor } = begun;
        let outcome = match failure {
            None => DetachedOutcome::Succeeded,
            Some(error) if error.is_interrupt() && files.is_stop_requested() => DetachedOutcome::Stopped,
            Some(error) if error.is_interrupt() => DetachedOutcome::Interrupted,
            Some(_) => DetachedOutcome::Failed,
        };
        let exit_code = failure.map_or(0, CliError::exit_number);
        let error = failure.map(CliError::recorded);
        let result = RunResult {
            outcome,
            exit_code,
            ended_at: OffsetDateTime::now_utc(),
            product: self.product.take().filter(|_| error.is_none()),
            error,
        };
        if let Err(why) = files.write_result(&result) {
            console.warn(&format!("The result of the upload could not be saved: {why}"));
        }
        drop(lock);
        let Some(program) = self.ticket.notify.filter(|_| outcome != DetachedOutcome::Stopped) else { return };
        let variables = [
            ("AZURE_AI_MODELS_RESULT", if failure.is_none() { "succeeded" } else { "failed" }.to_owned()),
            ("AZURE_AI_MODELS_EXIT_CODE", exit_code.to_string()),
            ("AZURE_AI_MODELS_KIND", result.error.map(|error| error.kind).unwrap_or_default()),
            ("AZURE_AI_MODELS_ID", id),
            ("AZURE_AI_MODELS_NAME", name),
            ("AZURE_AI_MODELS_VERSION", version),
            ("AZURE_AI_MODELS_LOG", files.log().display().to_string()),
        ];
        if let Err(why) = notify(Programs::new(&env).with(variables), &program) {
            console.warn(&format!("The --notify program {} failed: {why}", program.display()));
        }
    }
}

/// Runs the program, without a shell and without arguments.
fn notify(programs: Programs, program: &std::path::Path) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|why| why.to_string())?;
    let ended =
        runtime.block_on(async { tokio::time::timeout(NOTIFY, programs.output(program.as_os_str(), &[], None)).await });
    match ended {
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let last = stderr.lines().last().map(|line| format!(": {line}")).unwrap_or_default();
            Err(format!("{}{last}", output.status))
        }
        Ok(Err(why)) => Err(why.to_string()),
        Err(_) => Err(format!("it ran longer than {} seconds and was stopped", NOTIFY.as_secs())),
    }
}

fn answer(console: &Console, answer: &StartReply) {
    // The process that detached may have ended, which does not matter.
    if let Ok(line) = serde_json::to_string(answer) {
        drop(console.product(&format!("{line}\n")));
    }
}
