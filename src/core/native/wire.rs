//! What the calls of a block blob carry: addresses and lists of blocks. Pure.

use std::collections::HashSet;

use serde::Deserialize;
use url::Url;

use crate::http::{Flaw, HttpError, Response};

/// The body of Put Block List.
pub(super) fn block_list(ids: &[String]) -> String {
    let list: String = ids.iter().map(|id| format!("<Latest>{id}</Latest>")).collect();
    format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>{list}</BlockList>")
}

/// What the store has of a blob.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// The blocks that the blob is made of, in their order.
    pub(super) committed: Vec<String>,
    /// Blocks that belong to no blob yet.
    pub(super) uncommitted: HashSet<String>,
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

pub(super) fn read_blocks(response: &Response) -> Result<Blocks, HttpError> {
    let text = String::from_utf8_lossy(&response.body);
    let page: BlockListPage = quick_xml::de::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|_| response.bad(Flaw::Shape("it is no list of blocks".into())))?;
    let names = |entries: BlockEntries| entries.block.into_iter().map(|entry| entry.name);
    Ok(Blocks {
        committed: names(page.committed_blocks).collect(),
        uncommitted: names(page.uncommitted_blocks).collect(),
    })
}

pub(super) fn blob_url(sas: &Url, path: &str, query: &[(&str, &str)]) -> Url {
    let mut url = sas.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path.split('/'));
    }
    url.query_pairs_mut().extend_pairs(query);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_blocks_is_read() {
        let body = r#"<?xml version="1.0" encoding="UTF-8"?><BlockList><CommittedBlocks><Block><Name>YQ==</Name><Size>1</Size></Block></CommittedBlocks><UncommittedBlocks><Block><Name>Yg==</Name><Size>2</Size></Block><Block><Name>Yw==</Name><Size>2</Size></Block></UncommittedBlocks></BlockList>"#;
        let response = Response { body: body.into(), ..Response::default() };
        let blocks = read_blocks(&response).expect("a list");
        assert_eq!(blocks.committed, ["YQ=="]);
        assert_eq!(blocks.uncommitted, HashSet::from(["Yg==".to_owned(), "Yw==".to_owned()]));
        for empty in ["<BlockList><CommittedBlocks/><UncommittedBlocks/></BlockList>", "<BlockList/>"] {
            let response = Response { body: empty.into(), ..Response::default() };
            assert!(read_blocks(&response).expect("a list").committed.is_empty());
        }
    }

    #[test]
    fn a_blob_has_its_name_and_the_sas_stays() {
        let sas = Url::parse("https://h/c/prefix/?sv=1&sig=a%2Bb").expect("a URL");
        let url = blob_url(&sas, "sub dir/a#b.bin", &[("comp", "block"), ("blockid", "a+b=")]);
        assert_eq!(url.as_str(), "https://h/c/prefix/sub%20dir/a%23b.bin?sv=1&sig=a%2Bb&comp=block&blockid=a%2Bb%3D");
    }
}
