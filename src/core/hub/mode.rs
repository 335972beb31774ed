//! Transfer mode of an import, and the depth of its verification.

use std::fmt;
use std::sync::Arc;

use super::reader::HubReader;

/// Carriers that an import may use (`--copy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CopyMode {
    /// The store where it can, otherwise this program.
    #[default]
    Auto,
    /// The store alone; files in the repository itself are small, and are always streamed.
    Server,
    /// This program alone.
    Client,
}

/// Extent of the proof of an import (`--verify`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VerifyMode {
    /// Streamed files; copied ones are reported as not proved.
    #[default]
    Auto,
    /// Everything: copied files are read back.
    Full,
    /// Streamed files, since that is free.
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

/// Part of an import that the native engine needs.
#[derive(Clone, Debug)]
pub struct HubTransfer {
    /// Reads the files.
    pub reader: Arc<HubReader>,
    /// Carriers that may be used.
    pub copy: CopyMode,
    /// Extent of the proof.
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
