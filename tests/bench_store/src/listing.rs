//! Lists of blobs and of blocks as XML.

use std::fmt::Write;

use quick_xml::escape::escape;

use crate::contents::Committed;

/// Maximum entries per page, as in the service.
const PAGE: usize = 5000;

/// Blobs that a client requests.
pub(crate) struct Page<'p> {
    /// Prefix of the names.
    pub(crate) prefix: &'p str,
    /// Delimiter that ends the common prefix of names that are grouped.
    pub(crate) delimiter: Option<&'p str>,
    /// First name of this page.
    pub(crate) marker: &'p str,
    /// Maximum number of entries.
    pub(crate) max_results: Option<usize>,
}

/// List Blobs. `blobs` begin at the marker and all have the prefix.
pub(crate) fn blobs<'b>(
    page: &Page<'_>,
    has_metadata: bool,
    blobs: impl Iterator<Item = (&'b str, &'b Committed)>,
) -> String {
    let limit = page.max_results.unwrap_or(PAGE).min(PAGE);
    let mut entries = String::new();
    let (mut count, mut next, mut last_prefix) = (0, "", None);
    for (name, blob) in blobs {
        let rest = &name[page.prefix.len()..];
        let folder = page
            .delimiter
            .and_then(|delimiter| rest.find(delimiter).map(|at| &name[..page.prefix.len() + at + delimiter.len()]));
        if folder.is_some() && folder == last_prefix {
            continue;
        }
        if count == limit {
            next = name;
            break;
        }
        count += 1;
        last_prefix = folder;
        if let Some(folder) = folder {
            entries.extend(["<BlobPrefix><Name>", &escape(folder), "</Name></BlobPrefix>"]);
        } else {
            push_blob(&mut entries, name, blob, has_metadata);
        }
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Prefix>{}</Prefix><Blobs>{entries}</Blobs>\
         <NextMarker>{}</NextMarker></EnumerationResults>",
        escape(page.prefix),
        escape(next)
    )
}

fn push_blob(entries: &mut String, name: &str, blob: &Committed, has_metadata: bool) {
    let pair = |(name, value): &(String, String)| format!("<{name}>{}</{name}>", escape(value));
    let metadata = match has_metadata {
        true => format!("<Metadata>{}</Metadata>", blob.metadata.iter().map(pair).collect::<String>()),
        false => String::new(),
    };
    let md5 = blob.md5.as_ref().map(|md5| format!("<Content-MD5>{}</Content-MD5>", escape(md5))).unwrap_or_default();
    // Writing to a string does not fail.
    let _infallible = write!(
        entries,
        "<Blob><Name>{}</Name><Properties><Last-Modified>{}</Last-Modified><Etag>{}</Etag>\
         <Content-Length>{}</Content-Length><Content-Type>application/octet-stream</Content-Type>{md5}\
         <BlobType>BlockBlob</BlobType></Properties>{metadata}</Blob>",
        escape(name),
        httpdate::fmt_http_date(blob.modified),
        blob.etag,
        blob.bytes
    );
}

/// Get Block List.
pub(crate) fn blocks<'b>(
    committed: impl Iterator<Item = (&'b str, u64)>,
    uncommitted: impl Iterator<Item = (&'b str, u64)>,
) -> String {
    let (committed, uncommitted): (String, String) = (committed.map(block).collect(), uncommitted.map(block).collect());
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList><CommittedBlocks>{committed}</CommittedBlocks>\
         <UncommittedBlocks>{uncommitted}</UncommittedBlocks></BlockList>"
    )
}

fn block((id, bytes): (&str, u64)) -> String {
    format!("<Block><Name>{}</Name><Size>{bytes}</Size></Block>", escape(id))
}
