//! The certificates that a person names with `SSL_CERT_FILE`.

use std::path::Path;

use reqwest::Certificate;

use crate::env::var;

/// The certificates of a file in PEM. Checked here because the layer below passes over a file that cannot be read, and
/// fails later with words that name neither the file nor the variable.
///
/// # Errors
/// What is wrong with the file, for a person.
pub(super) fn read(path: &Path) -> Result<Vec<Certificate>, String> {
    let wrong = |why: &str| format!("{} names {}, {why}", var::SSL_CERT_FILE, path.display());
    let bytes = std::fs::read(path).map_err(|error| wrong(&format!("which cannot be read: {error}")))?;
    let found = Certificate::from_pem_bundle(&bytes).map_err(|_| wrong("which is no file of certificates in PEM"))?;
    if found.is_empty() { Err(wrong("which holds no certificate in PEM")) } else { Ok(found) }
}

/// True where the system's own verifier does not look at `SSL_CERT_FILE`, so that its certificates are handed over.
pub(super) const HANDED_OVER: bool = cfg!(any(windows, target_vendor = "apple"));
