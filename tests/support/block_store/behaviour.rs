//! Faults and differences that a test chooses.

use super::{Copying, ReadBehaviour};

/// How the store behaves. Numbers count the requests that carry content.
#[derive(Clone, Debug, Default)]
pub(crate) struct Behaviour {
    /// Each so-manyth is answered 503 ServerBusy.
    pub(crate) busy_every: Option<u32>,
    /// `Retry-After` of such an answer, in seconds.
    pub(crate) retry_after: Option<u32>,
    /// Every n-th request has its connection closed after half of its content.
    pub(crate) reset_every: Option<u32>,
    /// One bit of each so-manyth is flipped on the way.
    pub(crate) flip_every: Option<u32>,
    /// A checksum header is answered 500, as older emulators do.
    pub(crate) no_checksums: bool,
    /// A checksum header is answered 400, with its name.
    pub(crate) refuses_header: bool,
    /// This number of requests are answered 500, and all others normally.
    pub(crate) fails_first: u32,
    /// The SAS that brought the so-manyth is refused from then on.
    pub(crate) sas_ends_after: Option<u32>,
    /// No SAS is accepted for content after this number of requests.
    pub(crate) refuses_all_after: Option<u32>,
    /// The SAS does not allow to read or to list.
    pub(crate) write_only: bool,
    /// Blocks are gone before the next block list, once.
    pub(crate) loses_blocks: bool,
    /// Content after this number of requests is received and never answered.
    pub(crate) silent_after: Option<u32>,
    /// Content after this number of requests is kept, and answered when the test continues it.
    pub(crate) held_after: Option<u32>,
    /// Content is counted and not kept.
    pub(crate) discards: bool,
    /// How it copies blocks from URLs.
    pub(crate) copying: Copying,
    /// One bit of each blob that is read is another one.
    pub(crate) reads_wrong: bool,
    /// How blobs are read.
    pub(crate) reading: ReadBehaviour,
    /// Metadata is answered 403, as by a SAS without the right to write it.
    pub(crate) refuses_metadata: bool,
    /// How the list of the container differs from what is there.
    pub(crate) lists: Lists,
    /// Before the so-manyth list of the whole container another machine writes this blob, in its size.
    pub(crate) writes_before_list: Option<(u32, &'static str)>,
}

/// Blobs in the list of the container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lists {
    /// All blobs.
    #[default]
    All,
    /// Each blob one byte shorter than it is.
    Shorter,
    /// Each blob larger than any disk.
    Huge,
    /// All but the blob that comes first by its name.
    WithoutFirst,
    /// Without ETags.
    WithoutEtags,
    /// Without any marks of writes.
    WithoutMarks,
    /// All in the first page, which leads to empty ones that lead to each other.
    Circle,
    /// All in the first page, and then one empty page after the other.
    Endless,
}
