//! Bodies of requests to the blob store and of its responses: lists of blocks and of blobs, as XML. Pure.

use std::collections::HashSet;

use serde::Deserialize;

use super::blocks::BlockId;
use super::location::ListedBlob;
use super::version::BlobVersion;
use crate::http::{HttpError, Response, ResponseFlaw};
use crate::model::ContentHash;

/// Body of Put Block List.
pub(super) fn block_list(ids: &[BlockId]) -> String {
    let list: String = ids.iter().map(|id| format!("<Latest>{id}</Latest>")).collect();
    format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>{list}</BlockList>")
}

/// Blocks that the store holds for one blob.
#[derive(Debug, Default)]
pub(crate) struct StoredBlocks {
    /// Blocks that the blob is made of, in their order.
    pub(crate) committed: Vec<BlockId>,
    /// Blocks that belong to no blob yet.
    pub(crate) uncommitted: HashSet<BlockId>,
    /// Version of the blob that the committed blocks form.
    pub(crate) version: BlobVersion,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BlockListPage {
    #[serde(default)]
    committed_blocks: BlockEntries,
    #[serde(default)]
    uncommitted_blocks: BlockEntries,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct BlockEntries {
    block: Vec<BlockEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BlockEntry {
    name: String,
}

/// Reads the XML of Get Block List.
pub(super) fn read_blocks(response: &Response) -> Result<StoredBlocks, HttpError> {
    let page: BlockListPage = read(response, "BlockList", "it is not a list of blocks")?;
    let names = |entries: BlockEntries| entries.block.into_iter().map(|entry| BlockId::from(entry.name));
    Ok(StoredBlocks {
        committed: names(page.committed_blocks).collect(),
        uncommitted: names(page.uncommitted_blocks).collect(),
        version: BlobVersion::new(response.etag.as_deref(), None, response.last_modified.as_deref()),
    })
}

/// One page of a list of blobs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BlobPage {
    /// Blobs in the order of the page.
    pub(super) blobs: Vec<BlobEntry>,
    /// Marker of the next page.
    pub(super) next: Option<String>,
}

/// One blob of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BlobEntry {
    /// Name in the container.
    pub(super) name: String,
    /// Size and version.
    pub(super) blob: ListedBlob,
    /// Metadata of the blob, if the list includes it.
    pub(super) metadata: Metadata,
}

/// Used metadata of a blob.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Metadata {
    sha256: Option<String>,
    hdi_isfolder: Option<String>,
}

impl Metadata {
    /// SHA-256 that the upload recorded.
    pub(super) fn sha256(&self) -> Option<ContentHash> {
        self.sha256.as_deref()?.trim().parse().ok()
    }

    /// True for a directory of a hierarchical namespace.
    pub(super) fn is_directory(&self) -> bool {
        self.hdi_isfolder.as_deref().is_some_and(|word| word.eq_ignore_ascii_case("true"))
    }
}

/// Reads one page of the XML of List Blobs.
pub(super) fn read_blobs(response: &Response) -> Result<BlobPage, HttpError> {
    let page: BlobListPage = read(response, "EnumerationResults", "it is not a list of blobs")?;
    let entry = |blob: Blob| BlobEntry { name: blob.name, blob: blob.properties.into(), metadata: blob.metadata };
    let blobs = page.blobs.blob.into_iter().map(entry).collect();
    Ok(BlobPage { blobs, next: page.next_marker.filter(|marker| !marker.is_empty()) })
}

