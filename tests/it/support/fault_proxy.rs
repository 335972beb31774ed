//! Proxy between the program and a test server that injects faults into chosen responses.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::connect_proxy::read_head;

/// Fault of a response.
#[derive(Clone, Debug)]
pub(crate) enum ResponseFault {
    /// These bytes are returned instead, and the server never receives the request.
    Instead(Vec<u8>),
    /// This status with these headers and this body is returned instead; the server never receives the request.
    Status(u16, &'static str, &'static [u8]),
    /// The connection is reset.
    Reset,
    /// The connection is closed without a byte.
    End,
    /// No response.
    Silence,
    /// The server handles the request, but its response is lost.
    Lost,
    /// Only half of the real response is sent.
    Half,
    /// The real response is delayed.
    Late,
    /// The real response has another status.
    Restatus(u16),
    /// The real response has no body.
    Bodiless,
}

/// Fault for the requests of one route.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// Name of the route, as in [`FaultProxy::routes`].
    pub(crate) route: String,
    /// Fault of the response.
    pub(crate) fault: ResponseFault,
    /// True for every request of the route, false for only the first.
    pub(crate) always: bool,
}

#[derive(Default)]
struct Log {
    rule: Option<Rule>,
    routes: Vec<String>,
    injected: usize,
}

/// A running proxy; it stops when it is dropped.
pub(crate) struct FaultProxy {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
    stopped: Arc<AtomicBool>,
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        drop(TcpStream::connect(self.address));
    }
}

impl FaultProxy {
    /// Starts a proxy in front of the server at this `host:port`. `route` names a request by its method and target.
    pub(crate) fn start(server: &str, rule: Option<Rule>, route: fn(&str, &str) -> String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let log = Arc::new(Mutex::new(Log { rule, ..Log::default() }));
        let (shared, server) = (Arc::clone(&log), server.to_owned());
        let serve = move |client: TcpStream| {
            let (head, body) = request(&client)?;
            let mut words = head.split(' ');
            let name = route(words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let fault = {
                let mut log = shared.lock().expect("the log");
                log.routes.push(name.clone());
                let due = log.rule.as_ref().filter(|rule| rule.route == name && (rule.always || log.injected == 0));
                let fault = due.map(|rule| rule.fault.clone());
                log.injected += usize::from(fault.is_some());
                fault
            };
            let forward = || forward(&server, &head, &body);
            match fault {
                None => pass(&client, &forward()?),
                Some(fault) => send_fault(&client, &fault, forward),
            }
        };
        let (serve, stopped) = (Arc::new(serve), Arc::new(AtomicBool::new(false)));
        let stops = Arc::clone(&stopped);
        std::thread::spawn(move || {
            for client in listener.incoming().take_while(|_| !stops.load(Ordering::Relaxed)) {
                let (client, serve) = (client.expect("a connection"), Arc::clone(&serve));
                // Some tests close the client.
                std::thread::spawn(move || drop::<io::Result<()>>(serve(client)));
            }
        });
        Self { address, log, stopped }
    }

    /// Applies this rule from now on, and resets the log.
    pub(crate) fn set_rule(&self, rule: Option<Rule>) {
        *self.log.lock().expect("the log") = Log { rule, ..Log::default() };
    }

    /// `host:port`.
    pub(crate) fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Routes of the requests so far, in order.
    pub(crate) fn routes(&self) -> Vec<String> {
        self.log.lock().expect("the log").routes.clone()
    }

    /// Number of injected faults.
    pub(crate) fn injected(&self) -> usize {
        self.log.lock().expect("the log").injected
    }
}

fn send_fault(
    client: &TcpStream,
    fault: &ResponseFault,
    forward: impl FnOnce() -> io::Result<Vec<u8>>,
) -> io::Result<()> {
    match fault {
        ResponseFault::Instead(bytes) => pass(client, bytes),
        ResponseFault::Status(status, headers, body) => {
            let head =
                format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
            pass(client, &[head.as_bytes(), body].concat())
        }
        ResponseFault::Reset => {
            rustix::net::sockopt::set_socket_linger(client, Some(Duration::ZERO))?;
            Ok(())
        }
        ResponseFault::End => Ok(()),
        ResponseFault::Silence => {
            // Waits until the client closes the connection.
            let mut rest = Vec::new();
            (&mut &*client).read_to_end(&mut rest).map(drop)
        }
        ResponseFault::Lost => forward().map(drop),
        ResponseFault::Half => {
            let response = forward()?;
            let head = body_of(&response);
            pass(client, &response[..head + (response.len() - head) / 2])
        }
        ResponseFault::Late => {
            let response = forward()?;
            std::thread::sleep(Duration::from_millis(300));
            pass(client, &response)
        }
        ResponseFault::Restatus(status) => {
            let response = forward()?;
            let first = response.iter().position(|&byte| byte == b'\r').unwrap_or_default();
            pass(client, &[format!("HTTP/1.1 {status} X").as_bytes(), &response[first..]].concat())
        }
        ResponseFault::Bodiless => {
            let response = forward()?;
            let head = String::from_utf8_lossy(&response[..body_of(&response)]).into_owned();
            let kept = head.lines().filter(|line| !line.is_empty());
            let kept: Vec<_> = kept.filter(|line| !line.to_ascii_lowercase().starts_with("content-length")).collect();
            pass(client, format!("{}\r\ncontent-length: 0\r\n\r\n", kept.join("\r\n")).as_bytes())
        }
    }
}

/// Offset of the body in a response.
fn body_of(response: &[u8]) -> usize {
    response.windows(4).position(|four| four == b"\r\n\r\n").map_or(response.len(), |end| end + 4)
}

fn pass(mut client: &TcpStream, response: &[u8]) -> io::Result<()> {
    client.write_all(response)?;
    client.shutdown(std::net::Shutdown::Write)?;
    // Reads the rest of the request; otherwise closing would reset the connection before the client has the response.
    io::copy(&mut client, &mut io::sink()).map(drop)
}

/// Head and body of a request.
fn request(client: &TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut client = io::BufReader::new(client);
    let head = read_head(&mut client)?;
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    assert!(header("transfer-encoding").is_none(), "the program sends a content length");
    let mut body = vec![0; header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)];
    client.read_exact(&mut body)?;
    Ok((head, body))
}

fn forward(server: &str, head: &str, body: &[u8]) -> io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(server)?;
    server.write_all(head.trim_end().as_bytes())?;
    server.write_all(b"\r\nconnection: close\r\n\r\n")?;
    server.write_all(body)?;
    let mut response = Vec::new();
    server.read_to_end(&mut response)?;
    Ok(response)
}
