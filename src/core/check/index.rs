//! The index beside sharded weights: which tensor lies in which file. Pure.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::Read;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::safetensors::key;

use crate::model::{Finding, FindingCode};
use crate::units;

const ENDINGS: [&str; 2] = [".safetensors.index.json", ".bin.index.json"];
/// Names that count further count something else.
const MOST_SHARDS: u32 = 10_000;

pub(super) fn is_index(path: &str) -> bool {
    ENDINGS.iter().any(|ending| path.ends_with(ending))
}

/// An index that was understood; of the tensors their keys.
pub(super) struct Index {
    path: String,
    /// Tensors by the shard's path relative to the source.
    shards: BTreeMap<String, Vec<u64>>,
}

#[derive(Deserialize)]
struct Document<T> {
    weight_map: T,
}

/// The tensors of each shard as the index names it. Read one by one, since all the names would take tens of megabytes.
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
    /// Understands an index, and finds what is wrong with it.
    pub(super) fn parse(path: &str, json: impl Read, findings: &mut Vec<Finding>) -> Option<Self> {
        let document: Document<Keys> = match serde_json::from_reader(json) {
            Ok(document) => document,
            Err(error) => {
                findings.push(invalid(path, &format!("the index cannot be read: {error}")));
                return None;
            }
        };
        let folder = path.rsplit_once('/').map(|(folder, _)| folder);
        let mut shards: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for (shard, mut tensors) in document.weight_map.0 {
            match within(folder, &shard) {
                Some(shard) => shards.entry(shard).or_default().append(&mut tensors),
                None => findings.push(Finding::error(
                    FindingCode::BadIndexPath,
                    path,
                    format!("the index names the shard '{shard}', which is outside its folder"),
                    "Put the shards beside the index, and name them in it by their names alone.",
                )),
            }
        }
        Some(Self { path: path.to_owned(), shards })
    }

    /// The shards that are not there, each with the words that say so.
    pub(super) fn missing<'a>(
        &'a self,
        is_there: impl Fn(&str) -> bool + 'a,
    ) -> impl Iterator<Item = (String, String)> + 'a {
        self.shards.iter().filter(move |(shard, _)| !is_there(shard)).map(|(shard, tensors)| {
            let count = units::count(tensors.len() as u64, "tensor", "tensors");
            (shard.clone(), format!("the file is not there, and {} looks for {count} in it", self.path))
        })
    }

    /// Compares what the index says about the shards with what their headers hold. The index is read again for the
    /// name of a tensor that is not there.
    pub(super) fn compare(&self, headers: &BTreeMap<String, Vec<u64>>, mut json: impl Read) -> Vec<Finding> {
        let mut absent = Vec::new();
        for (shard, wanted) in &self.shards {
            let Some(held) = headers.get(shard) else { continue };
            let mut lacking = wanted.iter().filter(|key| held.binary_search(key).is_err());
            if let Some(first) = lacking.next() {
                absent.push((shard, *first, lacking.count()));
            }
        }
        if absent.is_empty() {
            return Vec::new();
        }
        let document: Option<Document<BTreeMap<String, IgnoredAny>>> = serde_json::from_reader(&mut json).ok();
        let names: HashMap<u64, String> =
            document.into_iter().flat_map(|document| document.weight_map).map(|(name, _)| (key(&name), name)).collect();
        let finding = |(shard, first, more): (&String, u64, usize)| {
            let name = names.get(&first).map(String::as_str).unwrap_or_default();
            let more = and_more(more, "tensor", "tensors");
            Finding::error(
                FindingCode::TensorNotInShard,
                shard,
                format!("the file does not hold the tensor '{name}'{more}, for which {} looks there", self.path),
                "Take index and shards from the same model.",
            )
        };
        absent.into_iter().map(finding).collect()
    }
}

pub(super) fn invalid(path: &str, what: &str) -> Finding {
    let remedy = "Download or save the index again; without it the shards cannot be put together.";
    Finding::error(FindingCode::InvalidIndex, path, what, remedy)
}

/// ` and 3 more tensors`.
pub(super) fn and_more(more: usize, one: &str, many: &str) -> String {
    if more == 0 { String::new() } else { format!(" and {} more {}", more, if more == 1 { one } else { many }) }
}

/// The shard's path relative to the source; `None` when it leaves the index's folder.
fn within(folder: Option<&str>, shard: &str) -> Option<String> {
    let parts: Vec<&str> = shard.split('/').filter(|part| *part != ".").collect();
    // A colon or a backslash makes a path on Windows, where the index may be read next.
    let leaves = |part: &&str| part.is_empty() || *part == ".." || part.contains(['\\', ':', '\0']);
    if parts.is_empty() || parts.iter().any(leaves) {
        return None;
    }
    let path = parts.join("/");
    Some(folder.map_or_else(|| path.clone(), |folder| format!("{folder}/{path}")))
}

/// The shards that `model-00001-of-00003.safetensors` and its like count, and that are not there.
pub(super) fn missing_by_name<'a>(
    paths: impl Iterator<Item = &'a str>,
    is_there: impl Fn(&str) -> bool,
) -> BTreeMap<String, String> {
    let mut series: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for path in paths {
        if let Some((stem, total, ending)) = counted(path) {
            series.entry((stem, ending)).or_insert(total);
        }
    }
    let mut missing = BTreeMap::new();
    for ((stem, ending), total) in series {
        let count = total.parse().ok().filter(|count| *count <= MOST_SHARDS).unwrap_or(0);
        for number in 1..=count {
            let path = format!("{stem}-{number:0width$}-of-{total}.{ending}", width = total.len());
            if !is_there(&path) {
                let words = format!(
                    "the file is not there, and the others count {}",
                    units::count(count.into(), "file", "files")
                );
                missing.insert(path, words);
            }
        }
    }
    missing
}

/// `model`, `00003` and `safetensors` of `model-00001-of-00003.safetensors`.
fn counted(path: &str) -> Option<(&str, &str, &str)> {
    let (name, ending) = path.rsplit_once('.')?;
    let (start, total) = name.rsplit_once("-of-")?;
    let (stem, number) = start.rsplit_once('-')?;
    let digits = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(number) && digits(total)).then_some((stem, total, ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_stays_in_the_folder_of_its_index() {
        assert_eq!(within(None, "a.safetensors").as_deref(), Some("a.safetensors"));
        assert_eq!(within(Some("sub"), "./x/a.safetensors").as_deref(), Some("sub/x/a.safetensors"));
        for outside in ["", ".", "/etc/passwd", "../a", "x/../../a", "C:\\a", "c:a", "x\\a", "a//b"] {
            assert_eq!(within(Some("sub"), outside), None, "{outside}");
        }
    }

    #[test]
    fn a_gap_in_counted_names_is_seen_without_an_index() {
        let there = ["m-00001-of-00003.gguf", "m-00003-of-00003.gguf", "x-1-of-2.bin", "plain.bin"];
        let missing = missing_by_name(there.into_iter(), |path| there.contains(&path));
        assert_eq!(missing.into_keys().collect::<Vec<_>>(), ["m-00002-of-00003.gguf"]);
    }

    #[test]
    fn no_index_is_too_odd() {
        let index =
            br#"{"metadata":{"total_size":16},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"x/../y"}}"#;
        crate::fuzz::fuzz("index", &[index], |input| {
            let mut findings = Vec::new();
            if let Some(index) = Index::parse("model.safetensors.index.json", input, &mut findings) {
                findings.extend(index.compare(&BTreeMap::new(), input));
            }
            assert!(findings.len() < 1000, "{}", findings.len());
        });
    }
}
