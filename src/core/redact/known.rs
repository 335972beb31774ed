//! Secrets of this run: masked wherever they appear, in any context.

use std::collections::VecDeque;
use std::sync::{PoisonError, RwLock};

use memchr::memmem::Finder;

use super::unescaped::UnescapedText;

/// Minimum length: a shorter secret would match ordinary words.
const MIN_LENGTH: usize = 12;
/// Maximum number of secrets; the oldest are dropped. An upload of several days renews its SAS a few times an hour at
/// most.
const MAX_SECRETS: usize = 128;

static KNOWN: RwLock<VecDeque<KnownSecret>> = RwLock::new(VecDeque::new());

struct KnownSecret {
    secret: Finder<'static>,
    /// Secret without its escapes, if that is a different text.
    plain: Option<Finder<'static>>,
    /// Middle of the secret, for the case that an escape that begins before it, or ends after it, covers part of it.
    middle: Option<Finder<'static>>,
}

/// Registers a secret: it is masked in every text from now on.
pub(crate) fn remember(secret: &str) {
    if secret.len() < MIN_LENGTH {
        return;
    }
    let is_same = |known: &KnownSecret| known.secret.needle() == secret.as_bytes();
    if KNOWN.read().unwrap_or_else(PoisonError::into_inner).iter().any(is_same) {
        return;
    }
    let known = KnownSecret::new(secret);
    let mut all = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= MAX_SECRETS {
        all.pop_front();
    }
    all.push_back(known);
}

/// True once a secret is registered.
pub(super) fn is_any() -> bool {
    !KNOWN.read().unwrap_or_else(PoisonError::into_inner).is_empty()
}

/// Ranges of the text that contain a secret.
pub(super) fn find(text: &str, plain: &UnescapedText<'_>) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    for known in KNOWN.read().unwrap_or_else(PoisonError::into_inner).iter() {
        let length = known.secret.needle().len();
        spans.extend(known.secret.find_iter(text.as_bytes()).map(|at| (at, at + length)));
        let in_plain = [known.plain.as_ref(), known.middle.as_ref(), (!plain.is_text()).then_some(&known.secret)];
        for finder in in_plain.into_iter().flatten() {
            let length = finder.needle().len();
            spans.extend(finder.find_iter(plain.bytes()).map(|at| plain.source(at, at + length)));
        }
    }
    spans
}

impl KnownSecret {
    fn new(secret: &str) -> Self {
        let plain = UnescapedText::of(secret);
        let bytes = plain.bytes();
        let start = bytes.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or_default();
        let tail = bytes.len().saturating_sub(5);
        let end = bytes[tail..].iter().position(|byte| b"%\\&".contains(byte)).map_or(bytes.len(), |at| tail + at);
        let middle = bytes.get(start..end).filter(|middle| middle.len() >= MIN_LENGTH && middle.len() < bytes.len());
        let finder = |bytes: &[u8]| Finder::new(bytes).into_owned();
        Self {
            secret: finder(secret.as_bytes()),
            plain: (bytes.len() >= MIN_LENGTH && bytes != secret.as_bytes()).then(|| finder(bytes)),
            middle: middle.map(finder),
        }
    }
}
