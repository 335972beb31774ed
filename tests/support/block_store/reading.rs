//! Get Blob, whole or a range of it, with the faults that affect downloads.

use std::io;
use std::path::PathBuf;

use axum::body::Body;
use axum::http::{HeaderMap, Response};
use futures_util::StreamExt;

use super::answers::{error, marked};
use super::{Line, Shared, StoreState};

/// Behaviour of reads of blobs. Numbers count the reads since the behaviour was set.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadBehaviour {
    /// Every n-th read returns 503 ServerBusy.
    pub(crate) busy_every: Option<u32>,
    /// The connection of every n-th read is closed after half of its content.
    pub(crate) reset_every: Option<u32>,
    /// Every n-th response is well-formed and ends after half of its content.
    pub(crate) short_every: Option<u32>,
    /// The SAS of the n-th read is rejected from then on.
    pub(crate) sas_ends_after: Option<u32>,
    /// No SAS at all is accepted after n reads.
    pub(crate) refuses_all_after: Option<u32>,
    /// Before the n-th read, another machine overwrites this blob with the same size.
    pub(crate) writes_before: Option<(u32, &'static str)>,
    /// Reads after the n-th never get a response.
    pub(crate) silent_after: Option<u32>,
    /// Reads of this blob never get a response.
    pub(crate) silent: Option<&'static str>,
    /// The responses for this blob name a range other than the requested one.
    pub(crate) other_range: Option<&'static str>,
    /// Before the n-th read, a file of the user with the content `mine` appears at this path.
    pub(crate) appears_before: Option<(u32, PathBuf)>,
}

/// One received read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) name: String,
    /// `bytes=0-4194303`; empty if no range was requested.
    pub(crate) range: String,
    pub(crate) if_match: String,
    /// Status of the response.
    pub(crate) status: u16,
}

/// Responds to one read, and records it.
pub(super) async fn read(
    shared: &Shared,
    line: &Line,
    name: &str,
    (headers, sas): (&HeaderMap, &str),
) -> Response<Body> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (answer, is_silent) = {
        let mut kept = shared.lock();
        kept.read_number += 1;
        let (number, reading) = (kept.read_number, kept.behaviour.reading.clone());
        let is_due = |every: Option<u32>| every.is_some_and(|every| number.is_multiple_of(every));
        let is_after = |after: Option<u32>| after.is_some_and(|after| number > after);
        if let Some((_, name)) = reading.writes_before.filter(|(before, _)| *before == number) {
            let length = kept.blobs.get(name).map_or(1, |blob| blob.content.len());
            kept.write(name, vec![0; length]);
        }
        if let Some((_, path)) = reading.appears_before.as_ref().filter(|(before, _)| *before == number) {
            std::fs::write(path, "mine").expect("written");
        }
        let is_silent = is_after(reading.silent_after) || reading.silent == Some(name);
        kept.silent += u32::from(is_silent);
        let answer = if kept.behaviour.write_only {
            error(403, "AuthorizationPermissionMismatch")
        } else if is_after(reading.refuses_all_after) {
            error(403, "AuthenticationFailed")
        } else if is_due(reading.busy_every) {
            error(503, "ServerBusy")
        } else {
            if reading.sas_ends_after == Some(number) {
                kept.refused.insert(sas.to_owned());
            }
            blob(&kept, line, name, (&header("range"), &header("if-match")), &reading, &is_due)
        };
        let (range, if_match, status) = (header("range"), header("if-match"), answer.status().as_u16());
        kept.reads.push(Read { name: name.to_owned(), range, if_match, status });
        (answer, is_silent)
    };
    shared.changed.notify_all();
    if is_silent {
        std::future::pending::<()>().await;
    }
    answer
}

fn blob(
    kept: &StoreState,
    line: &Line,
    name: &str,
    (range, if_match): (&str, &str),
    reading: &ReadBehaviour,
    is_due: &dyn Fn(Option<u32>) -> bool,
) -> Response<Body> {
    let Some(blob) = kept.blobs.get(name) else { return error(404, "BlobNotFound") };
    if !if_match.is_empty() && if_match != format!("\"0x{:X}\"", blob.write) {
        return error(412, "ConditionNotMet");
    }
    let mut content = blob.content.clone();
    if let (true, Some(first)) = (kept.behaviour.reads_wrong, content.first_mut()) {
        *first ^= 1;
    }
    let range = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let Some((Ok(first), Ok(last))) = range.map(|(first, last)| (first.parse::<usize>(), last.parse::<usize>())) else {
        return marked(
            Response::builder().status(200).body(Body::from(content)).expect("a response"),
            Some(blob.write),
        );
    };
    let total = content.len();
    if first >= total {
        return error(416, "InvalidRange");
    }
    let last = last.min(total - 1);
    let mut part = content[first..=last].to_vec();
    let named = first + usize::from(reading.other_range == Some(name));
    let answer = Response::builder().status(206).header("content-range", format!("bytes {named}-{last}/{total}"));
    let length = part.len();
    let body = if is_due(reading.short_every) {
        part.truncate(length / 2);
        Body::from(part)
    } else if is_due(reading.reset_every) {
        part.truncate(length / 2);
        return marked(answer.header("content-length", length).body(broken(line, part)).expect("a response"), None);
    } else {
        Body::from(part)
    };
    marked(answer.body(body).expect("a response"), Some(blob.write))
}

/// Content after which the connection breaks.
fn broken(line: &Line, part: Vec<u8>) -> Body {
    let line = line.clone();
    let reset = futures_util::stream::once(async move {
        // The content sent before has to reach the reader.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        line.close();
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    let part = futures_util::stream::once(async move { Ok(axum::body::Bytes::from(part)) });
    Body::from_stream(part.chain(reset))
}
