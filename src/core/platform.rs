//! Operating systems as values: a rule that differs between them takes one as an argument, so that every variant is
//! tested on every system.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

/// Operating system, as far as the rules of this program differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Linux and similar systems.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl Platform {
    /// Operating system for which this program was built.
    pub const CURRENT: Self = if cfg!(windows) {
        Self::Windows
    } else if cfg!(target_vendor = "apple") {
        Self::MacOs
    } else {
        Self::Linux
    };

    /// Variable with the home directory, as azd reads it (Go's `os.UserHomeDir`).
    #[must_use]
    pub const fn home_variable(self) -> &'static str {
        match self {
            Self::Windows => "USERPROFILE",
            Self::Linux | Self::MacOs => "HOME",
        }
    }

    /// Name of a variable in the form that the system compares: Windows ignores case.
    pub(crate) fn fold_variable(self, name: &str) -> Cow<'_, str> {
        match self {
            Self::Windows => name.to_ascii_uppercase().into(),
            Self::Linux | Self::MacOs => name.into(),
        }
    }

    /// Name or glob in the form that is used to compare file names: composed, and in lower case if the usual file
    /// systems ignore case.
    pub(crate) fn fold_name(self, name: &str) -> Cow<'_, str> {
        let composed = composed(name);
        match self {
            Self::Windows | Self::MacOs => composed.to_lowercase().into(),
            Self::Linux => composed,
        }
    }

    /// Name of a blob for the name of a file. File systems of macOS decompose names or treat both forms as equal, while
    /// an index uses composed names for its shards; git does the same (`core.precomposeUnicode`).
    pub(crate) fn blob_spelling(self, name: &str) -> Cow<'_, str> {
        match self {
            Self::MacOs => composed(name),
            Self::Linux | Self::Windows => name.into(),
        }
    }
}

/// Unicode normalization form C: `ü` as one character.
fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { text.into() } else { ComposingNormalizerBorrowed::new_nfc().normalize(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Platform::{Linux, MacOs, Windows};

    const COMPOSED: &str = "Modell-\u{fc}.bin";
    const DECOMPOSED: &str = "Modell-u\u{308}.bin";

    #[test]
    fn names_of_files_are_compared_as_the_file_system_does() {
        for platform in [Linux, MacOs, Windows] {
            assert_eq!(platform.fold_name(COMPOSED), platform.fold_name(DECOMPOSED));
            assert_eq!(platform.fold_name("A.BIN") == platform.fold_name("a.bin"), platform != Linux, "{platform:?}");
        }
    }

    #[test]
    fn only_macos_composes_names_of_blobs() {
        let spelled = [Linux, MacOs, Windows].map(|platform| platform.blob_spelling(DECOMPOSED).into_owned());
        assert_eq!(spelled, [DECOMPOSED, COMPOSED, DECOMPOSED]);
        assert_eq!(MacOs.blob_spelling("A"), "A");
    }
}
