//! Certificate chain of a host, trusted or not. The connection ends there: nothing is sent over it.

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::redirect;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use url::Url;

use super::client::HttpClient;
use crate::credential::install_provider;
use crate::model::is_loopback;

/// Verifier that records the certificates and accepts none.
#[derive(Debug, Default)]
struct Recorder {
    chain: Mutex<Vec<CertificateDer<'static>>>,
}

impl Recorder {
    fn chain(&self) -> std::sync::MutexGuard<'_, Vec<CertificateDer<'static>>> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn seen<T>() -> Result<T, Error> {
    Err(Error::General("only its certificates were asked for".to_owned()))
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(end_entity).chain(intermediates);
        *self.chain() = chain.map(|certificate| certificate.clone().into_owned()).collect();
        seen()
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        seen()
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        seen()
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

impl HttpClient {
    /// Certificate chain of the host of an https URL, its own certificate first; empty if none is received within the
    /// connect timeout.
    pub(crate) async fn certificates_of(&self, url: &Url) -> Vec<CertificateDer<'static>> {
        if url.scheme() != "https" {
            return Vec::new();
        }
        install_provider();
        let recorder = Arc::new(Recorder::default());
        let config = ClientConfig::builder()
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&recorder) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .redirect(redirect::Policy::none())
            .timeout(self.timings().connect);
        let builder = if is_loopback(url) { builder.no_proxy() } else { builder };
        if let Ok(client) = builder.build() {
            // Fails in any case: the recorder accepts no certificate.
            drop(client.head(url.clone()).send().await);
        }
        std::mem::take(&mut *recorder.chain())
    }
}
