//! Index of sharded weights, which maps tensors to files. Pure.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::{self, Read};
use std::marker::PhantomData;

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::json;
use super::safetensors::key;
use crate::model::{Finding, FindingCode};
use crate::platform::Platform;
use crate::units;

const ENDINGS: [&str; 2] = [".safetensors.index.json", ".bin.index.json"];

/// True for an index of safetensors or PyTorch shards, according to its name.
pub(super) fn is_index(path: &str) -> bool {
    stem(path).is_some()
}

/// Prefix of the shards' names: `sub/model` for `sub/model.safetensors.index.json`.
pub(super) fn stem(path: &str) -> Option<&str> {
    ENDINGS.iter().find_map(|ending| path.strip_suffix(ending))
}

/// A parsed index, with the keys of the tensors.
pub(super) struct Index {
    path: String,
    /// Tensors by the shard's path relative to the source.
    shards: BTreeMap<String, Vec<u64>>,
}

/// JSON document of an index; the last duplicate of a field counts, as in Python.
struct IndexDocument<T> {
    weight_map: T,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for IndexDocument<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(IndexDocumentVisitor(PhantomData))
    }
}

struct IndexDocumentVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for IndexDocumentVisitor<T> {
    type Value = IndexDocument<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a weight_map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut weight_map = None;
        while let Some(field) = map.next_key::<String>()? {
            if field == "weight_map" {
                weight_map = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        weight_map.map(|weight_map| IndexDocument { weight_map }).ok_or_else(|| A::Error::missing_field("weight_map"))
    }
}

/// Tensors of each shard according to the index. Read one by one, since all the names would take tens of megabytes.
struct Keys(BTreeMap<String, Vec<u64>>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(KeysVisitor)
    }
}

struct KeysVisitor;

impl<'de> Visitor<'de> for KeysVisitor {
    type Value = Keys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors and their files")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
        let mut shards: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        while let Some((tensor, shard)) = map.next_entry::<String, String>()? {
            shards.entry(shard).or_default().push(key(&tensor));
        }
        Ok(Keys(shards))
    }
}

impl Index {
    /// Parses an index, and adds its defects to the findings.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn parse(path: &str, bytes: impl Read, findings: &mut Vec<Finding>) -> io::Result<Option<Self>> {
        let document: IndexDocument<Keys> = match json::read(bytes)? {
            Ok(document) => document,
            Err(what) => {
                findings.push(invalid(path, &format!("the index {what}")));
                return Ok(None);
            }
        };
        let folder = path.rsplit_once('/').map(|(folder, _)| folder);
        let mut shards: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for (shard, mut tensors) in document.weight_map.0 {
            match within(folder, &shard, Platform::CURRENT) {
                Some(shard) => shards.entry(shard).or_default().append(&mut tensors),
                None => findings.push(Finding::error(
                    FindingCode::BadIndexPath,
                    path,
                    format!("the index refers to the shard '{shard}' outside its folder"),
                    "Put the shards next to the index, and refer to them by file name only.",
                )),
            }
        }
        Ok(Some(Self { path: path.to_owned(), shards }))
    }

    /// Path of the index.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Paths of the shards, relative to the source.
    pub(super) fn shards(&self) -> impl Iterator<Item = &str> {
        self.shards.keys().map(String::as_str)
    }

    /// True for a file listed in the index.
    pub(super) fn names(&self, path: &str) -> bool {
        self.shards.contains_key(path)
    }

    /// True if a shard contains tensors that the index maps elsewhere; otherwise no tensor is in two shards.
    pub(super) fn has_more(&self, headers: &BTreeMap<String, Vec<u64>>) -> bool {
        self.shards.iter().any(|(shard, wanted)| headers.get(shard).is_some_and(|held| held.len() > wanted.len()))
    }

    /// Missing shards, each with a message.
    pub(super) fn missing<'a>(
        &'a self,
        exists: impl Fn(&str) -> bool + 'a,
        similar: impl Fn(&str) -> Option<&'a str> + 'a,
    ) -> impl Iterator<Item = (String, String)> + 'a {
        self.shards.iter().filter(move |(shard, _)| !exists(shard)).map(move |(shard, tensors)| {
            let count = units::count(tensors.len() as u64, "tensor", "tensors");
            let what = format!("the file does not exist, but {} refers to {count} in it", self.path);
            match similar(shard) {
                Some(similar) => (shard.clone(), format!("{what}; {}", spelling_hint(similar, shard))),
                None => (shard.clone(), what),
            }
        })
    }

    /// Compares the index with the headers of its shards. The index is read again for the name of a missing tensor.
    pub(super) fn compare(&self, headers: &BTreeMap<String, Vec<u64>>, bytes: impl Read) -> io::Result<Vec<Finding>> {
        let mut absent = Vec::new();
        for (shard, wanted) in &self.shards {
            let Some(held) = headers.get(shard) else { continue };
            let mut lacking = wanted.iter().filter(|key| held.binary_search(key).is_err());
            if let Some(first) = lacking.next() {
                absent.push((shard, *first, lacking.count()));
            }
        }
        if absent.is_empty() {
            return Ok(Vec::new());
        }
        let document: Option<IndexDocument<BTreeMap<String, IgnoredAny>>> = json::read(bytes)?.ok();
        let names: HashMap<u64, String> =
            document.into_iter().flat_map(|document| document.weight_map).map(|(name, _)| (key(&name), name)).collect();
        let finding = |(shard, first, more): (&String, u64, usize)| {
            let name = names.get(&first).map(String::as_str).unwrap_or_default();
            let more = and_more(more, "tensor", "tensors");
            Finding::error(
                FindingCode::TensorNotInShard,
                shard,
                format!("the file does not contain the tensor '{name}'{more} that {} refers to", self.path),
                "Use the index and shards of the same model.",
            )
        };
        Ok(absent.into_iter().map(finding).collect())
    }
}

