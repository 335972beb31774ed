//! The emulator as a program: starts one, prints the variables to set, and runs until it is stopped.

mod options;

use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use foundry_emulator::Emulator;

use crate::options::Options;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let emulator = Emulator::start(options.config()?)?;
    let endpoint = emulator.endpoint();
    runtime.block_on(async {
        // Listening before the endpoint is published, so that no signal has the default action.
        let told_to_end = told_to_end()?;
        if let Some(file) = &options.write_endpoint {
            write_whole(file, &endpoint)?;
        }
        say(&endpoint);
        told_to_end.await;
        Ok(())
    })
}

/// By renaming, so that a script that waits for the file never reads half of it.
fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let mut partial = file.as_os_str().to_owned();
    partial.push(".partial");
    std::fs::write(&partial, text)?;
    std::fs::rename(&partial, file)
}

#[cfg(unix)]
fn told_to_end() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(windows)]
fn told_to_end() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}

#[expect(clippy::print_stdout, reason = "the program's output: what a person or a script sets")]
fn say(endpoint: &str) {
    println!("AZURE_PROJECT_ENDPOINT={endpoint}");
    println!("AZURE_AI_MODELS_CREDENTIAL=emulator");
    println!("ready");
}

#[expect(clippy::print_stderr, reason = "the one error message of a program that did not start")]
fn complain(error: &io::Error) {
    eprintln!("foundry-emulator: {error}");
}
