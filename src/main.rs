use std::process::ExitCode;

use azure_ai_models_core::env::Env;

fn main() -> ExitCode {
    azure_ai_models::run(std::env::args_os().collect(), Env::from_process())
}
