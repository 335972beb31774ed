//! One run of AzCopy from start to verdict: reads both pipes, answers prompts, detects stalls, and on cancellation asks
//! the process to end and kills it after a grace period.

mod error;

pub use error::RunError;

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::process::{ChildStderr, ChildStdout};

use crate::cancel::{Cancellation, Urgency};
use crate::env::Timings;
use crate::model::{Report, Reporter, TransferEvent};
use crate::platform::Platform;
use crate::process::{Child, Exit, Pipes};
use crate::progress::{Counters, Meter, Stall, StallWatch};

use super::job::{CopyJob, JobSource};
use super::lines::Lines;
use super::message::{Message, PromptKind, Summary, parse_line};
use super::outcome::AzCopyOutcome;
use super::source_link::SourceLink;
use super::verdict::{AzCopyFailure, CompletedJob, judge};
use super::{AzCopy, log, orphan};

/// Settings of a run.
#[derive(Clone)]
pub struct RunControls<'a> {
    /// Interval of stall notices, and the grace period at the end.
    pub timings: &'a Timings,
    /// Time without progress after which the upload is ended.
    pub stall_limit: Duration,
    /// Cancellation by the user.
    pub cancel: &'a Cancellation,
    /// Receives reports.
    pub report: &'a Reporter,
}

/// Runs the job to its end and verifies the result. Dropping the future kills AzCopy.
///
/// # Errors
/// Anything but a verified success. AzCopy has ended when this returns.
pub async fn run(
    azcopy: &AzCopy,
    job: &CopyJob,
    controls: &RunControls<'_>,
    on: &mut dyn FnMut(TransferEvent),
) -> Result<CompletedJob, RunError> {
    let start = |source| RunError::Start { program: azcopy.path().to_owned(), source };
    let link = match &job.source {
        JobSource::Files { directory, .. } => {
            let not_linked = |source| RunError::Link { directory: directory.clone(), source };
            Some(SourceLink::create(directory, &job.directory).map_err(not_linked)?)
        }
        JobSource::Remote { .. } => None,
    };
    let read = link.as_ref().map(|link| job.reading(link.path()));
    let job = read.as_ref().unwrap_or(job);
    let mut command = azcopy.command_for_job(&job.directory);
    command.args(job.arguments());
    let (child, pipes) = Child::spawn(command).map_err(start)?;
    let started = Instant::now();
    if let Err(why) = orphan::record_process(&job.directory, child.pid()) {
        (controls.report)(Report::Debug(format!("azcopy's process id could not be noted: {why}")));
    }
    let (program, arguments) = (azcopy.path().display(), job.shown_arguments());
    (controls.report)(Report::Debug(format!("azcopy started: {program} {arguments} (pid {})", child.pid())));
    on(TransferEvent::Started(job.at_start()));

    let stall_watch = StallWatch::new(controls.timings.stall_notice, controls.stall_limit, started);
    let meter = Meter::new(job.at_start());
    let mut run = Run {
        controls,
        on,
        child,
        started,
        outcome: AzCopyOutcome::default(),
        meter,
        stall_watch,
        network_error_percent: None,
        answers: vec![],
        end: None,
    };
    run.supervise(pipes).await;
    let mut concluded = run.conclude(job);
    if let (Some(link), Err(RunError::Failed { failure, .. })) = (&link, &mut concluded)
        && let AzCopyFailure::FailedTransfers { failed, .. } = &mut **failure
    {
        for transfer in failed {
            transfer.source = link.shown(&transfer.source);
        }
    }
    concluded
}

struct Run<'a> {
    controls: &'a RunControls<'a>,
    on: &'a mut dyn FnMut(TransferEvent),
    child: Child,
    started: Instant,
    outcome: AzCopyOutcome,
    meter: Meter,
    stall_watch: StallWatch,
    /// Last value that AzCopy reported.
    network_error_percent: Option<f64>,
    answers: Vec<u8>,
    end: Option<Termination>,
}

