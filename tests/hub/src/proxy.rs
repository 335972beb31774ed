//! Proxy that accepts CONNECT and serves the public names: connections to `huggingface.co` or a host of its CDN are
//! decrypted here and forwarded to the origins on this machine.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Names that the proxy serves.
pub(crate) const PUBLIC_NAMES: [&str; 6] = [
    "huggingface.co",
    "hf.co",
    "us.aws.cdn.hf.co",
    "us.gcp.cdn.hf.co",
    "cas-bridge.xethub.hf.co",
    "cdn-lfs.huggingface.co",
];

/// Maximum head of a request, in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// Targets of the public names.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) hub: SocketAddr,
    pub(crate) cdn: SocketAddr,
    pub(crate) tls: Arc<ServerConfig>,
    /// Requested hosts, with their ports.
    pub(crate) requested: Mutex<Vec<String>>,
}

/// Serves connections until the runtime ends.
pub(crate) async fn serve(listener: TcpListener, proxy: Arc<Proxy>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        let proxy = Arc::clone(&proxy);
        // Some tests drop the client.
        tokio::spawn(async move { drop(tunnel(client, &proxy).await) });
    }
}

async fn tunnel(mut client: TcpStream, proxy: &Proxy) -> io::Result<()> {
    let head = read_head(&mut client).await?;
    let mut words = head.split(' ');
    let (Some("CONNECT"), Some(target)) = (words.next(), words.next()) else {
        return client.write_all(b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n").await;
    };
    proxy.requested.lock().unwrap_or_else(PoisonError::into_inner).push(target.to_owned());
    let host = target.strip_suffix(":443").filter(|host| PUBLIC_NAMES.contains(host));
    let behind = match host {
        None => return client.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await,
        Some("huggingface.co" | "hf.co") => proxy.hub,
        Some(_) => proxy.cdn,
    };
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    let mut client = TlsAcceptor::from(Arc::clone(&proxy.tls)).accept(client).await?;
    let mut server = TcpStream::connect(behind).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

/// Reads byte by byte, so that nothing after the head is consumed.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < MAX_HEAD {
        head.push(stream.read_u8().await?);
    }
    String::from_utf8(head).map_err(io::Error::other)
}
