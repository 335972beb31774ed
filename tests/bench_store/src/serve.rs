//! One connection, with or without TLS: reads requests and sends their responses.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex};

use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, UnbufferedStatus, WriteTraffic};
use rustls::{ProtocolVersion, ServerConfig, server::ServerConnectionData};

use crate::contents::{Contents, FilePart};
use crate::line::Line;
use crate::lock;
use crate::request::{Event, RequestReader};
use crate::response::Response;

/// Bytes per read. Larger reads save no more time, and hundreds of connections have to fit into memory.
const BUFFER: usize = 256 * 1024;
/// Maximum content of a TLS record, and its overhead.
const RECORD: usize = 16 * 1024;
const RECORD_OVERHEAD: usize = 64;

/// Serves a connection until it ends.
pub(crate) fn connection(mut line: Line, tls: Option<Arc<ServerConfig>>, contents: &Mutex<Contents>) -> io::Result<()> {
    line.connect()?;
    match tls {
        None => plain(&mut line, contents),
        Some(config) => encrypted(&mut line, config, contents),
    }
}

fn plain(line: &mut Line, contents: &Mutex<Contents>) -> io::Result<()> {
    let mut reader = RequestReader::default();
    let mut buffer = vec![0; BUFFER];
    loop {
        let bytes = line.receive(&mut buffer)?;
        if bytes == 0 {
            return cut_off(&reader, contents).map_or(Ok(()), |answer| line.send(&answer));
        }
        reader.push(&buffer[..bytes])?;
        while let Some(event) = reader.event() {
            let (head, part) = answer(&event, contents);
            line.send(&head)?;
            if let Some(part) = part {
                for_each_piece(&part, &mut |piece| line.send(piece))?;
            }
        }
    }
}

fn encrypted(line: &mut Line, config: Arc<ServerConfig>, contents: &Mutex<Contents>) -> io::Result<()> {
    let mut session = UnbufferedServerConnection::new(config).map_err(io::Error::other)?;
    let mut reader = RequestReader::default();
    let (mut incoming, mut outgoing) = (vec![0; BUFFER], Vec::new());
    let (mut start, mut end) = (0, 0);
    let mut has_ended = false;
    loop {
        // In TLS 1.3 the session tickets are sent with the first response: alone they would cost another round trip.
        let holds_tickets = session.protocol_version() == Some(ProtocolVersion::TLSv1_3);
        let UnbufferedStatus { mut discard, state } = session.process_tls_records(&mut incoming[start..end]);
        let mut wants_more = false;
        match state.map_err(io::Error::other)? {
            ConnectionState::ReadTraffic(mut traffic) => {
                while let Some(record) = traffic.next_record() {
                    let record = record.map_err(io::Error::other)?;
                    discard += record.discard;
                    reader.push(record.payload)?;
                }
            }
            ConnectionState::EncodeTlsData(mut data) => {
                let at = outgoing.len();
                outgoing.resize(at + RECORD + RECORD_OVERHEAD, 0);
                let written = data.encode(&mut outgoing[at..]).map_err(io::Error::other)?;
                outgoing.truncate(at + written);
            }
            ConnectionState::TransmitTlsData(mut data) => {
                if !holds_tickets || data.may_encrypt_app_data().is_none() {
                    line.send(&outgoing)?;
                    outgoing.clear();
                }
                data.done();
            }
            ConnectionState::WriteTraffic(mut traffic) => {
                if let Some(event) = reader.event() {
                    let (head, part) = answer(&event, contents);
                    encrypt(&mut traffic, &head, &mut outgoing)?;
                    if let Some(part) = part {
                        for_each_piece(&part, &mut |piece| {
                            encrypt(&mut traffic, piece, &mut outgoing)?;
                            line.send(&outgoing)?;
                            outgoing.clear();
                            Ok(())
                        })?;
                    }
                } else if has_ended {
                    let Some(answer) = cut_off(&reader, contents) else { return Ok(()) };
                    encrypt(&mut traffic, &answer, &mut outgoing)?;
                    return line.send(&outgoing);
                } else {
                    wants_more = true;
                }
                if !wants_more {
                    line.send(&outgoing)?;
                    outgoing.clear();
                }
            }
            ConnectionState::BlockedHandshake if !has_ended => wants_more = true,
            ConnectionState::PeerClosed => has_ended = true,
            _ => return Ok(()),
        }
        start += discard;
        if wants_more {
            incoming.copy_within(start..end, 0);
            (start, end) = (0, end - start);
            let bytes = line.receive(&mut incoming[end..])?;
            has_ended |= bytes == 0;
            end += bytes;
        }
    }
}

fn encrypt(
    traffic: &mut WriteTraffic<'_, ServerConnectionData>,
    content: &[u8],
    outgoing: &mut Vec<u8>,
) -> io::Result<()> {
    let at = outgoing.len();
    outgoing.resize(at + content.len() + (content.len() / RECORD + 1) * RECORD_OVERHEAD, 0);
    let written = traffic.encrypt(content, &mut outgoing[at..]).map_err(io::Error::other)?;
    outgoing.truncate(at + written);
    Ok(())
}

/// Passes a part of a file to `on`, piece by piece.
fn for_each_piece(part: &FilePart, on: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut file = File::open(&part.file)?;
    file.seek(SeekFrom::Start(part.start))?;
    let (mut buffer, mut left) = (vec![0; BUFFER], part.bytes);
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
        file.read_exact(&mut buffer[..length])?;
        on(&buffer[..length])?;
        left -= length as u64;
    }
    Ok(())
}

fn answer(event: &Event, contents: &Mutex<Contents>) -> (Vec<u8>, Option<FilePart>) {
    match event {
        Event::Continue => (b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), None),
        Event::Request(request) => lock(contents).answer(request),
    }
}

/// Response to a request whose body ended early; `None` between requests.
fn cut_off(reader: &RequestReader, contents: &Mutex<Contents>) -> Option<Vec<u8>> {
    reader.is_cut_off().then(|| {
        let number = lock(contents).cut_off();
        Response::refusal(400, "IncompleteBody").bytes(number, crate::response::VERSION, false)
    })
}
