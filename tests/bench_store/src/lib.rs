//! Blob store for measurements: implements the part of Azure Blob Storage that upload and download tools need, counts and
//! discards the content, returns that of local files, and uses as little CPU as it can, because it shares the machine with the
//! measured program. Accepts any SAS.
//!
//! One blocking thread per connection, one large buffer each; TLS records are decrypted in that buffer.

#[path = "../../support/certificate.rs"]
mod certificate;
mod contents;
mod line;
mod listing;
mod report;
mod request;
mod response;
mod serve;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustls::ServerConfig;
use socket2::{Domain, Socket, Type};

pub use line::Shape;
pub use report::{BlobReport, Report};

use contents::Contents;
use line::{Line, Link};

/// Account in the path of each URL, as with Azurite.
pub const ACCOUNT: &str = "devstoreaccount1";

/// Receive buffer of a shaped connection: more would hold bytes that have not crossed the line.
const SHAPED_BUFFER: usize = 64 * 1024;
/// Segment size of Ethernet. With the segments of loopback the sender's own kernel would hold megabytes that have not
/// crossed the line.
#[cfg(unix)]
const SHAPED_SEGMENT: u32 = 1448;

/// Running store. Its threads end with the process.
#[derive(Debug)]
pub struct Store {
    address: SocketAddr,
    authority: Option<String>,
    contents: Arc<Mutex<Contents>>,
    link: Arc<Link>,
}

impl Store {
    /// Listens on a loopback port (0: a free one), with or without TLS, behind a line of this shape. Blobs are read
    /// from the files of the same names below `served`.
    ///
    /// # Errors
    /// If it cannot listen or create its certificate.
    pub fn start(port: u16, has_tls: bool, shape: Shape, served: Option<PathBuf>) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        if shape.has_limit() {
            socket.set_recv_buffer_size(SHAPED_BUFFER)?;
            #[cfg(unix)]
            socket.set_tcp_mss(SHAPED_SEGMENT)?;
        }
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
        socket.listen(1024)?;
        let (tls, authority) = if has_tls {
            let (mut config, authority) = certificate::make("bench-store", &[])?;
            // Server preference picks AES-256-GCM for every client, as Azure's storage does: a client that prefers the
            // cheaper AES-128 would otherwise look faster than it is there.
            config.ignore_client_order = true;
            (Some(Arc::new(config)), Some(authority))
        } else {
            (None, None)
        };
        let listener = std::net::TcpListener::from(socket);
        let address = listener.local_addr()?;
        let contents = Arc::new(Mutex::new(Contents::serving(served)));
        let link = Arc::new(Link::new(shape));
        let store = Self { address, authority, contents: Arc::clone(&contents), link: Arc::clone(&link) };
        thread::spawn(move || accept(&listener, &link, tls.as_ref(), &contents));
        Ok(store)
    }

    /// URL before `/CONTAINER`.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/{ACCOUNT}", self.address)
    }

    /// Listening address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// CA certificate in PEM; `None` without TLS.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Content received so far.
    #[must_use]
    pub fn report(&self) -> Report {
        Report { received_bytes: self.link.received(), ..lock(&self.contents).report() }
    }
}

fn accept(
    listener: &std::net::TcpListener,
    link: &Arc<Link>,
    tls: Option<&Arc<ServerConfig>>,
    contents: &Arc<Mutex<Contents>>,
) {
    for socket in listener.incoming() {
        // Out of file descriptors: waiting connections are accepted when others have ended.
        let Ok(socket) = socket else { continue };
        lock(contents).connected();
        let (line, tls, contents) = (Line::new(socket, Arc::clone(link)), tls.cloned(), Arc::clone(contents));
        thread::spawn(move || {
            if let Err(error) = serve::connection(line, tls, &contents) {
                lock(&contents).disconnected(&error);
            }
        });
    }
}

fn lock(contents: &Mutex<Contents>) -> MutexGuard<'_, Contents> {
    contents.lock().unwrap_or_else(PoisonError::into_inner)
}
