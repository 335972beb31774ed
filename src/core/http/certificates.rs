//! Certificates that TLS trusts: those of the system, or those in `SSL_CERT_FILE` and `SSL_CERT_DIR`.

use std::path::{Path, PathBuf};

use reqwest::{Certificate, ClientBuilder};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::env::{Env, var};

/// True if the system verifies certificates itself, and ignores `SSL_CERT_FILE`.
const HAS_VERIFIER: bool = cfg!(any(windows, target_vendor = "apple"));

/// Paths of PEM certificates that the user configured.
#[derive(Debug)]
pub(super) struct CertificatePaths {
    file: Option<PathBuf>,
    #[cfg_attr(
        all(any(windows, target_vendor = "apple"), not(test)),
        expect(dead_code, reason = "the system's verifier knows its own directories")
    )]
    directories: Vec<PathBuf>,
}

impl CertificatePaths {
    /// Paths from the environment.
    pub(super) fn of(env: &Env) -> Self {
        let file = env.get(var::SSL_CERT_FILE).map(PathBuf::from);
        let directories = env.get(var::SSL_CERT_DIR).map(std::env::split_paths).into_iter().flatten();
        // The directory around a bundle contains the same certificates, one per file.
        let is_around = |path: &PathBuf| file.as_ref().is_some_and(|file| file.parent() == Some(path.as_path()));
        let directories = directories.filter(|path| !path.as_os_str().is_empty() && !is_around(path)).collect();
        Self { file, directories }
    }

    /// Reads the certificates that a client trusts, in addition to those of a system's own verifier.
    ///
    /// # Errors
    /// A defect of the configured paths, or a system without certificates.
    pub(super) fn read(&self) -> Result<Vec<Certificate>, String> {
        let named = self.file.as_deref().map_or_else(|| Ok(Vec::new()), read_file)?;
        if HAS_VERIFIER { Ok(named) } else { self.read_store(named) }
    }

    #[cfg(not(any(windows, target_vendor = "apple")))]
    fn read_store(&self, mut named: Vec<Certificate>) -> Result<Vec<Certificate>, String> {
        named.extend(store::of_directories(self.directories.iter().map(PathBuf::as_path)));
        if !named.is_empty() {
            Ok(named)
        } else if self.directories.is_empty() {
            store::of_system().ok_or_else(|| "the system has no certificates".to_owned())
        } else {
            let directories: Vec<String> = self.directories.iter().map(|path| path.display().to_string()).collect();
            Err(format!("{} is {}, where no PEM certificate was found", var::SSL_CERT_DIR, directories.join(", ")))
        }
    }

    #[cfg(any(windows, target_vendor = "apple"))]
    fn read_store(&self, named: Vec<Certificate>) -> Result<Vec<Certificate>, String> {
        Ok(named)
    }
}

/// Returns a client that trusts what [`CertificatePaths::read`] returned.
pub(super) fn trust(builder: ClientBuilder, certificates: &[Certificate]) -> ClientBuilder {
    let certificates = certificates.iter().cloned();
    if HAS_VERIFIER { builder.tls_certs_merge(certificates) } else { builder.tls_certs_only(certificates) }
}

/// Returns a client for plain HTTP, which reads and trusts no certificates.
pub(super) fn trust_none(builder: ClientBuilder) -> ClientBuilder {
    builder.tls_certs_only([])
}

/// Reads the certificates of a PEM file. Checked here because the layer below skips a file that cannot be read, and
/// fails later with a message that names neither the file nor the variable.
fn read_file(path: &Path) -> Result<Vec<Certificate>, String> {
    let wrong = |why: &str| format!("{} names {}, {why}", var::SSL_CERT_FILE, path.display());
    let bytes = std::fs::read(path).map_err(|error| wrong(&format!("which cannot be read: {error}")))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let found = usable(found.map_err(|_| wrong("which is not a PEM certificate file"))?);
    if found.is_empty() { Err(wrong("which contains no PEM certificate")) } else { Ok(found) }
}

/// Certificates that can be trusted: a bundle may contain others, which are not an error.
fn usable(found: Vec<CertificateDer<'_>>) -> Vec<Certificate> {
    let usable = found.into_iter().filter(|der| RootCertStore::empty().add(der.clone()).is_ok());
    usable.filter_map(|der| Certificate::from_der(&der).ok()).collect()
}

/// Certificates of a system that stores them in files. reqwest's own verifier would read the bundle, and then each file
/// of the directory next to it, which contains the same certificates again.
#[cfg(not(any(windows, target_vendor = "apple")))]
mod store {
    use std::path::Path;

    use reqwest::Certificate;
    use rustls_native_certs::load_certs_from_paths;

    use super::usable;

    /// Certificates of the bundle, otherwise of the directories; `None` if there are none.
    pub(super) fn of_system() -> Option<Vec<Certificate>> {
        let bundle = openssl_probe::probe().cert_file;
        let bundle = bundle.map(|file| usable(load_certs_from_paths(Some(&file), None).certs));
        let bundle = bundle.filter(|certificates| !certificates.is_empty());
        let found = bundle.unwrap_or_else(|| of_directories(openssl_probe::candidate_cert_dirs()));
        (!found.is_empty()).then_some(found)
    }

    /// Certificates of all files in these directories.
    pub(super) fn of_directories<'a>(directories: impl Iterator<Item = &'a Path>) -> Vec<Certificate> {
        directories.flat_map(|directory| usable(load_certs_from_paths(None, Some(directory)).certs)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_around_a_bundle_is_not_read_too() {
        for (file, directories, read) in [
            ("/etc/ssl/certs/bundle.crt", "/etc/ssl/certs", ""),
            ("/etc/ssl/certs/bundle.crt", "/etc/ssl/certs/:/company", "/company"),
            ("/etc/ssl/bundle.crt", "/etc/ssl/certs::/company", "/etc/ssl/certs /company"),
            ("", "/etc/ssl/certs", "/etc/ssl/certs"),
        ] {
            let directories = if cfg!(windows) { directories.replace(':', ";") } else { directories.to_owned() };
            let env = Env::from_vars([(var::SSL_CERT_FILE, file), (var::SSL_CERT_DIR, &*directories)], Path::new("/"));
            let paths = CertificatePaths::of(&env).directories;
            let paths: Vec<_> = paths.iter().map(|path| path.to_string_lossy()).collect();
            assert_eq!(paths.join(" ").replace("certs/", "certs"), read, "{file} {directories}");
        }
    }
}