/// Termination of AzCopy that this program initiated.
#[derive(Clone, Copy)]
struct Termination {
    why: TerminationReason,
    /// Time of the next, harder step.
    next: Instant,
    killed: bool,
}

#[derive(Clone, Copy)]
enum TerminationReason {
    Cancelled,
    /// With the share of network errors at that moment: AzCopy's last message reports 0.
    Stalled(Stall, Option<f64>),
}

impl Run<'_> {
    async fn supervise(&mut self, pipes: Pipes) {
        let Pipes { mut stdin, stdout, stderr } = pipes;
        let mut stdout: Option<Lines<ChildStdout>> = Some(Lines::new(stdout));
        let mut stderr: Option<Lines<ChildStderr>> = Some(Lines::new(stderr));
        let cancel = self.controls.cancel;
        let mut ended: Option<Instant> = None;
        while ended.is_none() || stdout.is_some() || stderr.is_some() {
            let due = ended.unwrap_or_else(|| self.due());
            let wish = match self.end {
                None | Some(Termination { why: TerminationReason::Stalled(..), killed: false, .. }) => {
                    Urgency::Graceful
                }
                Some(_) => Urgency::Now,
            };
            let killed = self.end.is_some_and(|end| end.killed);
            tokio::select! {
                exit = self.child.wait(), if ended.is_none() => {
                    self.exited(exit.ok());
                    // The rest of the pipes is available immediately, unless another process holds them.
                    ended = Some(Instant::now() + self.controls.timings.cancel_grace);
                }
                line = next(&mut stdout), if stdout.is_some() => match line {
                    Some(line) => self.message(parse_line(&line)),
                    None => stdout = None,
                },
                line = next(&mut stderr), if stderr.is_some() => match line {
                    Some(line) => self.outcome.stderr_line(&line),
                    None => stderr = None,
                },
                written = stdin.write(&self.answers), if !self.answers.is_empty() => match written {
                    Ok(count) => drop(self.answers.drain(..count)),
                    // AzCopy no longer reads: it is about to end.
                    Err(_) => self.answers.clear(),
                },
                () = cancel.at_least(wish), if ended.is_none() && !killed => self.cancelled(wish),
                () = tokio::time::sleep_until(due.into()) => {
                    if ended.is_some() {
                        self.child.kill_rest();
                        break;
                    }
                    if self.advance_termination() {
                        break;
                    }
                }
            }
        }
    }

    fn due(&self) -> Instant {
        self.end.map_or_else(|| self.stall_watch.due(), |end| end.next)
    }

    /// Takes the next step; returns true if even killing did not help and the child must be abandoned.
    fn advance_termination(&mut self) -> bool {
        if let Some(end) = self.end {
            if end.killed {
                self.exited(None);
                return true;
            }
            self.terminate(end.why, true);
        } else if let Some(stall) = self.stall_watch.check(Instant::now()) {
            let network_error_percent = self.network_error_percent;
            (self.on)(TransferEvent::Stalled { silent: stall.silent, network_error_percent });
            if stall.over {
                self.terminate(TerminationReason::Stalled(stall, network_error_percent), false);
            }
        }
        false
    }

    fn cancelled(&mut self, wish: Urgency) {
        let now = wish == Urgency::Now || self.controls.cancel.urgency() == Urgency::Now;
        self.terminate(TerminationReason::Cancelled, now);
    }

    fn terminate(&mut self, why: TerminationReason, kill: bool) {
        let word = if kill { "killed" } else { "asked to end" };
        self.debug(&format!("azcopy is {word}"));
        if kill {
            self.child.kill();
        } else {
            self.child.interrupt();
        }
        self.end = Some(Termination { why, next: Instant::now() + self.controls.timings.cancel_grace, killed: kill });
    }

    fn exited(&mut self, exit: Option<Exit>) {
        self.outcome.exit = exit;
        self.outcome.elapsed = self.started.elapsed();
        let seconds = self.outcome.elapsed.as_secs_f64();
        let exit = exit.map_or_else(|| "unknown".to_owned(), |exit| exit.to_string());
        self.debug(&format!("azcopy ended: {exit}, wall {seconds:.3} s"));
    }

    fn message(&mut self, message: Message) {
        let now = Instant::now();
        match &message {
            Message::Init(init) => {
                self.stall_watch.record_movement(now);
                self.debug(&format!("azcopy job {}, log {}", init.job_id, init.log.display()));
            }
            Message::Progress(summary) => {
                self.stall_watch.observe(&progress_numbers(summary), now);
                self.network_error_percent = Some(summary.network_error_percent);
                let progress = self.meter.update(counters(summary));
                (self.on)(TransferEvent::Progress(progress));
            }
            Message::EndOfJob(Some(summary)) => drop(self.meter.update(counters(summary))),
            Message::EndOfJob(None) => {}
            Message::Prompt { text, kind } => {
                self.debug(&format!("azcopy asks: {text}"));
                self.answers.extend_from_slice(match kind {
                    PromptKind::Cancel => b"y\n",
                    PromptKind::Other => b"n\n",
                });
            }
            Message::Other(_) if !self.outcome.has_room_for_plain() => {}
            Message::Info(text) | Message::Error(text) | Message::Other(text) => {
                self.debug(&format!("azcopy: {text}"));
            }
        }
        self.outcome.message(message);
    }

    fn debug(&self, text: &str) {
        (self.controls.report)(Report::Debug(text.to_owned()));
    }

    fn conclude(mut self, job: &CopyJob) -> Result<CompletedJob, RunError> {
        let log = self.outcome.init.as_ref().map(|init| init.log.clone());
        // AzCopy creates its log before it reports the path.
        let log = log.or_else(|| log::newest(&job.directory));
        if let Some(log) = &log {
            log::explain(&mut self.outcome.failed, log, Platform::CURRENT);
        }
        let progress = self.meter.progress();
        let asked = self.controls.cancel.urgency() >= Urgency::Graceful;
        match (self.end.map(|end| end.why), judge(&self.outcome, job.expectation())) {
            (Some(TerminationReason::Cancelled), _) => Err(RunError::Interrupted { progress, log }),
            (_, Ok(finished)) => {
                let CompletedJob { bytes, files, elapsed } = finished;
                (self.on)(TransferEvent::Done { bytes, files, elapsed });
                Ok(finished)
            }
            (None, Err(_)) if asked => Err(RunError::Interrupted { progress, log }),
            (Some(TerminationReason::Stalled(Stall { silent, .. }, network_error_percent)), Err(_)) => {
                Err(RunError::Stalled { silent, network_error_percent, log })
            }
            (None, Err(failure)) => {
                if !self.outcome.stderr.is_empty() {
                    self.debug(&format!("azcopy's stderr: {}", self.outcome.stderr));
                }
                Err(RunError::Failed { failure: Box::new(failure), progress, log })
            }
        }
    }
}

/// Counters for the meter. Bytes over the wire grow smoothly, but include repeated content, which the meter handles.
fn counters(summary: &Summary) -> Counters {
    Counters {
        bytes: summary.bytes_over_wire,
        found: 0,
        files: summary.completed,
        totals: summary.scanned.then_some((summary.bytes_expected, summary.total)),
        remote: None,
    }
}

/// Numbers whose growth is progress: bytes, files, and the results of a scan.
fn progress_numbers(summary: &Summary) -> [u64; 5] {
    [
        summary.bytes_over_wire,
        summary.bytes_transferred,
        summary.bytes_expected,
        summary.total,
        summary.completed + summary.failed + summary.skipped,
    ]
}

/// Returns the next line; a pipe that cannot be read counts as ended.
async fn next<R: tokio::io::AsyncRead + Unpin>(lines: &mut Option<Lines<R>>) -> Option<String> {
    match lines {
        Some(lines) => lines.next().await.ok().flatten(),
        None => None,
    }
}
