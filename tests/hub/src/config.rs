//! Behaviour of the Hub that a test can choose; faults that last for some requests are in `fault`.

use std::path::PathBuf;

use crate::fault::Fault;

/// Behaviour of the Hub. Start from `Config::default()` and set the fields that matter.
#[derive(Debug, Clone)]
pub struct Config {
    /// Port of the Hub on 127.0.0.1; 0 is a free one. Read at start only.
    pub port: u16,
    /// Both origins use TLS with a certificate for 127.0.0.1. Read only at start.
    pub tls: bool,
    /// Repositories. Read at start only.
    pub repos: Vec<RepoConfig>,
    /// The only valid token; others are rejected.
    pub token: Option<String>,
    /// The owner of the token may read gated repositories.
    pub has_gated_access: bool,
    /// Seconds until a signed URL expires.
    pub signed_seconds: u64,
    /// After every n-th request to the CDN, all URLs signed before are rejected.
    pub revoke_every: Option<u64>,
    /// Characters appended to the query of signed URLs.
    pub padding: usize,
    /// Host of signed URLs instead of the CDN's own, if the Hub is requested by a public name.
    pub cdn_host: String,
    /// Entries per page of the tree.
    pub page_size: usize,
    /// Responses contain `X-Repo-Commit`, as the Hub's do and those of some mirrors do not.
    pub has_commit_header: bool,
    /// Small files are redirected to `/api/resolve-cache/...` of the same origin.
    pub redirects_small_files: bool,
    /// Bytes per second of all responses of the CDN together.
    pub rate: Option<u64>,
    /// Commit that all branches and tags point to from now on; its files do not exist.
    pub moved_to: Option<String>,
    /// Faults that are armed from the start.
    pub faults: Vec<Fault>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 0,
            tls: false,
            repos: Vec::new(),
            token: None,
            has_gated_access: true,
            signed_seconds: 3600,
            revoke_every: None,
            padding: 0,
            cdn_host: "us.aws.cdn.hf.co".to_owned(),
            page_size: 1000,
            has_commit_header: true,
            redirects_small_files: false,
            rate: None,
            moved_to: None,
            faults: Vec::new(),
        }
    }
}

/// Repository with the files of a directory.
#[derive(Debug, Clone)]
pub struct RepoConfig {
    /// `namespace/name`.
    pub id: String,
    /// Directory with its files.
    pub directory: PathBuf,
    /// Branches and tags in addition to `main`, each at this commit.
    pub refs: Vec<String>,
    /// Visible only with its owner's token.
    pub is_private: bool,
    /// Gated: the terms must be accepted.
    pub gate: Gate,
    /// Disabled by the Hub.
    pub is_disabled: bool,
    /// Former ids, which redirect to it.
    pub former_ids: Vec<String>,
    /// Licence on its card.
    pub license: Option<String>,
    /// Base models on its card.
    pub base_models: Vec<String>,
    /// Minimum size of large files (LFS); weights are always large.
    pub large_from: u64,
    /// Files whose checksum in the tree and in responses is that of other content.
    pub wrong_sums: Vec<String>,
    /// Weights that are in git itself, without LFS.
    pub without_lfs: Vec<String>,
}

/// Terms of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// No terms.
    Open,
    /// Accepted without a review: `"gated": "auto"`.
    Auto,
    /// Requests are reviewed manually: `"gated": "manual"`.
    Manual,
}

impl RepoConfig {
    /// A public repository with the files of this directory.
    #[must_use]
    pub fn new(id: &str, directory: impl Into<PathBuf>) -> Self {
        Self {
            id: id.to_owned(),
            directory: directory.into(),
            refs: Vec::new(),
            is_private: false,
            gate: Gate::Open,
            is_disabled: false,
            former_ids: Vec::new(),
            license: None,
            base_models: Vec::new(),
            large_from: 10 << 20,
            wrong_sums: Vec::new(),
            without_lfs: Vec::new(),
        }
    }
}
