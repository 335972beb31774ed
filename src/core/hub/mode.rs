//! Transfer mode of an import, and the depth of its verification.

use std::fmt;
use std::sync::Arc;

use super::reader::HubReader;

/// Permitted carriers of an import (`--copy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CopyMode {
    /// The store if it can, otherwise this program.
    #[default]
    Auto,
    /// Only the store; files in the repository itself are small, and are always streamed.
    Server,
    /// Only this program.
    Client,
}

/// Extent of the verification of an import (`--verify`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VerifyMode {
    /// Streamed files are verified; copied ones are reported as unverified.
    #[default]
    Auto,
    /// Everything is verified: copied files are read back.
    Full,
    /// Streamed files are verified, since that is free; copied ones are not, and not reported either.
    Off,
}

/// Carrier of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The store copies it.
    Server,
    /// This program streams it.
    Client,
}

/// Settings of an import for the native engine.
#[derive(Clone, Debug)]
pub struct HubTransfer {
    /// Reads the files.
    pub reader: Arc<HubReader>,
    /// Permitted carriers.
    pub copy: CopyMode,
    /// Extent of the verification.
    pub verify: VerifyMode,
}

impl CopyMode {
    /// Value of the option.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

impl VerifyMode {
    /// Value of the option.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Full => "full",
            Self::Off => "off",
        }
    }
}

impl Carrier {
    /// Value in events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

impl fmt::Display for CopyMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for VerifyMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
