//! The program `azure-ai-models`: entry point.

use std::process::ExitCode;

fn main() -> ExitCode {
    azure_ai_models::run(std::env::args_os().collect())
}
