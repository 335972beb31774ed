//! Connections that can be closed in the middle of a request.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};

/// Connections that requests can close.
pub(super) struct Lines(pub(super) tokio::net::TcpListener);

/// Second handle of a connection.
#[derive(Clone)]
pub(super) struct Line(Arc<TcpStream>);

impl Line {
    /// Closes the connection. The client may have closed it already.
    pub(super) fn close(&self) {
        drop(self.0.shutdown(Shutdown::Both));
    }
}

impl Listener for Lines {
    type Io = tokio::net::TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        Listener::accept(&mut self.0).await
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Lines>> for Line {
    fn connect_info(stream: IncomingStream<'_, Lines>) -> Self {
        use std::os::fd::AsFd;
        let handle = stream.io().as_fd().try_clone_to_owned().expect("a second handle");
        Self(Arc::new(TcpStream::from(handle)))
    }
}
