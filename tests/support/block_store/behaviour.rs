//! Faults and differences that a test chooses.

use super::{Copying, ReadBehaviour};

/// Behaviour of the store. Numbers count the requests with content.
#[derive(Clone, Debug, Default)]
pub(crate) struct Behaviour {
    /// Every n-th request returns 503 ServerBusy.
    pub(crate) busy_every: Option<u32>,
    /// `Retry-After` of such a response, in seconds.
    pub(crate) retry_after: Option<u32>,
    /// Every n-th request has its connection closed after half of its content.
    pub(crate) reset_every: Option<u32>,
    /// One bit of every n-th request is flipped in transit.
    pub(crate) flip_every: Option<u32>,
    /// A checksum header returns 500, as with older emulators.
    pub(crate) no_checksums: bool,
    /// A checksum header returns 400, with its name.
    pub(crate) refuses_header: bool,
    /// The first n requests return 500.
    pub(crate) fails_first: u32,
    /// The SAS of the n-th request is rejected from then on.
    pub(crate) sas_ends_after: Option<u32>,
    /// No SAS is accepted for content after this number of requests.
    pub(crate) refuses_all_after: Option<u32>,
    /// The SAS does not permit reading or listing.
    pub(crate) write_only: bool,
    /// Blocks are lost before the next block list, once.
    pub(crate) loses_blocks: bool,
    /// Requests with content after the n-th are received but never get a response.
    pub(crate) silent_after: Option<u32>,
    /// Requests with content after the n-th are stored, and get their responses when the test releases them.
    pub(crate) held_after: Option<u32>,
    /// Content is counted but not stored.
    pub(crate) discards: bool,
    /// Behaviour of copies from URLs.
    pub(crate) copying: Copying,
    /// One bit of each blob is flipped on reads.
    pub(crate) reads_wrong: bool,
    /// Behaviour of reads.
    pub(crate) reading: ReadBehaviour,
    /// Metadata returns 403, as with a SAS that does not permit writing it.
    pub(crate) refuses_metadata: bool,
    /// Differences between the list of the container and its content.
    pub(crate) lists: Lists,
    /// Before the n-th list of the whole container, another machine overwrites this blob with the same size.
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
    /// All except the first blob by name.
    WithoutFirst,
    /// Without ETags.
    WithoutEtags,
    /// Without ETags and times of writes.
    WithoutMarks,
    /// All in the first page, which links to empty pages that link to each other.
    Circle,
    /// All in the first page, and then an endless series of empty pages.
    Endless,
}
