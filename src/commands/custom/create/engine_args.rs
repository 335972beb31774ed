//! Options for the engine and for the transfer of an import, shared by `create` and `uploads resume`.

use clap::{Args, ValueEnum};

use super::plan::PlanOptions;
use super::spec::EngineChoice;
use crate::app::App;
use crate::commands::headings;
use crate::error::{CliError, ErrorCode};
use azure_ai_models_core::env::var;
use azure_ai_models_core::hub::{CopyMode, VerifyMode};
use azure_ai_models_core::model::Source;
use azure_ai_models_core::units;

/// Options that choose the upload engine.
#[derive(Args, Debug)]
#[command(next_help_heading = headings::UPLOAD)]
pub(in crate::commands::custom) struct EngineArgs {
    /// Upload engine: azcopy, or native (resumes within a file) [env: AZURE_AI_MODELS_ENGINE] [default: azcopy; native for hf://]
    #[arg(long, value_name = "ENGINE", value_enum, hide_possible_values = true)]
    engine: Option<EngineName>,

    /// Concurrent requests of the native engine, 1 to 256 [default: adaptive, up to 32]
    #[arg(long, hide_short_help = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    parallel: Option<u32>,

    /// Skip the SHA-256 of each file (native engine)
    #[arg(long, hide_short_help = true)]
    no_hash: bool,

    /// Transfer hf:// files by the blob store (server), this machine (client), or auto [default: auto]
    #[arg(long, hide_short_help = true, value_name = "MODE", value_enum, hide_possible_values = true)]
    copy: Option<CopyName>,

    /// Verify hf:// files: auto (those that this machine transfers), full or off [default: auto]
    #[arg(long, hide_short_help = true, value_name = "MODE", value_enum, hide_possible_values = true)]
    verify: Option<VerifyName>,

    /// Maximum upload rate in bytes per second, such as 100M (suffixes K, M, G)
    #[arg(long, hide_short_help = true, value_name = "RATE", value_parser = units::parse_bytes)]
    limit_rate: Option<u64>,
}

/// Words of `--copy`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum CopyName {
    /// The blob store copies what it can, this program streams the rest.
    Auto,
    /// The blob store copies all weights; ends if it cannot.
    Server,
    /// This program streams everything.
    Client,
}

/// Words of `--verify`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum VerifyName {
    /// Verify streamed files; report copied ones as unverified.
    Auto,
    /// Verify all files: read copied ones back.
    Full,
    /// Verify streamed files only, without a notice.
    Off,
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
    /// Options from a plan; `None` if it contains a value that an option does not accept.
    pub(super) fn of_plan(engine: &str, options: &PlanOptions) -> Option<Self> {
        let copy = options.copy.as_deref().map(|word| CopyName::from_str(word, false)).transpose().ok()?;
        let verify = options.verify.as_deref().map(|word| VerifyName::from_str(word, false)).transpose().ok()?;
        let engine = Some(EngineName::from_str(engine, false).ok()?);
        let (parallel, no_hash, limit_rate) = (options.parallel, options.no_hash, options.limit_rate);
        Some(Self { engine, parallel, no_hash, copy, verify, limit_rate })
    }

    /// Maximum upload rate in bytes per second; `None` without a limit.
    pub(in crate::commands::custom) fn limit_rate(&self) -> Option<u64> {
        self.limit_rate
    }

    /// Engine for this source: by option, otherwise by environment, otherwise the default.
    pub(in crate::commands::custom) fn choice(
        &self,
        app: &App,
        source: &Source,
        usual: EngineName,
    ) -> Result<EngineChoice, CliError> {
        if let Source::Hub(_) = source {
            return self.for_hub();
        }
        if self.copy.is_some() || self.verify.is_some() {
            return Err(CliError::usage("--copy and --verify require an hf:// source")
                .with_code(ErrorCode::EngineOptions)
                .with_suggestion("Remove them, or use --source hf://ORG/NAME."));
        }
        match (self.by_name(app, usual)?, source) {
            (EngineChoice::Native { .. }, Source::Blob(_)) => {
                Err(CliError::usage("the native engine uploads local files only; a URL is copied by AzCopy")
                    .with_code(ErrorCode::RemoteSource)
                    .with_suggestion("Use --engine azcopy."))
            }
            (choice, _) => Ok(choice),
        }
    }

    /// Engine of an import, which only the native engine supports.
    fn for_hub(&self) -> Result<EngineChoice, CliError> {
        if self.engine == Some(EngineName::AzCopy) {
            let what =
                "AzCopy cannot read from the Hugging Face Hub: it does not support the Hub's redirects and tokens";
            return Err(CliError::usage(what)
                .with_code(ErrorCode::EngineOptions)
                .with_suggestion("Remove --engine, or use --engine native. To use AzCopy, download the files first: hf download ORG/NAME --local-dir DIR"));
        }
        if self.no_hash {
            return Err(CliError::usage(
                "--no-hash cannot be used with an hf:// source, whose files are verified by checksum",
            )
            .with_code(ErrorCode::EngineOptions)
            .with_suggestion("Remove --no-hash."));
        }
        Ok(EngineChoice::Native { parallel: self.parallel, hash: true })
    }

    /// Permitted carriers of an import.
    pub(in crate::commands::custom) fn copy(&self) -> CopyMode {
        match self.copy {
            None | Some(CopyName::Auto) => CopyMode::Auto,
            Some(CopyName::Server) => CopyMode::Server,
            Some(CopyName::Client) => CopyMode::Client,
        }
    }

    /// Extent of the verification of an import.
    pub(in crate::commands::custom) fn verify(&self) -> VerifyMode {
        match self.verify {
            None | Some(VerifyName::Auto) => VerifyMode::Auto,
            Some(VerifyName::Full) => VerifyMode::Full,
            Some(VerifyName::Off) => VerifyMode::Off,
        }
    }

    fn by_name(&self, app: &App, usual: EngineName) -> Result<EngineChoice, CliError> {
        let named = match (self.engine, app.env.get(var::ENGINE)) {
            (Some(engine), _) => engine,
            (None, Some(text)) => EngineName::from_str(text, true).map_err(|_| {
                CliError::usage(format!("{}: '{text}' is not azcopy or native", var::ENGINE))
                    .with_code(ErrorCode::BadVariable)
            })?,
            (None, None) => usual,
        };
        match named {
            EngineName::Native => Ok(EngineChoice::Native { parallel: self.parallel, hash: !self.no_hash }),
            EngineName::AzCopy if self.parallel.is_some() || self.no_hash => {
                Err(CliError::usage("--parallel and --no-hash require the native engine")
                    .with_code(ErrorCode::EngineOptions)
                    .with_suggestion("Use --engine native, or remove them."))
            }
            EngineName::AzCopy => Ok(EngineChoice::AzCopy),
        }
    }
}
