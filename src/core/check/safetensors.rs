//! Header of a safetensors file: eight bytes of length, then JSON with each tensor's type, shape and offsets.
//!
//! Uses this parser and not the `safetensors` crate (0.8): its `read_metadata` needs the whole file as one buffer,
//! which for 700 GB means a memory map and thus `unsafe`; it stops at the first fault, reports an unknown type as bad
//! JSON, and distinguishes neither holes from overlaps nor a truncated file from one with surplus bytes at its end.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};

/// Bytes before the header.
const LENGTH: u64 = 8;
/// Maximum size of the header: the format's own limit, which all readers enforce.
const MAX_HEADER: u64 = 100_000_000;
const METADATA: &str = "__metadata__";

/// Defect of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SafetensorsFault {
    /// Shorter than its header or its tensors need.
    Truncated { size: u64, needed: u64 },
    /// Surplus bytes after the last tensor.
    Trailing { extra: u64 },
    /// The header is invalid.
    BadHeader(String),
    /// Wrong offsets of a tensor, and the number of further ones.
    BadOffsets { why: String, more: usize },
    /// Valid, but without any tensor that has an element.
    NoTensors,
    /// A tensor of an unknown type, and the number of further ones.
    UnknownDtype { tensor: String, dtype: String, more: usize },
}

/// Tensors and defect of a file.
#[derive(Debug, Default)]
pub(super) struct SafetensorsHeader {
    /// Keys of the tensors, sorted; none if the header cannot be read.
    pub(super) tensors: Option<Vec<u64>>,
    pub(super) faults: Vec<SafetensorsFault>,
}

/// 64-bit key for a tensor's name. The largest models have a hundred thousand long names, which are only compared; two
/// names with the same key occur in one of 10^9 such models.
pub(super) fn key(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

impl SafetensorsHeader {
    fn broken(fault: SafetensorsFault) -> Self {
        Self { tensors: None, faults: vec![fault] }
    }
}

/// Reads the header of a file of this size in bytes, and nothing after it.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn read(file: &mut impl Read, size: u64) -> io::Result<SafetensorsHeader> {
    let mut length = [0; LENGTH as usize];
    if size < LENGTH {
        return Ok(SafetensorsHeader::broken(SafetensorsFault::Truncated { size, needed: LENGTH }));
    }
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER {
        let why = format!("has a length of {length} bytes; the format allows {MAX_HEADER}");
        return Ok(SafetensorsHeader::broken(SafetensorsFault::BadHeader(why)));
    }
    let data_at = LENGTH + length;
    if data_at > size {
        return Ok(SafetensorsHeader::broken(SafetensorsFault::Truncated { size, needed: data_at }));
    }
    let mut json = Vec::new();
    file.take(length).read_to_end(&mut json)?;
    Ok(judge(&json, size - data_at, data_at))
}

/// Evaluates a header before `available` bytes of data, which start at `data_at`. Pure.
fn judge(json: &[u8], available: u64, data_at: u64) -> SafetensorsHeader {
    let entries = match entries(json) {
        Ok(entries) => entries,
        Err(why) => return SafetensorsHeader::broken(SafetensorsFault::BadHeader(why)),
    };
    let mut faults = Vec::new();
    let (wrong, end) = offsets(&entries);
    if let Some(why) = wrong.first() {
        faults.push(SafetensorsFault::BadOffsets { why: why.clone(), more: wrong.len() - 1 });
    } else if end > available {
        faults.push(SafetensorsFault::Truncated { size: data_at + available, needed: data_at.saturating_add(end) });
    } else if end < available {
        faults.push(SafetensorsFault::Trailing { extra: available - end });
    } else if end == 0 {
        faults.push(SafetensorsFault::NoTensors);
    }
    let mut unknown = entries.iter().filter(|(_, tensor)| bits(&tensor.dtype).is_none());
    if let Some((name, tensor)) = unknown.next() {
        let (tensor, dtype) = (name.to_string(), tensor.dtype.to_string());
        faults.push(SafetensorsFault::UnknownDtype { tensor, dtype, more: unknown.count() });
    }
    let mut tensors: Vec<u64> = entries.iter().map(|(name, _)| key(name)).collect();
    tensors.sort_unstable();
    SafetensorsHeader { tensors: Some(tensors), faults }
}

