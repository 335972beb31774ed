//! A company proxy: it leads every CONNECT to one TLS server, whose certificate nobody but a test knows, and that to the
//! emulator.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The host that the certificate is for.
pub(crate) const HOST: &str = "acc.services.ai.azure.com";

/// A running proxy; it ends with the process.
pub(crate) struct TlsProxy {
    /// Host and port.
    pub(crate) address: String,
    /// The certificate of the authority that vouches for [`HOST`], as PEM.
    pub(crate) authority: PathBuf,
    asked: Arc<Mutex<Vec<String>>>,
}

impl TlsProxy {
    /// A proxy before the server at `target`; with `credentials` (`Basic ...`) it asks who comes.
    pub(crate) fn start(directory: &Path, target: &str, credentials: Option<&'static str>) -> Self {
        let (config, pem) = certificates();
        let authority = directory.join("authority.pem");
        fs::write(&authority, pem).expect("written");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (shared, target) = (Arc::clone(&asked), target.to_owned());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                listener.set_nonblocking(true).expect("a listener");
                let listener = TcpListener::from_std(listener).expect("a listener");
                let acceptor = TlsAcceptor::from(Arc::new(config));
                while let Ok((stream, _)) = listener.accept().await {
                    let (acceptor, shared, target) = (acceptor.clone(), Arc::clone(&shared), target.clone());
                    // A client that goes away is no fault of the proxy.
                    tokio::spawn(async move { drop(serve(stream, acceptor, shared, &target, credentials).await) });
                }
            });
        });
        Self { address, authority, asked }
    }

    /// Where the proxy was asked to connect to.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("the list").clone()
    }
}

async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    asked: Arc<Mutex<Vec<String>>>,
    target: &str,
    credentials: Option<&str>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || line == "\r\n" {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    let first = head.first().cloned().unwrap_or_default();
    asked.lock().expect("the list").push(first.split(' ').nth(1).unwrap_or_default().to_owned());
    let known = credentials.is_none_or(|credentials| {
        let expected = format!("proxy-authorization: {credentials}");
        head.iter().any(|line| line.eq_ignore_ascii_case(&expected))
    });
    if !known {
        let refusal =
            "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n";
        return stream.write_all(refusal.as_bytes()).await;
    }
    stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await?;
    let mut inner = acceptor.accept(stream).await?;
    let mut server = TcpStream::connect(target).await?;
    tokio::io::copy_bidirectional(&mut inner, &mut server).await.map(drop)
}

/// A server's configuration, and the certificate of its authority.
fn certificates() -> (ServerConfig, String) {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = params.self_signed(&key).expect("a certificate");
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![HOST.to_owned()]).expect("parameters");
    let certificate = params.signed_by(&key, &issuer).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .expect("a configuration");
    (config, authority.pem())
}
