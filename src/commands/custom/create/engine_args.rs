//! The options that choose what sends the bytes; `create` and `uploads resume` have them.

use clap::{Args, ValueEnum};

use super::spec::EngineChoice;
use crate::app::App;
use crate::error::{CliError, ErrorCode};
use azure_ai_models_core::env::var;

/// What sends the bytes.
#[derive(Args, Debug)]
pub(in crate::commands::custom) struct EngineArgs {
    /// What sends the bytes: azcopy, or native, which goes on block by block [default: azcopy]
    #[arg(long, value_name = "ENGINE", value_enum, hide_possible_values = true)]
    engine: Option<EngineName>,

    /// Requests at once of the native engine, 1 to 256 [default: as many as speed it up, at most 32]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    parallel: Option<u32>,

    /// Without the SHA-256 of each file that the native engine computes on the way
    #[arg(long)]
    no_hash: bool,
}

/// The engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::commands::custom) enum EngineName {
    /// AzCopy.
    #[value(name = "azcopy")]
    AzCopy,
    /// This program itself.
    Native,
}

impl EngineArgs {
    /// The engine: by option, else by environment, else AzCopy.
    pub(in crate::commands::custom) fn choice(&self, app: &App) -> Result<EngineChoice, CliError> {
        let named = match (self.engine, app.env.get(var::ENGINE)) {
            (Some(engine), _) => engine,
            (None, Some(text)) => EngineName::from_str(text, true).map_err(|_| {
                CliError::usage(format!("{}: '{text}' is not azcopy or native", var::ENGINE))
                    .with_code(ErrorCode::BadVariable)
            })?,
            (None, None) => EngineName::AzCopy,
        };
        match named {
            EngineName::Native => Ok(EngineChoice::Native { parallel: self.parallel, hash: !self.no_hash }),
            EngineName::AzCopy if self.parallel.is_some() || self.no_hash => {
                Err(CliError::usage("--parallel and --no-hash belong to the native engine")
                    .with_code(ErrorCode::EngineOptions)
                    .with_suggestion("Add --engine native, or leave them away."))
            }
            EngineName::AzCopy => Ok(EngineChoice::AzCopy),
        }
    }
}
