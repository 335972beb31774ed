//! Connections through the gate: requests and responses pass one after the other, and wait while the gate is closed.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpStream};

use super::wire::{Kind, Request, read_response};
use super::{Hold, Line, Shared, State};

const PART: usize = 16 * 1024;

impl Shared {
    /// Serves one connection until it ends.
    pub(super) fn serve(&self, client: &TcpStream) -> io::Result<()> {
        let server = TcpStream::connect(&self.azurite)?;
        {
            let mut state = self.lock();
            if state.line == Line::Cut {
                return client.shutdown(Shutdown::Both);
            }
            state.connections.extend([client.try_clone()?, server.try_clone()?]);
        }
        let (mut from_client, mut from_server) = (BufReader::new(client), BufReader::new(&server));
        while let Some(request) = Request::read(&mut from_client)? {
            self.lock().open += 1;
            let passed = self.pass(&request, (&mut from_client, client), (&mut from_server, &server));
            self.lock().open -= 1;
            self.changed.notify_all();
            passed?;
        }
        server.shutdown(Shutdown::Both)
    }

    fn pass(
        &self,
        request: &Request,
        (from_client, mut to_client): (&mut impl BufRead, &TcpStream),
        (from_server, mut to_server): (&mut impl BufRead, &TcpStream),
    ) -> io::Result<()> {
        let number = {
            let mut state = self.lock();
            let seen = state.seen.entry(request.kind).or_default();
            *seen += 1;
            *seen - 1
        };
        // A location is probed and listed concurrently, in any order: both requests are held.
        let is_late_list = |first| request.kind == Kind::List && number > first;
        self.wait_while(true, |state| {
            matches!(state.hold, Hold::Request(kind, first) if kind == request.kind && (number == first || is_late_list(first)))
        });
        self.wait_while(false, |state| state.line == Line::Silent);
        let has_content = request.kind == Kind::Content;
        if has_content {
            self.wait_while(true, |state| matches!(state.hold, Hold::Blob(blob) if blob == request.blob));
            self.wait_while(false, |state| !state.concurrent && std::mem::replace(&mut state.sending, true));
        }
        let response = (|| {
            to_server.write_all(&request.head)?;
            let mut left = request.length;
            let mut part = [0; PART];
            while left > 0 {
                let wanted = if has_content { self.allowance(left) } else { left.min(PART as u64) };
                let got = from_client.read(&mut part[..usize::try_from(wanted).expect("small")])?;
                if got == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                left -= got as u64;
                to_server.write_all(&part[..got])?;
                if has_content {
                    let mut state = self.lock();
                    state.received += got as u64;
                    state.blobs.entry(request.blob.clone()).or_default().bytes += got as u64;
                    self.changed.notify_all();
                }
            }
            // A request without content is held as well.
            if has_content && request.length == 0 {
                self.allowance(1);
            }
            read_response(from_server, request.method == "HEAD")
        })();
        if has_content {
            self.lock().sending = false;
            self.changed.notify_all();
        }
        let (status, response) = response?;
        self.wait_while(false, |state| state.line == Line::Silent);
        if (200..300).contains(&status) {
            let mut state = self.lock();
            let blob = || request.blob.clone();
            if has_content {
                state.acknowledged += request.length;
            }
            if request.completes_blob {
                state.blobs.entry(blob()).or_default().commits += 1;
            } else if request.kind == Kind::Properties {
                let received = state.blobs.entry(blob()).or_default();
                received.verified = received.commits > 0;
            }
        }
        to_client.write_all(&response)
    }

    /// Waits while the condition is true; `hold` means that the gate holds the request.
    fn wait_while(&self, hold: bool, mut is_closed: impl FnMut(&mut State) -> bool) {
        let mut state = self.lock();
        if !is_closed(&mut state) {
            return;
        }
        state.held |= hold;
        state.waiting += 1;
        self.changed.notify_all();
        loop {
            state = self.changed.wait(state).expect("the state");
            if !is_closed(&mut state) {
                break;
            }
        }
        state.waiting -= 1;
    }

    /// Number of bytes that may pass now: at least one, after a wait if necessary.
    fn allowance(&self, left: u64) -> u64 {
        let room = |state: &State| match state.hold {
            Hold::Bytes(limit) => limit.saturating_sub(state.received),
            _ => u64::MAX,
        };
        self.wait_while(true, |state| room(state) == 0);
        self.wait_while(false, |state| state.line == Line::Silent);
        left.min(PART as u64).min(room(&self.lock())).max(1)
    }
}