fn read<T: serde::de::DeserializeOwned>(response: &Response, root: &str, flaw: &str) -> Result<T, HttpError> {
    let bad = || response.bad(ResponseFlaw::Shape(flaw.into()));
    let text = String::from_utf8_lossy(&response.body);
    // serde reads only the fields: the page of a portal would be an empty list.
    if !text.contains(&format!("<{root}")) {
        return Err(bad());
    }
    quick_xml::de::from_str(text.trim_start_matches('\u{feff}')).map_err(|_| bad())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BlobListPage {
    #[serde(default)]
    blobs: BlobList,
    #[serde(default)]
    next_marker: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct BlobList {
    blob: Vec<Blob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Blob {
    name: String,
    properties: BlobProperties,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize)]
struct BlobProperties {
    #[serde(rename = "Content-Length")]
    length: u64,
    #[serde(rename = "Etag", alias = "ETag", default)]
    etag: Option<String>,
    #[serde(rename = "Content-MD5", default)]
    content_md5: Option<String>,
    #[serde(rename = "Last-Modified", default)]
    last_modified: Option<String>,
}

impl From<BlobProperties> for ListedBlob {
    fn from(of: BlobProperties) -> Self {
        let version = BlobVersion::new(of.etag.as_deref(), of.content_md5.as_deref(), of.last_modified.as_deref());
        Self { bytes: of.length, version }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_blocks_is_read() {
        let body = r#"<?xml version="1.0" encoding="UTF-8"?><BlockList><CommittedBlocks><Block><Name>YQ==</Name><Size>1</Size></Block></CommittedBlocks><UncommittedBlocks><Block><Name>Yg==</Name><Size>2</Size></Block><Block><Name>Yw==</Name><Size>2</Size></Block></UncommittedBlocks></BlockList>"#;
        let response = Response { body: body.into(), ..Response::default() };
        let blocks = read_blocks(&response).expect("a list");
        assert_eq!(blocks.committed, ["YQ==".to_owned().into()]);
        assert_eq!(blocks.uncommitted, HashSet::from(["Yg==".to_owned().into(), "Yw==".to_owned().into()]));
        for empty in ["<BlockList><CommittedBlocks/><UncommittedBlocks/></BlockList>", "<BlockList/>"] {
            let response = Response { body: empty.into(), ..Response::default() };
            assert!(read_blocks(&response).expect("a list").committed.is_empty());
        }
    }

    #[test]
    fn a_list_of_blobs_may_hold_unknown_elements() {
        let page = r#"<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="x" ContainerName="c"><Prefix/><Blobs><Blob><Name>a &amp; b #1.bin</Name><Properties><Creation-Time>t</Creation-Time><Last-Modified>Sun, 06 Nov 1994 08:49:37 GMT</Last-Modified><Etag>0x8D</Etag><Content-Length>7</Content-Length><Content-MD5>bWQ1</Content-MD5><BlobType>BlockBlob</BlobType></Properties></Blob><Blob><Name>c</Name><Snapshot/><Properties><Content-Length>0</Content-Length><Content-MD5/></Properties></Blob></Blobs><NextMarker>n</NextMarker></EnumerationResults>"#;
        let answer = |body: &str| Response { body: body.into(), ..Response::default() };
        let version = BlobVersion::new(Some("\"0x8D\""), Some("bWQ1"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
        let entry = |name: &str, bytes, version| BlobEntry {
            name: name.to_owned(),
            blob: ListedBlob { bytes, version },
            metadata: Metadata::default(),
        };
        let blobs = vec![entry("a & b #1.bin", 7, version), entry("c", 0, BlobVersion::default())];
        assert_eq!(read_blobs(&answer(page)).expect("a list"), BlobPage { blobs, next: Some("n".into()) });
        for empty in ["<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>", "<EnumerationResults/>"] {
            assert_eq!(read_blobs(&answer(empty)).expect("an empty list"), BlobPage { blobs: Vec::new(), next: None });
        }
        for other in ["<html>sign in</html>", "", "<EnumerationResults><Blobs><Blob><Name>a</Name>", "<BlockList/>"] {
            assert!(read_blobs(&answer(other)).is_err(), "{other}");
        }
    }

    #[test]
    fn metadata_of_a_list_is_read() {
        let sum = "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225";
        for (metadata, sha256, is_directory) in [
            (format!("<Metadata><sha256>{sum}</sha256><other>x</other></Metadata>"), Some(sum), false),
            ("<Metadata><sha256>abc</sha256></Metadata>".into(), None, false),
            ("<Metadata><hdi_isfolder>true</hdi_isfolder></Metadata>".into(), None, true),
            ("<Metadata/>".into(), None, false),
            (String::new(), None, false),
        ] {
            let blob = "<Name>a</Name><Properties><Content-Length>0</Content-Length></Properties>";
            let body = format!("<EnumerationResults><Blobs><Blob>{blob}{metadata}</Blob></Blobs></EnumerationResults>");
            let page = read_blobs(&Response { body: body.into(), ..Response::default() }).expect("a list");
            let found = &page.blobs[0].metadata;
            let found = (found.sha256().map(|sum| sum.to_string()), found.is_directory());
            assert_eq!(found, (sha256.map(str::to_owned), is_directory), "{metadata}");
        }
    }

    #[test]
    fn list_survives_mutation() {
        let seeds: [&[u8]; 2] = [
            b"<?xml version=\"1.0\"?><EnumerationResults><Blobs><Blob><Name>a &amp; b</Name><Properties><Content-Length>7</Content-Length><Etag>0x8D</Etag></Properties></Blob></Blobs><NextMarker>n</NextMarker></EnumerationResults>",
            b"<BlockList><CommittedBlocks><Block><Name>YQ==</Name><Size>1</Size></Block></CommittedBlocks><UncommittedBlocks/></BlockList>",
        ];
        crate::fuzz::fuzz("blob-xml", &seeds, |input| {
            let response = Response { body: input.to_vec(), ..Response::default() };
            drop((read_blobs(&response), read_blocks(&response)));
        });
    }
}
