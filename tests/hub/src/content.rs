//! Content of a file that is sent: counted, paced, and corrupted by faults.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::Bytes;

use crate::fault::FaultKind;
use crate::state::Shared;

/// Bytes that are read at a time.
const PIECE: u64 = 256 * 1024;

/// Damage to content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    None,
    /// Half of the content, then nothing.
    Hang,
    /// Half of the content, then the connection breaks.
    Cut,
    /// The last byte is changed.
    Flip,
}

/// A range of a file: start and length in bytes.
pub(crate) type Span = (u64, u64);

/// Rate of all content together.
#[derive(Debug)]
pub(crate) struct Pace {
    bytes_per_second: u64,
    next: Mutex<Instant>,
}

impl Pace {
    pub(crate) fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second: bytes_per_second.max(1), next: Mutex::new(Instant::now()) }
    }

    async fn wait(&self, bytes: u64) {
        let turn = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            *next = (*next).max(Instant::now()) + Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64);
            *next
        };
        tokio::time::sleep_until(turn.into()).await;
    }
}

struct Reading {
    shared: Arc<Shared>,
    name: String,
    file: File,
    left: u64,
    /// Bytes until the damage.
    sound: u64,
    damage: Damage,
}

/// Body of `bytes` from `start` on. `name`: of the file in the record.
///
/// # Errors
/// When the file cannot be opened.
pub(crate) fn body(
    shared: &Arc<Shared>,
    (name, local): (&str, &Path),
    (start, bytes): Span,
    fault: Option<&FaultKind>,
) -> io::Result<Body> {
    let mut file = File::open(local)?;
    file.seek(SeekFrom::Start(start))?;
    let damage = match fault {
        Some(FaultKind::Hang) => Damage::Hang,
        Some(FaultKind::Cut) => Damage::Cut,
        Some(FaultKind::Flip) => Damage::Flip,
        _ => Damage::None,
    };
    let sound = if matches!(damage, Damage::Hang | Damage::Cut) { bytes / 2 } else { bytes };
    shared.lock().record.content(name);
    let reading = Reading { shared: Arc::clone(shared), name: name.to_owned(), file, left: bytes, sound, damage };
    Ok(Body::from_stream(futures_util::stream::unfold(reading, |mut reading| async move {
        Some((reading.piece().await?, reading))
    })))
}

impl Reading {
    async fn piece(&mut self) -> Option<io::Result<Bytes>> {
        if self.left == 0 {
            return None;
        }
        if self.sound == 0 {
            match self.damage {
                Damage::Hang => std::future::pending::<()>().await,
                _ => return Some(Err(io::Error::other("cut"))),
            }
        }
        let length = self.sound.min(PIECE);
        if let Some(pace) = &self.shared.pace {
            pace.wait(length).await;
        }
        let mut piece = vec![0; usize::try_from(length).unwrap_or_default()];
        if let Err(error) = self.file.read_exact(&mut piece) {
            return Some(Err(error));
        }
        (self.left, self.sound) = (self.left - length, self.sound - length);
        if self.left == 0
            && self.damage == Damage::Flip
            && let Some(last) = piece.last_mut()
        {
            *last ^= 1;
        }
        self.shared.lock().record.sent(&self.name, length);
        Some(Ok(piece.into()))
    }
}

/// Start and length of `Range: bytes=a-b` of a file of this size. `None`: no range that the CDN supports; an error if
/// it is past the end.
pub(crate) fn range(header: Option<&str>, size: u64) -> Option<Result<Span, ()>> {
    let (start, end) = header?.strip_prefix("bytes=")?.split_once('-')?;
    let start: u64 = start.parse().ok()?;
    let end = if end.is_empty() { size.saturating_sub(1) } else { end.parse().ok()? };
    if start >= size || end < start {
        return Some(Err(()));
    }
    Some(Ok((start, end.min(size - 1) - start + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_end_with_the_file() {
        for (header, span) in [
            (None, None),
            (Some("bytes=0-7"), Some(Ok((0, 8)))),
            (Some("bytes=8-"), Some(Ok((8, 2)))),
            (Some("bytes=8-99"), Some(Ok((8, 2)))),
            (Some("bytes=10-11"), Some(Err(()))),
            (Some("bytes=-5"), None),
            (Some("lines=1-2"), None),
        ] {
            assert_eq!(range(header, 10), span, "{header:?}");
        }
    }
}
