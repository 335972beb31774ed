//! Header of a GGUF file: magic, version, metadata, and a table of tensors with types, shapes and offsets.
//!
//! Read as a stream, since the metadata contains the vocabulary; unneeded parts are skipped by seeking.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek};

const MAGIC: &[u8] = b"GGUF";
const ALIGNMENT: &[u8] = b"general.alignment";
/// Default of `general.alignment`.
const DEFAULT_ALIGNMENT: u64 = 32;
const STRING: u32 = 8;
const ARRAY: u32 = 9;
const UINT32: u32 = 4;
/// Maximum depth of nested arrays.
const MAX_DEPTH: u8 = 4;
const MAX_DIMENSIONS: u32 = 8;

/// Defect of a file, as the rest of a sentence that begins with "the file".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum GgufFault {
    /// Shorter than its header declares.
    Truncated { size: u64, needed: u64 },
    /// The header is invalid.
    BadHeader(String),
    /// Valid, but without any tensor that has an element.
    NoTensors,
}

/// Reads the header of a file of this size in bytes.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn read(file: impl Read + Seek, size: u64) -> io::Result<Option<GgufFault>> {
    let mut header =
        GgufHeader { file: BufReader::with_capacity(64 * 1024, file), at: 0, size, is_big_endian: false, counts: 8 };
    match header.read() {
        Ok(fault) => Ok(fault),
        Err(GgufError::Fault(fault)) => Ok(Some(fault)),
        Err(GgufError::Io(error)) if error.kind() == ErrorKind::UnexpectedEof => {
            Ok(Some(GgufFault::Truncated { size, needed: size.saturating_add(1) }))
        }
        Err(GgufError::Io(error)) => Err(error),
    }
}

enum GgufError {
    Fault(GgufFault),
    Io(io::Error),
}

impl From<io::Error> for GgufError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn bad<T>(what: impl Into<String>) -> Result<T, GgufError> {
    Err(GgufError::Fault(GgufFault::BadHeader(what.into())))
}

struct GgufHeader<R> {
    file: BufReader<R>,
    at: u64,
    size: u64,
    is_big_endian: bool,
    /// Size of a count in bytes: 4 in version 1.
    counts: usize,
}

impl<R: Read + Seek> GgufHeader<R> {
    fn read(&mut self) -> Result<Option<GgufFault>, GgufError> {
        let start = self.bytes(4.min(self.size))?;
        if start != MAGIC {
            return bad("is not a GGUF file: it does not start with GGUF");
        }
        let version = self.u32()?;
        // In a file with the other byte order the small number reads as a large one.
        self.is_big_endian = version != 0 && version.trailing_zeros() >= 16;
        let version = if self.is_big_endian { version.swap_bytes() } else { version };
        match version {
            1 => self.counts = 4,
            2 | 3 => {}
            other => return bad(format!("is a GGUF file of version {other}; supported: 1 to 3")),
        }
        let (tensors, entries) = (self.count()?, self.count()?);
        let mut alignment = DEFAULT_ALIGNMENT;
        for _ in 0..entries {
            let key = self.string()?;
            let kind = self.u32()?;
            if key == ALIGNMENT && kind == UINT32 {
                alignment = u64::from(self.u32()?);
            } else {
                self.skip_value(kind, 0)?;
            }
        }
        if alignment == 0 {
            return bad("has a GGUF header with an alignment of 0");
        }
        let (mut end, mut has_elements) = (0, false);
        for _ in 0..tensors {
            let tensor = self.tensor()?;
            has_elements |= tensor.has_elements;
            end = end.max(tensor.end);
        }
        let data_at = self.at.checked_next_multiple_of(alignment).unwrap_or(u64::MAX);
        let needed = data_at.saturating_add(end);
        if end > 0 && needed > self.size {
            return Ok(Some(GgufFault::Truncated { size: self.size, needed }));
        }
        Ok((!has_elements).then_some(GgufFault::NoTensors))
    }

    fn tensor(&mut self) -> Result<GgufTensor, GgufError> {
        let name = self.string()?;
        let dimensions = self.u32()?;
        if dimensions > MAX_DIMENSIONS {
            let name = String::from_utf8_lossy(&name).into_owned();
            return bad(format!("has a GGUF header whose tensor '{name}' has {dimensions} dimensions"));
        }
        let mut elements = Some(1_u64);
        for _ in 0..dimensions {
            let extent = self.count()?;
            elements = elements.and_then(|elements| elements.checked_mul(extent));
        }
        let kind = self.u32()?;
        let offset = self.u64()?;
        let Some(elements) = elements else { return bad("has a GGUF header with a tensor larger than any file") };
        // A block of an unknown type has at least one byte.
        let bytes = block(kind)
            .map_or(u64::from(elements > 0), |(block, bytes)| elements.div_ceil(block).saturating_mul(bytes));
        Ok(GgufTensor { has_elements: elements > 0, end: offset.saturating_add(bytes) })
    }