/// Hint at a file with a similar name: names of blobs are exact, even if the local file system treats both as equal.
fn spelling_hint(similar: &str, shard: &str) -> String {
    if similar.eq_ignore_ascii_case(shard) {
        format!("'{similar}' exists, with a name that differs in case")
    } else {
        format!("'{similar}' exists, with a name that looks the same but has other Unicode characters (NFC or NFD)")
    }
}

/// Finding for an index that is invalid for this reason.
pub(super) fn invalid(path: &str, what: &str) -> Finding {
    let suggestion = "Download or save the index again. The shards cannot be loaded without it.";
    Finding::error(FindingCode::InvalidIndex, path, what, suggestion)
}

/// Formats ` and 3 more tensors`.
pub(super) fn and_more(more: usize, one: &str, many: &str) -> String {
    if more == 0 { String::new() } else { format!(" and {} more {}", more, if more == 1 { one } else { many }) }
}

/// Path of the shard relative to the source; `None` if it leaves the index's folder.
fn within(folder: Option<&str>, shard: &str, platform: Platform) -> Option<String> {
    let shard = platform.blob_spelling(shard);
    let parts: Vec<&str> = shard.split('/').filter(|part| *part != ".").collect();
    // A colon or a backslash makes a path on Windows, where the index may be read later.
    let leaves = |part: &&str| part.is_empty() || *part == ".." || part.contains(['\\', ':', '\0']);
    if parts.is_empty() || parts.iter().any(leaves) {
        return None;
    }
    let path = parts.join("/");
    Some(folder.map_or_else(|| path.clone(), |folder| format!("{folder}/{path}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_stays_in_the_folder_of_its_index() {
        assert_eq!(within(None, "a.safetensors", Platform::Linux).as_deref(), Some("a.safetensors"));
        assert_eq!(within(Some("sub"), "./x/a.safetensors", Platform::Linux).as_deref(), Some("sub/x/a.safetensors"));
        for outside in ["", ".", "/etc/passwd", "../a", "x/../../a", "C:\\a", "c:a", "x\\a", "a//b"] {
            assert_eq!(within(Some("sub"), outside, Platform::Linux), None, "{outside}");
        }
    }

    #[test]
    fn a_shard_of_macos_is_named_as_its_blob() {
        let decomposed = "u\u{308}.safetensors";
        let of = |platform| within(None, decomposed, platform);
        assert_eq!(
            (of(Platform::MacOs).as_deref(), of(Platform::Linux).as_deref()),
            (Some("\u{fc}.safetensors"), Some(decomposed))
        );
    }

    #[test]
    fn index_survives_mutation() {
        let index =
            br#"{"metadata":{"total_size":16},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"x/../y"}}"#;
        crate::fuzz::fuzz("index", &[index], |input| {
            let mut findings = Vec::new();
            if let Ok(Some(index)) = Index::parse("model.safetensors.index.json", input, &mut findings) {
                findings.extend(index.compare(&BTreeMap::new(), input).expect("read from memory"));
            }
            assert!(findings.len() < 1000, "{}", findings.len());
        });
    }
}
