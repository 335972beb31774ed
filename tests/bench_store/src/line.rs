//! The simulated line to the store: bandwidth, response time, and connection resets.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

/// Bytes that one connection reads from a shaped line before the next connection's turn.
const QUANTUM: usize = 64 * 1024;
/// Delay of a late wake-up that may be caught up, so that the average rate is kept.
const CATCH_UP: Duration = Duration::from_millis(5);

/// Speed of the line. The default has no limits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shape {
    /// Bytes per second of each connection.
    pub connection_rate: Option<u64>,
    /// Bytes per second of all connections together.
    pub total_rate: Option<u64>,
    /// Round-trip time: of each response, of each flight of a TLS handshake, and of connecting.
    pub round_trip: Duration,
    /// Bytes of all connections together after which the connection that sends them is reset, repeatedly: the number of
    /// resets does not depend on the number of connections.
    pub reset_every: Option<u64>,
}

impl Shape {
    /// True if the line is slower than the machine.
    pub(crate) fn has_limit(&self) -> bool {
        self.connection_rate.is_some() || self.total_rate.is_some() || !self.round_trip.is_zero()
    }
}

/// The line that all connections share.
#[derive(Debug)]
pub(crate) struct Link {
    shape: Shape,
    total: Mutex<Pace>,
    received: AtomicU64,
}

impl Link {
    pub(crate) fn new(shape: Shape) -> Self {
        Self { shape, total: Mutex::new(Pace(Instant::now())), received: AtomicU64::new(0) }
    }

    /// Bytes received over the line, including protocol overhead and the bytes of failed requests.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

/// Time at which the line is free again.
#[derive(Debug)]
struct Pace(Instant);

impl Pace {
    /// Time at which this many more bytes have passed.
    fn through(&mut self, bytes: usize, rate: u64) -> Instant {
        let begin = Instant::now().checked_sub(CATCH_UP).map_or(self.0, |earliest| self.0.max(earliest));
        self.0 = begin + Duration::from_secs_f64(bytes as f64 / rate as f64);
        self.0
    }
}

/// One connection on the line.
#[derive(Debug)]
pub(crate) struct Line {
    socket: TcpStream,
    link: Arc<Link>,
    pace: Pace,
    received_at: Instant,
}

impl Line {
    pub(crate) fn new(socket: TcpStream, link: Arc<Link>) -> Self {
        let now = Instant::now();
        Self { socket, link, pace: Pace(now), received_at: now }
    }

    /// Waits until the connection is established.
    pub(crate) fn connect(&self) -> io::Result<()> {
        self.socket.set_nodelay(true)?;
        sleep_until(self.received_at + self.link.shape.round_trip);
        Ok(())
    }

    /// Reads received bytes at the speed of the line; 0 at the end.
    pub(crate) fn receive(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let shape = self.link.shape;
        let limit = if shape.has_limit() { room.len().min(QUANTUM) } else { room.len() };
        let bytes = self.socket.read(&mut room[..limit])?;
        let before = self.link.received.fetch_add(bytes as u64, Ordering::Relaxed);
        if shape.reset_every.is_some_and(|every| before / every != (before + bytes as u64) / every) {
            SockRef::from(&self.socket).set_linger(Some(Duration::ZERO))?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if shape.has_limit() {
            let own = shape.connection_rate.map(|rate| self.pace.through(bytes, rate));
            let all = shape
                .total_rate
                .map(|rate| self.link.total.lock().unwrap_or_else(PoisonError::into_inner).through(bytes, rate));
            if let Some(through) = own.max(all) {
                sleep_until(through);
            }
            self.received_at = Instant::now();
        }
        Ok(bytes)
    }

    /// Sends a response, one round trip after the last byte of its request.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        sleep_until(self.received_at + self.link.shape.round_trip);
        self.socket.write_all(bytes)
    }
}

fn sleep_until(at: Instant) {
    let pause = at.saturating_duration_since(Instant::now());
    if !pause.is_zero() {
        thread::sleep(pause);
    }
}
