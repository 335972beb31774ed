//! Choice of the TLS cryptography, in one place. In this module because the HTTP clients of azure_identity and of
//! `http` both need it, and `http` may use `credential`, not the other way round.

/// Selects ring for this process; reqwest otherwise panics on its first client. May be called repeatedly.
pub fn install_provider() {
    // An error means that a provider is already installed.
    drop(rustls::crypto::ring::default_provider().install_default());
}