/// Tensors of a header. Strict JSON, as the format requires, also in skipped values.
fn entries(json: &[u8]) -> Result<Vec<(Cow<'_, str>, SafetensorsTensor<'_>)>, String> {
    let text = std::str::from_utf8(json).map_err(|_| "is not UTF-8".to_owned())?;
    serde_json::from_str::<Entries>(text).map(|entries| entries.0).map_err(|error| format!("cannot be read: {error}"))
}

/// Name of the tensor with this key, from the header of a valid file.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn name_of(file: &mut impl Read, wanted: u64) -> io::Result<Option<String>> {
    let mut length = [0; LENGTH as usize];
    file.read_exact(&mut length)?;
    let mut json = Vec::new();
    file.take(u64::from_le_bytes(length).min(MAX_HEADER)).read_to_end(&mut json)?;
    let found = entries(&json).ok().into_iter().flatten().find(|(name, _)| key(name) == wanted);
    Ok(found.map(|(name, _)| name.into_owned()))
}

/// Tensors with a wrong offset or size, each as a clause, and the end of the last one.
fn offsets(entries: &[(Cow<'_, str>, SafetensorsTensor<'_>)]) -> (Vec<String>, u64) {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by_key(|(_, tensor)| tensor.data_offsets);
    let mut wrong = Vec::new();
    let mut end = 0;
    for (name, tensor) in sorted {
        let (from, to) = tensor.data_offsets;
        if to < from {
            wrong.push(format!("tensor '{name}' ends at {to}, before it starts at {from}"));
            continue;
        }
        if from > end {
            wrong.push(format!("there is a gap from {end} to {from}, before tensor '{name}'"));
        } else if from < end {
            wrong.push(format!("tensor '{name}' starts at {from}, within another one that ends at {end}"));
        } else if let Some(bits) = bits(&tensor.dtype)
            && tensor.bytes(bits) != Some(to - from)
        {
            let (dtype, shape) = (&tensor.dtype, &tensor.shape);
            wrong.push(format!("tensor '{name}' of {dtype} {shape:?} has {} bytes", to - from));
        }
        end = end.max(to);
    }
    (wrong, end)
}

/// Bits per element; `None` for an unknown type.
fn bits(dtype: &str) -> Option<u64> {
    Some(match dtype {
        "F4" => 4,
        "F6_E2M3" | "F6_E3M2" => 6,
        "BOOL" | "U8" | "I8" | "F8_E5M2" | "F8_E4M3" | "F8_E8M0" | "F8_E4M3FNUZ" | "F8_E5M2FNUZ" => 8,
        "I16" | "U16" | "F16" | "BF16" => 16,
        "I32" | "U32" | "F32" => 32,
        "I64" | "U64" | "F64" | "C64" => 64,
        _ => return None,
    })
}

#[derive(Deserialize)]
struct SafetensorsTensor<'a> {
    #[serde(borrow)]
    dtype: Cow<'a, str>,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

impl SafetensorsTensor<'_> {
    /// Size in bytes by type and shape; `None` if that is not a whole number, or exceeds any file.
    fn bytes(&self, bits: u64) -> Option<u64> {
        let bits = self.shape.iter().try_fold(bits, |bits, extent| bits.checked_mul(*extent))?;
        bits.is_multiple_of(8).then_some(bits / 8)
    }
}

/// JSON object as a list, so that duplicate names are detected.
struct Entries<'a>(Vec<(Cow<'a, str>, SafetensorsTensor<'a>)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries: Vec<(Cow<'de, str>, SafetensorsTensor<'de>)> = Vec::new();
        let mut has_metadata = false;
        while let Some(TensorName(name)) = map.next_key()? {
            if name == METADATA {
                if has_metadata {
                    return Err(serde::de::Error::duplicate_field(METADATA));
                }
                has_metadata = true;
                map.next_value::<Option<HashMap<String, String>>>()?;
            } else {
                entries.push((name, map.next_value()?));
            }
        }
        let mut names: Vec<&str> = entries.iter().map(|(name, _)| name.as_ref()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(serde::de::Error::custom(format_args!("two tensors have the name '{}'", pair[0])));
        }
        Ok(Entries(entries))
    }
}

/// Tensor name; `Cow` as a key would always be copied.
#[derive(Deserialize)]
#[serde(transparent)]
struct TensorName<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests;
