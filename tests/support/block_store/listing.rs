//! List Blobs.

use axum::body::Body;
use axum::http::Response;

use super::answers::{error, time_of, xml};
use super::{Blob, Lists, Query, Shared};

/// If the location is a folder of a container, the names in the list begin with it; if any blob names already do, only
/// those blobs are listed.
pub(super) fn list(shared: &Shared, query: &Query) -> Response<Body> {
    let mut kept = shared.lock();
    kept.lists += u32::from(!query.contains_key("maxresults"));
    if let Some((_, name)) = kept.behaviour.writes_before_list.filter(|(number, _)| *number == kept.lists) {
        let length = kept.blobs.get(name).map_or(1, |blob| blob.content.len());
        kept.write(name, vec![0; length]);
        kept.behaviour.writes_before_list = None;
    }
    if kept.behaviour.write_only {
        return error(403, "AuthorizationPermissionMismatch");
    }
    let prefix = query.get("prefix").map_or("", String::as_str);
    let lists = kept.behaviour.lists;
    let has_metadata = query.get("include").is_some_and(|parts| parts.split(',').any(|part| part == "metadata"));
    let entry = |(name, blob): (&String, &Blob)| {
        let bytes = match lists {
            Lists::Shorter => blob.bytes.saturating_sub(1),
            Lists::Huge => 1 << 60,
            _ => blob.bytes,
        };
        let marks = match lists {
            Lists::WithoutMarks => String::new(),
            Lists::WithoutEtags => format!("<Last-Modified>{}</Last-Modified>", time_of(blob.write)),
            _ => format!("<Last-Modified>{}</Last-Modified><Etag>0x{:X}</Etag>", time_of(blob.write), blob.write),
        };
        let length = format!("<Content-Length>{bytes}</Content-Length>");
        let metadata = match &blob.sha256 {
            Some(sum) if has_metadata => format!("<Metadata><sha256>{sum}</sha256></Metadata>"),
            _ => String::new(),
        };
        let name = name.strip_prefix(prefix).unwrap_or(name).replace('&', "&amp;").replace('<', "&lt;");
        format!("<Blob><Name>{prefix}{name}</Name><Properties>{marks}{length}</Properties>{metadata}</Blob>")
    };
    let limit = if query.contains_key("maxresults") { 1 } else { usize::MAX };
    let marker = query.get("marker").map_or("", String::as_str);
    let next = match lists {
        Lists::Circle if marker == "a" => "b".to_owned(),
        Lists::Circle => "a".to_owned(),
        Lists::Endless => format!("{marker}."),
        _ => String::new(),
    };
    let limit = if marker.is_empty() { limit } else { 0 };
    let omitted = usize::from(lists == Lists::WithoutFirst);
    let has_folder = !prefix.is_empty() && kept.blobs.keys().any(|name| name.starts_with(prefix));
    let is_listed = |name: &str| !has_folder || name.starts_with(prefix);
    let listed = kept.blobs.iter().filter(|(name, _)| is_listed(name));
    let blobs: String = listed.skip(omitted).take(limit).map(entry).collect();
    xml(format!("<EnumerationResults><Blobs>{blobs}</Blobs><NextMarker>{next}</NextMarker></EnumerationResults>"))
}
