use std::process::ExitCode;

use azure_ai_models::env::Env;

fn main() -> ExitCode {
    azure_ai_models::run(std::env::args_os().collect(), Env::from_process())
}
