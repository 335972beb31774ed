//! Repositories: files of a directory with their sizes and checksums, under one commit.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use sha2::{Digest, Sha256};

use crate::config::RepoConfig;

/// Extensions of files that are stored in LFS regardless of their size.
const LARGE_ENDINGS: [&str; 6] = [".safetensors", ".bin", ".pt", ".gguf", ".onnx", ".h5"];
/// Bytes of an LFS pointer file.
const POINTER: u64 = 135;

/// Repository at its only commit.
#[derive(Debug)]
pub(crate) struct Repo {
    pub(crate) config: RepoConfig,
    /// Commit: 40 hex digits, derived from the content.
    pub(crate) sha: String,
    /// Sorted by path.
    pub(crate) files: Vec<RepoFile>,
}

/// One file.
#[derive(Debug)]
pub(crate) struct RepoFile {
    /// Path in the repository; `/` between parts.
    pub(crate) path: String,
    /// Path on this machine.
    pub(crate) local: PathBuf,
    pub(crate) size: u64,
    /// Git blob SHA-1; that of the pointer for a large file.
    pub(crate) oid: String,
    /// SHA-256 of a large file, as the Hub reports it.
    pub(crate) lfs: Option<String>,
}

impl Repo {
    pub(crate) fn read(config: RepoConfig) -> io::Result<Self> {
        let mut files = Vec::new();
        walk(&config.directory, "", &config, &mut files)?;
        files.sort_by(|left, right| left.path.cmp(&right.path));
        let mut hash = Sha256::new();
        for file in &files {
            hash.update(format!("{} {} {}\n", file.path, file.oid, file.lfs.as_deref().unwrap_or_default()));
        }
        let sha = hex(&hash.finalize())[..40].to_owned();
        Ok(Self { config, sha, files })
    }

    pub(crate) fn file(&self, path: &str) -> Option<(usize, &RepoFile)> {
        let index = self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        Some((index, &self.files[index]))
    }

    /// True for the commit and each of its names.
    pub(crate) fn has_revision(&self, revision: &str) -> bool {
        revision == self.sha || revision == "main" || self.config.refs.iter().any(|name| name == revision)
    }

    /// True if the repository is visible with or without a token.
    pub(crate) fn is_visible(&self, has_token: bool) -> bool {
        !self.config.is_private || has_token
    }
}

fn walk(directory: &Path, below: &str, config: &RepoConfig, files: &mut Vec<RepoFile>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let local = entry?.path();
        let Some(name) = local.file_name().and_then(|name| name.to_str()) else { continue };
        let path = format!("{below}{name}");
        if local.is_dir() {
            walk(&local, &format!("{path}/"), config, files)?;
        } else {
            files.push(read_file(path, local, config)?);
        }
    }
    Ok(())
}

fn read_file(path: String, local: PathBuf, config: &RepoConfig) -> io::Result<RepoFile> {
    let size = fs::metadata(&local)?.len();
    let in_git = config.without_lfs.contains(&path);
    let is_large = !in_git && (size >= config.large_from || LARGE_ENDINGS.iter().any(|end| path.ends_with(end)));
    let is_wrong = config.wrong_sums.contains(&path);
    if !is_large {
        let mut oid = git_oid(size, &mut fs::File::open(&local)?)?;
        if is_wrong {
            oid = git_oid(0, &mut io::empty())?;
        }
        return Ok(RepoFile { path, local, size, oid, lfs: None });
    }
    let mut hash = Sha256::new();
    if is_wrong {
        hash.update("other content");
    } else {
        let mut file = fs::File::open(&local)?;
        each_piece(&mut file, |piece| hash.update(piece))?;
    }
    let lfs = hex(&hash.finalize());
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{lfs}\nsize {size}\n");
    let oid = git_oid(pointer.len() as u64, &mut pointer.as_bytes())?;
    Ok(RepoFile { path, local, size, oid, lfs: Some(lfs) })
}

/// SHA-1 of the git object with this content.
fn git_oid(size: u64, content: &mut impl Read) -> io::Result<String> {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    context.update(format!("blob {size}\0").as_bytes());
    each_piece(content, |piece| context.update(piece))?;
    Ok(hex(context.finish().as_ref()))
}

fn each_piece(content: &mut impl Read, mut on: impl FnMut(&[u8])) -> io::Result<()> {
    let mut piece = vec![0; 1 << 20];
    loop {
        match content.read(&mut piece)? {
            0 => return Ok(()),
            count => on(&piece[..count]),
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// Size of the pointer in the tree.
pub(crate) fn pointer_size() -> u64 {
    POINTER
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf hello | git hash-object --stdin`.
    #[test]
    fn the_oid_matches_git() {
        let oid = git_oid(5, &mut b"hello".as_slice()).expect("read");
        assert_eq!(oid, "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0");
    }

    #[test]
    fn weights_are_large_files_and_others_from_the_minimum_size() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::create_dir(directory.path().join("sub")).expect("made");
        for (path, size) in [("a.safetensors", 5), ("config.json", 50), ("sub/big.txt", 101)] {
            fs::write(directory.path().join(path), vec![b'x'; size]).expect("written");
        }
        let config = RepoConfig { large_from: 100, ..RepoConfig::new("org/m", directory.path()) };
        let repo = Repo::read(config).expect("read");
        let kinds: Vec<_> = repo.files.iter().map(|file| (file.path.as_str(), file.lfs.is_some())).collect();
        assert_eq!(kinds, [("a.safetensors", true), ("config.json", false), ("sub/big.txt", true)]);
        assert_eq!(repo.sha.len(), 40);
        assert!(repo.has_revision("main") && repo.has_revision(&repo.sha) && !repo.has_revision("v1"));
    }
}
