//! Socket layer: a listener whose connections a handler can break, so that a client sees a real TCP reset or a
//! truncated response.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Pause after a failed `accept`, for example for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Handle with which a request handler can break its connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Connection {
    damage: Arc<OnceLock<Damage>>,
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    Reset,
    Cut,
}

impl Connection {
    /// Resets the connection instead of sending the first byte of the response.
    pub(crate) fn reset_on_response(&self) {
        self.damage.get_or_init(|| Damage::Reset);
    }

    /// Ends the connection after half of the response body. A response without a body is cut in its head.
    pub(crate) fn cut_response(&self) {
        self.damage.get_or_init(|| Damage::Cut);
    }
}

impl Connected<IncomingStream<'_, BreakableListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, BreakableListener>) -> Self {
        stream.io().connection.clone()
    }
}

/// A TCP listener that gives every connection a [`Connection`].
pub(crate) struct BreakableListener(pub(crate) TcpListener);

impl Listener for BreakableListener {
    type Io = BreakableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.0.accept().await {
                Ok((stream, address)) => {
                    return (BreakableStream { stream, connection: Connection::default(), left: None }, address);
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// Stream that can be broken through its [`Connection`].
pub(crate) struct BreakableStream {
    stream: TcpStream,
    connection: Connection,
    /// Bytes of a cut response that may still be sent.
    left: Option<usize>,
}

impl AsyncRead for BreakableStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for BreakableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.connection.damage.get() {
            None => Pin::new(&mut self.stream).poll_write(cx, buf),
            Some(Damage::Reset) => {
                // Closing with a linger of zero sends RST where FIN would look like an empty response.
                self.stream.set_zero_linger()?;
                Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
            }
            Some(Damage::Cut) => {
                let left = *self.left.get_or_insert_with(|| half_of_response(buf));
                if left == 0 {
                    return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
                }
                let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &buf[..left.min(buf.len())]))?;
                self.left = Some(left - written);
                Poll::Ready(Ok(written))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Length of the head and half of the body. The server writes a response as one buffer.
fn half_of_response(response: &[u8]) -> usize {
    let head = response.windows(4).position(|end| end == b"\r\n\r\n").map_or(response.len(), |at| at + 4);
    let body = response.len() - head;
    if body == 0 { head / 2 } else { head + body / 2 }
}
