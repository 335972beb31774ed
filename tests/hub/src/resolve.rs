//! Location of a file's content: a signed URL for a large one, the Hub itself for a small one.

use std::io::{Read, Write};

use axum::body::Body;
use axum::http::Method;
use flate2::Compression;
use flate2::write::GzEncoder;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::answer::{Answer, redirect, refusal, set, text};
use crate::config::Gate;
use crate::content::{body, range};
use crate::fault::{FaultKind, Route};
use crate::hub::{Token, find};
use crate::repo::{Repo, RepoFile};
use crate::signature::{Signed, sign};
use crate::state::{Call, SharedState};

/// Responds for one file of a repository at a revision; `is_cache`: requested at the URL that small files redirect to.
pub(crate) async fn answer(
    shared: &SharedState,
    call: &Call,
    (id, revision, path): (&str, &str, &str),
    (token, is_cache): (Token, bool),
) -> Answer {
    let index = match find(shared, call, id, token) {
        Ok(index) => index,
        Err(answer) => return *answer,
    };
    let repo = &shared.repos[index];
    if let Some(answer) = closed_gate(shared, repo, token) {
        return answer;
    }
    if !repo.has_revision(revision) {
        return refusal(404, Some("RevisionNotFound"), &format!("Invalid rev id: {revision}"));
    }
    let Some((number, file)) = repo.file(path) else {
        let mut answer = refusal(404, Some("EntryNotFound"), "Entry not found");
        set(answer.headers_mut(), "x-repo-commit", &repo.sha);
        return answer;
    };
    let route = if file.lfs.is_some() { Route::Resolve } else { Route::File };
    let fault = match shared.strike(route, Some(path), None).await {
        Ok(fault) => fault,
        Err(answer) => return *answer,
    };
    let (has_commit, redirects) = {
        let config = &shared.lock().config;
        (config.has_commit_header, config.redirects_small_files && !is_cache)
    };
    let mut answer = match &file.lfs {
        _ if fault == Some(FaultKind::Leave) => redirect(302, "http://elsewhere.example/file"),
        Some(sum) => large(shared, call, (index, number, file, sum), fault.as_ref()),
        None if redirects => {
            let path = path.split('/').map(|part| utf8_percent_encode(part, NON_ALPHANUMERIC).to_string());
            let path = path.collect::<Vec<_>>().join("/");
            redirect(307, &format!("/api/resolve-cache/models/{id}/{}/{path}?etag=%22{}%22", repo.sha, file.oid))
        }
        None => small(shared, call, file, fault.as_ref()),
    };
    if has_commit {
        let commit = if fault == Some(FaultKind::OtherCommit) { "f".repeat(40) } else { repo.sha.clone() };
        set(answer.headers_mut(), "x-repo-commit", &commit);
    }
    answer
}

fn closed_gate(shared: &SharedState, repo: &Repo, token: Token) -> Option<Answer> {
    let id = &repo.config.id;
    if repo.config.gate == Gate::Open {
        return None;
    }
    let words = match token {
        Token::Missing => {
            let words = "You must have access to it and be authenticated to access it. Please log in.";
            return Some(refusal(401, Some("GatedRepo"), &format!("Access to model {id} is restricted. {words}")));
        }
        Token::Valid if shared.lock().config.has_gated_access => return None,
        Token::Valid if repo.config.gate == Gate::Manual => "Your request to access it is awaiting a review.",
        Token::Valid => "You are not in the authorized list. Visit the page of the model to ask for access.",
    };
    Some(refusal(403, Some("GatedRepo"), &format!("Access to model {id} is restricted. {words}")))
}

fn large(
    shared: &SharedState,
    call: &Call,
    (repo, number, file, sum): (usize, usize, &RepoFile, &str),
    fault: Option<&FaultKind>,
) -> Answer {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let (location, origin) = {
        let state = shared.lock();
        let config = &state.config;
        let signed = Signed { repo, file: number, age: state.age };
        let cdn = if call.is_public() { format!("https://{}", config.cdn_host) } else { shared.cdn.clone() };
        (cdn + &sign(signed, name, config.signed_seconds, config.padding), call.origin())
    };
    let mut answer = redirect(302, &location);
    let headers = answer.headers_mut();
    let size = file.size + u64::from(fault == Some(&FaultKind::OtherSize));
    let sum = if fault == Some(&FaultKind::OtherSum) { "e".repeat(64) } else { sum.to_owned() };
    set(headers, "x-linked-size", &size.to_string());
    set(headers, "x-linked-etag", &format!("\"{sum}\""));
    set(headers, "accept-ranges", "bytes");
    let token = format!("{origin}/api/models/{}/xet-read-token/main", shared.repos[repo].config.id);
    let links = format!("<{token}>; rel=\"xet-auth\", <{origin}/xet>; rel=\"xet-reconstruction-info\"");
    set(headers, "link", &links);
    answer
}

fn small(shared: &SharedState, call: &Call, file: &RepoFile, fault: Option<&FaultKind>) -> Answer {
    let accepts = call.header("accept-encoding").unwrap_or_default();
    if accepts.contains("gzip") {
        return packed(shared, file);
    }
    let requested = match fault {
        Some(FaultKind::IgnoreRange) => None,
        _ => range(call.header("range"), file.size).and_then(Result::ok),
    };
    let (start, length) = requested.unwrap_or((0, file.size));
    let sent = match fault {
        Some(FaultKind::Empty) => 0,
        Some(FaultKind::Short) => length / 2,
        _ => length,
    };
    let content = match call.method == Method::HEAD {
        true => Ok(Body::empty()),
        false => body(shared, (&file.path, &file.local), (start, sent), fault),
    };
    let Ok(content) = content else { return refusal(500, None, "the file cannot be read") };
    let mut answer = text(if requested.is_some() { 206 } else { 200 }, "text/plain; charset=utf-8", content);
    let headers = answer.headers_mut();
    set(headers, "content-length", &sent.to_string());
    set(headers, "etag", &format!("\"{}\"", file.oid));
    set(headers, "accept-ranges", "bytes");
    if requested.is_some() {
        set(headers, "content-range", &format!("bytes {start}-{}/{}", start + length - 1, file.size));
    }
    answer
}

/// The whole file in gzip, without a length and regardless of the range: the response to a client that does not request
/// `identity`.
fn packed(shared: &SharedState, file: &RepoFile) -> Answer {
    let mut content = Vec::new();
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    let read = std::fs::File::open(&file.local).and_then(|mut local| local.read_to_end(&mut content));
    let Ok(packed) = read.and_then(|_| packed.write_all(&content)).and_then(|()| packed.finish()) else {
        return refusal(500, None, "the file cannot be read");
    };
    {
        let record = &mut shared.lock().record;
        record.content(&file.path);
        record.sent(&file.path, file.size);
    }
    let stream = futures_util::stream::once(std::future::ready(Ok::<_, std::io::Error>(packed)));
    let mut answer = text(200, "text/plain; charset=utf-8", Body::from_stream(stream));
    set(answer.headers_mut(), "content-encoding", "gzip");
    set(answer.headers_mut(), "etag", &format!("W/\"{}\"", file.oid));
    answer
}
