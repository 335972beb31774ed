//! The one place that chooses the cryptography of TLS. It stands here because the HTTP clients of azure_identity and of
//! `http` both need it, and `http` may use `credential`, not the other way round.

/// Chooses ring for this process; reqwest panics on its first client otherwise. Once is enough, more is harmless.
pub fn install_provider() {
    // An error says that a provider is already chosen, which is what we want.
    drop(rustls::crypto::ring::default_provider().install_default());
}
