//! Put Blob, Put Block, Put Block List and Get Block List.

use axum::body::Body;
use axum::http::{HeaderMap, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;

use super::answers::{created, error, marked, xml};
use super::{Blob, Line, Query, SHA256, Shared, StoreState};

pub(super) async fn content(
    shared: &Shared,
    line: &Line,
    name: &str,
    (query, headers, sas): (&Query, &HeaderMap, &str),
    body: Body,
) -> Response<Body> {
    let (age, number, behaviour) = {
        let mut kept = shared.lock();
        kept.seen += 1;
        (kept.age, kept.seen, kept.behaviour.clone())
    };
    let is_due = |every: Option<u32>| every.is_some_and(|every| number.is_multiple_of(every));
    let length = length(headers);
    let resets = is_due(behaviour.reset_every);
    let mut crc = crc64fast_nvme::Digest::new();
    let (mut got, mut bytes) = (Vec::new(), 0_u64);
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let Ok(piece) = piece else { return error(400, "RequestBodyIncomplete") };
        bytes += piece.len() as u64;
        let mut piece = piece.to_vec();
        if is_due(behaviour.flip_every) && bytes == length {
            *piece.last_mut().expect("a byte") ^= 1;
        }
        crc.write(&piece);
        if !behaviour.discards {
            got.extend_from_slice(&piece);
        }
        if resets && bytes * 2 >= length {
            line.close();
            std::future::pending::<()>().await;
        }
    }
    if is_due(behaviour.busy_every) {
        let mut answer = error(503, "ServerBusy");
        if let Some(seconds) = behaviour.retry_after {
            answer.headers_mut().insert("retry-after", seconds.into());
        }
        return answer;
    }
    if number <= behaviour.fails_first {
        return error(500, "InternalError");
    }
    let sum = headers.get("x-ms-content-crc64");
    if sum.is_some() && behaviour.refuses_header {
        let text = "<Error><Code>UnsupportedHeader</Code><Message>One of the HTTP headers is not supported.</Message>\
                    <HeaderName>x-ms-content-crc64</HeaderName><HeaderValue>x</HeaderValue></Error>";
        return Response::builder().status(400).body(Body::from(text)).expect("a response");
    }
    if sum.is_some() && behaviour.no_checksums {
        return error(500, "InternalError");
    }
    if sum.is_some_and(|sum| sum.as_bytes() != STANDARD.encode(crc.sum64().to_le_bytes()).as_bytes()) {
        return error(400, "Crc64Mismatch");
    }
    if bytes != length {
        return error(400, "RequestBodyIncomplete");
    }
    let (is_silent, is_held, write) = {
        let mut write = None;
        let mut kept = shared.lock();
        let is_held = kept.behaviour.held_after.is_some_and(|after| kept.taken >= after);
        let is_silent = age != kept.age || behaviour.silent_after.is_some_and(|after| kept.taken >= after);
        if is_silent {
            kept.silent += u32::from(age == kept.age);
        } else if behaviour.refuses_all_after.is_some_and(|after| kept.taken >= after) {
            return error(403, "AuthenticationFailed");
        } else {
            kept.taken += 1;
            if behaviour.sas_ends_after == Some(kept.taken) {
                kept.refused.insert(sas.to_owned());
            }
            kept.held += u32::from(is_held);
            write = keep(&mut kept, name, (query, headers), (got, bytes));
        }
        (is_silent, is_held, write)
    };
    shared.changed.notify_all();
    if is_silent {
        std::future::pending::<()>().await;
    }
    if is_held {
        shared.answers.acquire().await.expect("the semaphore is never closed").forget();
    }
    created(write)
}

/// Stores content. Returns the number of the write if it created a blob.
pub(super) fn keep(
    kept: &mut StoreState,
    name: &str,
    (query, headers): (&Query, &HeaderMap),
    (content, bytes): (Vec<u8>, u64),
) -> Option<u64> {
    let received = kept.received.entry(name.to_owned()).or_default();
    received.with_checksum += u32::from(headers.contains_key("x-ms-content-crc64"));
    if let Some(id) = query.get("blockid") {
        let raw = STANDARD.decode(id).expect("a block id in base64");
        let index = raw.last_chunk::<8>().expect("an index in the block id");
        received.blocks.push(u64::from_be_bytes(*index));
        kept.blocks.entry(name.to_owned()).or_default().insert(id.clone(), (content, bytes));
        None
    } else {
        received.puts += 1;
        kept.blocks.remove(name);
        let (content_type, sha256) = (content_type(headers), sha256(headers));
        let blob = Blob { content, content_type, sha256, bytes, ..Blob::default() };
        Some(kept.make(name, blob))
    }
}

pub(super) async fn commit(shared: &Shared, name: &str, headers: &HeaderMap, body: Body) -> Response<Body> {
    let Ok(text) = axum::body::to_bytes(body, 16 << 20).await else { return error(400, "RequestBodyIncomplete") };
    let text = String::from_utf8_lossy(&text).into_owned();
    let ids: Vec<&str> =
        text.split("<Latest>").skip(1).filter_map(|rest| rest.split_once("</Latest>")).map(|(id, _)| id).collect();
    let mut kept = shared.lock();
    kept.received.entry(name.to_owned()).or_default().commits += 1;
    if std::mem::take(&mut kept.behaviour.loses_blocks) {
        kept.blocks.remove(name);
    }
    let mut stored = kept.blocks.remove(name).unwrap_or_default();
    let mut blob = Blob { content_type: content_type(headers), sha256: sha256(headers), ..Blob::default() };
    for id in ids {
        let Some((content, bytes)) = stored.remove(id) else { return error(400, "InvalidBlockList") };
        blob.content.extend_from_slice(&content);
        blob.bytes += bytes;
        blob.blocks.push((id.to_owned(), bytes));
    }
    let write = kept.make(name, blob);
    created(Some(write))
}

pub(super) fn block_list(shared: &Shared, name: &str) -> Response<Body> {
    let mut kept = shared.lock();
    kept.received.entry(name.to_owned()).or_default().asked += 1;
    if kept.behaviour.write_only {
        return error(403, "AuthorizationPermissionMismatch");
    }
    let entry = |id: &str, bytes: u64| format!("<Block><Name>{id}</Name><Size>{bytes}</Size></Block>");
    let (blob, blocks) = (kept.blobs.get(name), kept.blocks.get(name));
    if blob.is_none() && blocks.is_none() {
        return error(404, "BlobNotFound");
    }
    let committed: String = blob.iter().flat_map(|blob| &blob.blocks).map(|(id, bytes)| entry(id, *bytes)).collect();
    let uncommitted: String = blocks.into_iter().flatten().map(|(id, (_, bytes))| entry(id, *bytes)).collect();
    let write = blob.map(|blob| blob.write);
    let answer = xml(format!(
        "<BlockList><CommittedBlocks>{committed}</CommittedBlocks><UncommittedBlocks>{uncommitted}</UncommittedBlocks></BlockList>"
    ));
    marked(answer, write)
}

fn length(headers: &HeaderMap) -> u64 {
    let text = headers.get("content-length").and_then(|value| value.to_str().ok());
    text.and_then(|text| text.parse().ok()).expect("a Content-Length")
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get("x-ms-blob-content-type").and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

fn sha256(headers: &HeaderMap) -> Option<String> {
    headers.get(SHA256).and_then(|value| value.to_str().ok()).map(str::to_owned)
}
