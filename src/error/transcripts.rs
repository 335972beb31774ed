//! One table of all recorded runs of the real AzCopy: the verdict, the exit code of the program, and the messages.

use std::fmt::Write;
use std::path::PathBuf;

use super::CliError;
use azure_ai_models_core::azcopy::{AzCopyFailure, CompletedJob, RunError, transcripts};
use azure_ai_models_core::model::TransferProgress;

#[test]
fn every_recorded_run_has_a_message_and_a_suggestion() {
    let mut table = String::new();
    for (name, verdict) in transcripts::all() {
        row(&mut table, &name, verdict).unwrap();
    }
    insta::assert_snapshot!("words_for_recorded_runs", table);
}

fn row(table: &mut String, name: &str, verdict: Result<CompletedJob, AzCopyFailure>) -> std::fmt::Result {
    let failure = match verdict {
        Ok(CompletedJob { files, bytes, .. }) => return writeln!(table, "{name} | ok {files} {bytes} | 0"),
        Err(failure) => failure,
    };
    let kind = format!("{failure:?}");
    let kind = kind.split([' ', '{']).next().unwrap_or_default();
    let log = Some(PathBuf::from("LOG"));
    let failure = Box::new(failure);
    let error = CliError::from(RunError::Failed { failure, progress: TransferProgress::default(), log });
    let error = error.with_resume("COMMAND");
    let page = error.page();
    writeln!(table, "{name} | {kind} | {} {}", error.kind.exit_code(), page.code)?;
    for line in page.message.lines() {
        writeln!(table, "    {line}")?;
    }
    for line in page.suggestion.unwrap_or_default().lines() {
        writeln!(table, "    > {line}")?;
    }
    Ok(())
}
