//! Downloads the archive: manual redirects, three attempts, a size limit, a checksum.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use url::Url;

use super::source::DownloadSource;
use super::{InstallError, InstallEvent};
use crate::http::{Backoff, Download, DownloadResponse, HttpClient, Request, Retry};
use crate::model::{ContentHash, Report};

/// Maximum number of attempts of one download.
const ATTEMPTS: u32 = 3;
/// Maximum number of consecutive redirects.
const REDIRECTS: usize = 10;

/// A completely downloaded archive.
#[derive(Debug)]
pub(super) struct FetchedArchive {
    /// SHA-256 in hexadecimal digits.
    pub(super) sha256: String,
    /// File name in the URL of the archive.
    pub(super) name: String,
}

/// Writes the archive into the file at `path`.
pub(super) async fn fetch(
    http: &HttpClient,
    source: &DownloadSource,
    limit: u64,
    (file, path): (&mut File, &Path),
    on: &mut dyn FnMut(InstallEvent),
) -> Result<FetchedArchive, InstallError> {
    let mut backoff = Backoff::new(http.timings(), Retry::Idempotent).attempts(ATTEMPTS);
    loop {
        file.rewind().and_then(|()| file.set_len(0)).map_err(InstallError::io(path))?;
        let error = match try_once(http, source, limit, (&mut *file, path), on).await {
            Err(InstallError::Http(error)) => error,
            done => return done,
        };
        let Some(pause) = backoff.after(&error) else { return Err(InstallError::Http(error)) };
        let why = InstallError::Http(error);
        http.report(Report::Notice(format!("The download failed ({why}); retrying ({})", backoff.next_attempt())));
        tokio::time::sleep(pause).await;
    }
}

async fn try_once(
    http: &HttpClient,
    source: &DownloadSource,
    limit: u64,
    (file, path): (&mut File, &Path),
    on: &mut dyn FnMut(InstallEvent),
) -> Result<FetchedArchive, InstallError> {
    let (mut download, url) = follow(http, source).await?;
    let total = download.length();
    if total.is_some_and(|total| total > limit) {
        return Err(InstallError::TooLarge { limit });
    }
    let (mut bytes, mut hash) = (0, Sha256::new());
    on(InstallEvent::Progress { bytes, total });
    while let Some(piece) = download.next().await.map_err(InstallError::Http)? {
        bytes += piece.len() as u64;
        if bytes > limit {
            return Err(InstallError::TooLarge { limit });
        }
        hash.update(&piece);
        file.write_all(&piece).map_err(InstallError::io(path))?;
        on(InstallEvent::Progress { bytes, total });
    }
    let sha256 = ContentHash::from(<[u8; 32]>::from(hash.finalize())).to_string();
    source.check(&sha256)?;
    Ok(FetchedArchive { sha256, name: file_name(&url) })
}

async fn follow(http: &HttpClient, source: &DownloadSource) -> Result<(Download, Url), InstallError> {
    let mut url = source.url().clone();
    for _ in 0..=REDIRECTS {
        let request = Request::download(url.clone(), http.timings().download_stall);
        match http.open(&request).await.map_err(InstallError::Http)? {
            DownloadResponse::Content(download) => return Ok((download, url)),
            DownloadResponse::Redirect(next) if source.allows(&next) => url = next,
            DownloadResponse::Redirect(next) => {
                let host = |url: &Url| url.host_str().unwrap_or_default().to_owned();
                let to = format!("{}://{}", next.scheme(), host(&next));
                return Err(InstallError::Redirect { from: host(&url), to });
            }
        }
    }
    Err(InstallError::TooManyRedirects)
}

/// Last segment of the URL's path, if it is a plain file name.
fn file_name(url: &Url) -> String {
    let last = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if last.is_empty() || !last.chars().all(plain) { "archive".into() } else { last.into() }
}
