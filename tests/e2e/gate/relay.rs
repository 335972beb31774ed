//! Connections through the gate: requests and answers pass one after the other, and wait where the gate is closed.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpStream};

use super::wire::{Kind, Request, read_answer};
use super::{Hold, Line, Shared, State};

const PART: usize = 16 * 1024;

impl Shared {
    /// Serves one connection to its end.
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
            let answered = self.pass(&request, (&mut from_client, client), (&mut from_server, &server));
            self.lock().open -= 1;
            self.changed.notify_all();
            answered?;
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
        // A location is probed and listed at the same time, in any order: both are held.
        let is_late_list = |first| request.kind == Kind::List && number > first;
        self.stop_while(true, |state| {
            matches!(state.hold, Hold::Request(kind, first) if kind == request.kind && (number == first || is_late_list(first)))
        });
        self.stop_while(false, |state| state.line == Line::Silent);
        let mine = request.kind == Kind::Content;
        if mine {
            self.stop_while(true, |state| matches!(state.hold, Hold::Blob(blob) if blob == request.blob));
            self.stop_while(false, |state| !state.together && std::mem::replace(&mut state.sending, true));
        }
        let answer = (|| {
            to_server.write_all(&request.head)?;
            let mut left = request.length;
            let mut part = [0; PART];
            while left > 0 {
                let wanted = if mine { self.allowance(left) } else { left.min(PART as u64) };
                let got = from_client.read(&mut part[..usize::try_from(wanted).expect("small")])?;
                if got == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                left -= got as u64;
                to_server.write_all(&part[..got])?;
                if mine {
                    let mut state = self.lock();
                    state.received += got as u64;
                    state.blobs.entry(request.blob.clone()).or_default().bytes += got as u64;
                    self.changed.notify_all();
                }
            }
            // A request without content is held as well.
            if mine && request.length == 0 {
                self.allowance(1);
            }
            read_answer(from_server, request.method == "HEAD")
        })();
        if mine {
            self.lock().sending = false;
            self.changed.notify_all();
        }
        let (status, answer) = answer?;
        self.stop_while(false, |state| state.line == Line::Silent);
        if (200..300).contains(&status) {
            let mut state = self.lock();
            let blob = || request.blob.clone();
            if mine {
                state.answered += request.length;
            }
            if request.whole {
                state.blobs.entry(blob()).or_default().made += 1;
            } else if request.kind == Kind::Look {
                let received = state.blobs.entry(blob()).or_default();
                received.proved = received.made > 0;
            }
        }
        to_client.write_all(&answer)
    }

    /// Waits as long as the condition holds; `hold` says that it is the gate which holds.
    fn stop_while(&self, hold: bool, mut shut: impl FnMut(&mut State) -> bool) {
        let mut state = self.lock();
        if !shut(&mut state) {
            return;
        }
        state.held |= hold;
        state.waiting += 1;
        self.changed.notify_all();
        loop {
            state = self.changed.wait(state).expect("the state");
            if !shut(&mut state) {
                break;
            }
        }
        state.waiting -= 1;
    }

    /// How many bytes may pass now: at least one, after a wait if need be.
    fn allowance(&self, left: u64) -> u64 {
        let room = |state: &State| match state.hold {
            Hold::Bytes(limit) => limit.saturating_sub(state.received),
            _ => u64::MAX,
        };
        self.stop_while(true, |state| room(state) == 0);
        self.stop_while(false, |state| state.line == Line::Silent);
        left.min(PART as u64).min(room(&self.lock())).max(1)
    }
}