    fn skip_value(&mut self, kind: u32, depth: u8) -> Result<(), GgufError> {
        match (kind, scalar(kind)) {
            (_, Some(bytes)) => self.skip(bytes),
            (STRING, _) => {
                let length = self.count()?;
                self.skip(length)
            }
            (ARRAY, _) if depth < MAX_DEPTH => {
                let (kind, length) = (self.u32()?, self.count()?);
                match scalar(kind) {
                    Some(bytes) => self.skip(length.saturating_mul(bytes)),
                    None => (0..length).try_for_each(|_| self.skip_value(kind, depth + 1)),
                }
            }
            _ => bad(format!("has a GGUF header with a value of the unknown type {kind}")),
        }
    }

    fn string(&mut self) -> Result<Vec<u8>, GgufError> {
        let length = self.count()?;
        self.bytes(length)
    }

    fn count(&mut self) -> Result<u64, GgufError> {
        if self.counts == 4 { Ok(self.u32()?.into()) } else { self.u64() }
    }

    fn u32(&mut self) -> Result<u32, GgufError> {
        let bytes = self.array()?;
        Ok(if self.is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn u64(&mut self) -> Result<u64, GgufError> {
        let bytes = self.array()?;
        Ok(if self.is_big_endian { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], GgufError> {
        self.claim(N as u64)?;
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn bytes(&mut self, count: u64) -> Result<Vec<u8>, GgufError> {
        self.claim(count)?;
        let mut bytes = Vec::new();
        let read = (&mut self.file).take(count).read_to_end(&mut bytes)?;
        if (read as u64) < count {
            return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
        }
        Ok(bytes)
    }

    fn skip(&mut self, count: u64) -> Result<(), GgufError> {
        self.claim(count)?;
        let buffered = self.file.buffer().len() as u64;
        if count <= buffered {
            self.file.consume(usize::try_from(count).unwrap_or(usize::MAX));
        } else {
            self.file.seek_relative(i64::try_from(count).unwrap_or(i64::MAX))?;
        }
        Ok(())
    }

    /// Checks that a read stays within the file, regardless of the header.
    fn claim(&mut self, count: u64) -> Result<(), GgufError> {
        let needed = self.at.saturating_add(count);
        if needed > self.size {
            return Err(GgufError::Fault(GgufFault::Truncated { size: self.size, needed }));
        }
        self.at = needed;
        Ok(())
    }
}

struct GgufTensor {
    has_elements: bool,
    /// End of the data, relative to its start.
    end: u64,
}

/// Size of a metadata value in bytes; `None` for strings, arrays and unknown types.
fn scalar(kind: u32) -> Option<u64> {
    Some(match kind {
        0 | 1 | 7 => 1,
        2 | 3 => 2,
        4..=6 => 4,
        10..=12 => 8,
        _ => return None,
    })
}

/// Elements and bytes per block of a tensor's type (ggml).
fn block(kind: u32) -> Option<(u64, u64)> {
    Some(match kind {
        0 | 26 => (1, 4),
        1 | 25 | 30 => (1, 2),
        2 => (32, 18),
        3 => (32, 20),
        6 => (32, 22),
        7 => (32, 24),
        8 => (32, 34),
        9 => (32, 36),
        10 => (256, 84),
        11 => (256, 110),
        12 => (256, 144),
        13 => (256, 176),
        14 => (256, 210),
        15 => (256, 292),
        16 => (256, 66),
        17 => (256, 74),
        18 => (256, 98),
        19 => (256, 50),
        20 => (32, 18),
        21 => (256, 110),
        22 => (256, 82),
        23 => (256, 136),
        24 => (1, 1),
        27 | 28 => (1, 8),
        29 => (256, 56),
        34 => (256, 54),
        35 => (256, 66),
        39 => (32, 17),
        40 => (64, 36),
        41 => (128, 18),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_cause_a_panic(
            version in 0_u32..5, counts: [u64; 2], few: bool, bytes: Vec<u8>, more in 0_u64..1 << 50, word in any::<u32>(),
        ) {
            let counts = counts.map(|count| if few { count % 4 } else { count });
            let head = [&b"GGUF"[..], &version.to_le_bytes(), &counts[0].to_le_bytes(), &counts[1].to_le_bytes()].concat();
            let key = [&(ALIGNMENT.len() as u64).to_le_bytes()[..], ALIGNMENT, &UINT32.to_le_bytes(), &word.to_le_bytes()];
            let file = [head, key.concat(), bytes].concat();
            let size = (file.len() as u64).saturating_add(more);
            prop_assert!(read(Cursor::new(file), size).is_ok());
        }
    }

    #[test]
    fn gguf_survives_mutation() {
        // Version 3, one tensor, one text in the metadata.
        let mut file = b"GGUF\x03\0\0\0".to_vec();
        file.extend([1_u64, 1].map(u64::to_le_bytes).concat());
        file.extend([&3_u64.to_le_bytes()[..], b"key", &8_u32.to_le_bytes(), &1_u64.to_le_bytes(), b"v"].concat());
        file.extend([&1_u64.to_le_bytes()[..], b"t", &1_u32.to_le_bytes(), &4_u64.to_le_bytes()].concat());
        file.extend([&0_u32.to_le_bytes()[..], &0_u64.to_le_bytes(), &[0; 64]].concat());
        crate::fuzz::fuzz("gguf", &[&file], |input| {
            for size in [input.len() as u64, 1 << 40] {
                drop(read(Cursor::new(input), size));
            }
        });
    }
}
