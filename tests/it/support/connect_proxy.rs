//! A small company network: a proxy that accepts CONNECT, and behind it a TLS host with its own certificate authority.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A proxy on this machine; it runs until the process ends. Every tunnel leads to the one host behind it.
pub(crate) struct ConnectProxy {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl ConnectProxy {
    /// Starts a proxy for this host. With credentials (`user:password` in base64) it responds with 407 to requests
    /// without them.
    pub(crate) fn start(behind: SocketAddr, credentials: Option<&str>) -> Self {
        let wanted = credentials.map(|text| format!("proxy-authorization: Basic {text}"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        each_connection(listener, move |client| tunnel(client, behind, wanted.as_deref(), &log));
        Self { address, seen }
    }

    /// Starts a proxy that responds to every CONNECT with this status.
    pub(crate) fn refusing(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        each_connection(listener, move |mut client| {
            note(&read_head(&mut client)?, &log);
            write!(client, "HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n")
        });
        Self { address, seen }
    }

    /// Host and port, for a proxy variable.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// First line of each request so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("the log").clone()
    }
}

/// A TLS host in front of the server at another address; one request per connection.
pub(crate) struct TlsHost {
    /// Address of the proxy.
    pub(crate) address: SocketAddr,
    /// Certificate of its certificate authority, in PEM.
    pub(crate) authority: String,
}

impl TlsHost {
    /// Starts a host of this name that forwards everything to the HTTP server at this `host:port`.
    pub(crate) fn start(name: &str, server: &str) -> Self {
        Self::offering(name, server, &[])
    }

    /// Starts a host that offers these protocols, the preferred one first. It uses HTTP/1.1.
    pub(crate) fn offering(name: &str, server: &str, protocols: &[&str]) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "ProxiedStore Authority");
        let authority = params.self_signed(&key).expect("an authority");
        let issuer = Issuer::new(params, key);
        let own_key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        let own = params.signed_by(&own_key, &issuer).expect("a certificate");
        let own_key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("protocols")
            .with_no_client_auth()
            .with_single_cert(vec![own.der().clone()], own_key)
            .expect("a configuration");
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (config, server) = (Arc::new(config), server.to_owned());
        each_connection(listener, move |client| {
            let tls = ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
            pass_on(StreamOwned::new(tls, client), &server)
        });
        Self { address, authority: authority.pem() }
    }
}

/// Serves each connection in its own thread, and ignores errors: some tests close the client.
fn each_connection(listener: TcpListener, serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) {
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, serve) = (stream.expect("a connection"), Arc::clone(&serve));
            std::thread::spawn(move || drop(serve(stream)));
        }
    });
}

fn tunnel(mut client: TcpStream, to: SocketAddr, wanted: Option<&str>, log: &Mutex<Vec<String>>) -> io::Result<()> {
    let head = read_head(&mut client)?;
    note(&head, log);
    if wanted.is_some_and(|wanted| !head.lines().any(|line| line.eq_ignore_ascii_case(wanted))) {
        return client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
    }
    let mut server = TcpStream::connect(to)?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    std::thread::spawn(move || {
        drop(io::copy(&mut from_client, &mut to_server));
        drop(to_server.shutdown(std::net::Shutdown::Write));
    });
    io::copy(&mut server, &mut client)?;
    client.shutdown(std::net::Shutdown::Both)
}

fn note(head: &str, log: &Mutex<Vec<String>>) {
    log.lock().expect("the log").push(head.lines().next().unwrap_or_default().to_owned());
}

fn pass_on(mut client: StreamOwned<ServerConnection, TcpStream>, server: &str) -> io::Result<()> {
    let head = read_head(&mut client)?;
    let length = head.lines().filter_map(|line| line.split_once(": "));
    let length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.filter_map(|(_, value)| value.parse().ok()).next().unwrap_or(0);
    let mut body = vec![0; length];
    client.read_exact(&mut body)?;
    let mut server = TcpStream::connect(server)?;
    server.write_all(head.trim_end().as_bytes())?;
    server.write_all(b"\r\nconnection: close\r\n\r\n")?;
    server.write_all(&body)?;
    io::copy(&mut server, &mut client)?;
    client.conn.send_close_notify();
    client.flush()
}

/// Reads byte by byte, to leave the bytes after the head unread.
pub(super) fn read_head(stream: &mut impl Read) -> io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
    }
    String::from_utf8(head).map_err(io::Error::other)
}
