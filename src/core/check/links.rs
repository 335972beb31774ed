//! Links that lead out of the source: their targets are uploaded too, which may be unexpected.

use std::path::Path;

use crate::model::{Finding, FindingCode};
use crate::paths::shown;

/// Findings for links whose target is neither in the source nor in the store of a Hugging Face cache.
pub(super) fn outside(directory: &Path, links: &[String]) -> Vec<Finding> {
    if links.is_empty() {
        return Vec::new();
    }
    // The walk has reported links that cannot be resolved.
    let Ok(home) = directory.canonicalize() else { return Vec::new() };
    links
        .iter()
        .filter_map(|link| {
            let target = directory.join(link).canonicalize().ok()?;
            if target.starts_with(&home) || in_blob_store(&home, &target) {
                return None;
            }
            Some(Finding::warning(
                FindingCode::LinkOutside,
                link,
                format!("the link points to {}, outside the source", shown(&target).display()),
                "Exclude it with --exclude if its target is not part of the model.",
            ))
        })
        .collect()
}

/// True for `models--ORG--NAME/blobs/HASH`, or the `blobs` next to the `snapshots` that contains the source.
fn in_blob_store(home: &Path, target: &Path) -> bool {
    let Some(blobs) = target.parent().filter(|blobs| blobs.file_name().is_some_and(|name| name == "blobs")) else {
        return false;
    };
    blobs.parent().is_some_and(|cache| {
        let is_cache = cache.file_name().is_some_and(|name| name.to_string_lossy().starts_with("models--"));
        is_cache || home.starts_with(cache)
    })
}
