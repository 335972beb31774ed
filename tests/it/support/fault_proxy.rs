//! Proxy between the program and a test server that breaks chosen responses.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::connect_proxy::read_head;

/// Fault of an answer.
#[derive(Clone, Debug)]
pub(crate) enum ResponseFault {
    /// These bytes come instead, and the server never sees the request.
    Instead(Vec<u8>),
    /// Headers and body of this status come instead; the server never sees the request.
    Status(u16, &'static str, &'static [u8]),
    /// The connection is reset.
    Reset,
    /// The connection ends without a byte.
    End,
    /// Nothing comes.
    Silence,
    /// The server carries the request out, and its answer is lost.
    Lost,
    /// Half of the true answer comes.
    Half,
    /// The true answer comes late.
    Late,
    /// The true answer comes with another status.
    Restatus(u16),
    /// The true answer comes without its body.
    Bodiless,
}

/// The answers to spoil: those to requests of one route.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// As [`FaultProxy::routes`] names it.
    pub(crate) route: String,
    /// Fault.
    pub(crate) spoil: ResponseFault,
    /// To every request of the route, not to the first one only.
    pub(crate) always: bool,
}

#[derive(Default)]
struct Log {
    rule: Option<Rule>,
    routes: Vec<String>,
    spoiled: usize,
}

/// A running proxy; it ends when it is dropped.
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
    /// Before the server at this `host:port`. `route` names a request by its method and target.
    pub(crate) fn start(server: &str, rule: Option<Rule>, route: fn(&str, &str) -> String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let log = Arc::new(Mutex::new(Log { rule, ..Log::default() }));
        let (shared, server) = (Arc::clone(&log), server.to_owned());
        let serve = move |client: TcpStream| {
            let (head, body) = request(&client)?;
            let mut words = head.split(' ');
            let name = route(words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let spoil = {
                let mut log = shared.lock().expect("the log");
                log.routes.push(name.clone());
                let due = log.rule.as_ref().filter(|rule| rule.route == name && (rule.always || log.spoiled == 0));
                let spoil = due.map(|rule| rule.spoil.clone());
                log.spoiled += usize::from(spoil.is_some());
                spoil
            };
            let ask = || ask(&server, &head, &body);
            match spoil {
                None => pass(&client, &ask()?),
                Some(spoil) => spoiled(&client, &spoil, ask),
            }
        };
        let (serve, stopped) = (Arc::new(serve), Arc::new(AtomicBool::new(false)));
        let ends = Arc::clone(&stopped);
        std::thread::spawn(move || {
            for client in listener.incoming().take_while(|_| !ends.load(Ordering::Relaxed)) {
                let (client, serve) = (client.expect("a connection"), Arc::clone(&serve));
                // Some tests drop the client.
                std::thread::spawn(move || drop::<io::Result<()>>(serve(client)));
            }
        });
        Self { address, log, stopped }
    }

    /// Spoils answers by this rule from now on; what was counted so far is forgotten.
    pub(crate) fn spoil_from_now_on(&self, rule: Option<Rule>) {
        *self.log.lock().expect("the log") = Log { rule, ..Log::default() };
    }

    /// `host:port`.
    pub(crate) fn authority(&self) -> String {
        self.address.to_string()
    }

    /// The routes of the requests so far, in their order.
    pub(crate) fn routes(&self) -> Vec<String> {
        self.log.lock().expect("the log").routes.clone()
    }

    /// How many answers were spoiled.
    pub(crate) fn spoiled(&self) -> usize {
        self.log.lock().expect("the log").spoiled
    }
}

fn spoiled(client: &TcpStream, spoil: &ResponseFault, ask: impl FnOnce() -> io::Result<Vec<u8>>) -> io::Result<()> {
    match spoil {
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
            // Until the client closes the connection.
            let mut rest = Vec::new();
            (&mut &*client).read_to_end(&mut rest).map(drop)
        }
        ResponseFault::Lost => ask().map(drop),
        ResponseFault::Half => {
            let answer = ask()?;
            let head = body_of(&answer);
            pass(client, &answer[..head + (answer.len() - head) / 2])
        }
        ResponseFault::Late => {
            let answer = ask()?;
            std::thread::sleep(Duration::from_millis(300));
            pass(client, &answer)
        }
        ResponseFault::Restatus(status) => {
            let answer = ask()?;
            let first = answer.iter().position(|&byte| byte == b'\r').unwrap_or_default();
            pass(client, &[format!("HTTP/1.1 {status} X").as_bytes(), &answer[first..]].concat())
        }
        ResponseFault::Bodiless => {
            let answer = ask()?;
            let head = String::from_utf8_lossy(&answer[..body_of(&answer)]).into_owned();
            let kept = head.lines().filter(|line| !line.is_empty());
            let kept: Vec<_> = kept.filter(|line| !line.to_ascii_lowercase().starts_with("content-length")).collect();
            pass(client, format!("{}\r\ncontent-length: 0\r\n\r\n", kept.join("\r\n")).as_bytes())
        }
    }
}

/// Position of the body.
fn body_of(answer: &[u8]) -> usize {
    answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(answer.len(), |end| end + 4)
}

fn pass(mut client: &TcpStream, answer: &[u8]) -> io::Result<()> {
    client.write_all(answer)?;
    client.shutdown(std::net::Shutdown::Write)?;
    // Reads the rest of the request, or closing would reset the connection before the client has the answer.
    io::copy(&mut client, &mut io::sink()).map(drop)
}

/// The head of a request, and its body.
fn request(client: &TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut client = io::BufReader::new(client);
    let head = read_head(&mut client)?;
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    assert!(header("transfer-encoding").is_none(), "the program states the length of what it sends");
    let mut body = vec![0; header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)];
    client.read_exact(&mut body)?;
    Ok((head, body))
}

fn ask(server: &str, head: &str, body: &[u8]) -> io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(server)?;
    server.write_all(head.trim_end().as_bytes())?;
    server.write_all(b"\r\nconnection: close\r\n\r\n")?;
    server.write_all(body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    Ok(answer)
}
