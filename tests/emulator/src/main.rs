//! The emulator as a program: starts it, prints the variables to set, and runs until it is stopped.

mod options;
#[path = "../../support/program.rs"]
mod program;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use foundry_emulator::Emulator;

use crate::options::Options;
use crate::program::{stop_signal, write_whole};

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report_failure(&error);
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
        let stop_signal = stop_signal()?;
        if let Some(file) = &options.write_endpoint {
            write_whole(file, &endpoint)?;
        }
        print_variables(&endpoint);
        stop_signal.await;
        Ok(())
    })
}

#[expect(clippy::print_stdout, reason = "the program's output: variables for a user or a script")]
fn print_variables(endpoint: &str) {
    println!("AZURE_PROJECT_ENDPOINT={endpoint}");
    println!("AZURE_AI_MODELS_CREDENTIAL=emulator");
    println!("ready");
}

#[expect(clippy::print_stderr, reason = "the one error message of a program that did not start")]
fn report_failure(error: &io::Error) {
    eprintln!("foundry-emulator: {error}");
}
