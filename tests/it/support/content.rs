//! File content, and its checksum.

use sha2::{Digest, Sha256};

/// SHA-256 in lower-case hexadecimal digits.
pub(crate) fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Content whose parts all differ, so that a misplaced part is detected.
pub(crate) fn varied_content(bytes: usize) -> Vec<u8> {
    extend_varied(Vec::with_capacity(bytes + 8), bytes, 0)
}

/// Extends content to this number of bytes; another seed gives other bytes.
pub(crate) fn extend_varied(mut content: Vec<u8>, bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64 ^ seed;
    while content.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        content.extend_from_slice(&state.to_le_bytes());
    }
    content.truncate(bytes);
    content
}
