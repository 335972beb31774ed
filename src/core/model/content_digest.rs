//! Digest of the content of a whole model: equal for equal files, regardless of their times and of the order of
//! discovery.

use sha2::{Digest, Sha256};

use super::ContentHash;

/// Tag of a registered model that holds its digest.
pub const CONTENT_DIGEST: &str = "contentDigest";

/// SHA-256 over one line per file: path, NUL, size in decimal digits, NUL, SHA-256 of the content in lower-case hex
/// digits, LF. Paths are relative to the source with `/` between components, in UTF-8, and the lines are sorted by the
/// bytes of the paths. A path contains neither NUL nor LF: the store does not preserve such names.
#[must_use]
pub fn content_digest<'a>(files: impl IntoIterator<Item = (&'a str, u64, ContentHash)>) -> ContentHash {
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_unstable_by(|left, right| left.0.as_bytes().cmp(right.0.as_bytes()));
    let mut digest = Sha256::new();
    for (path, bytes, sha256) in files {
        digest.update(format!("{path}\0{bytes}\0{sha256}\n"));
    }
    <[u8; 32]>::from(digest.finalize()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected value comes from `printf 'a/b\0003\000HASH
    /// ab\0000\000HASH
    /// ' | sha256sum`.
    #[test]
    fn the_digest_covers_the_documented_lines() {
        let abc: ContentHash =
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".parse().expect("a hash");
        let empty: ContentHash =
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".parse().expect("a hash");
        let digest = content_digest([("ab", 0, empty), ("a/b", 3, abc)]);
        assert_eq!(digest.to_string(), "57a8b8de3f7711cfde6fa9d49155f9e425b3c94d279976951f3cf19df8dfd219");
        assert_eq!(content_digest([("a/b", 3, abc), ("ab", 0, empty)]), digest);
        for other in [
            content_digest([("a/b", 3, abc)]),
            content_digest([("a/c", 3, abc), ("ab", 0, empty)]),
            content_digest([("a/b", 3, empty), ("ab", 0, empty)]),
        ] {
            assert_ne!(other, digest);
        }
    }
}
