//! Files of a repository, page by page.

use serde_json::{Value, json};

use crate::answer::{Answer, json, refusal, set};
use crate::fault::FaultKind;
use crate::repo::{Repo, RepoFile, pointer_size};
use crate::state::{Call, Shared};

/// One page of the files below a folder; of all files if it is empty.
pub(crate) fn answer(
    shared: &Shared,
    call: &Call,
    (repo, revision, below): (&Repo, &str, &str),
    fault: Option<&FaultKind>,
) -> Answer {
    if !repo.has_revision(revision) {
        return refusal(404, Some("RevisionNotFound"), &format!("Invalid rev id: {revision}"));
    }
    if call.query("recursive").as_deref() != Some("true") {
        return refusal(400, None, "the fake hub lists whole trees alone: recursive=true");
    }
    let prefix = if below.is_empty() { String::new() } else { format!("{below}/") };
    let entries = entries(repo, &prefix);
    if entries.is_empty() {
        let mut answer = refusal(404, Some("EntryNotFound"), &format!("{below} does not exist on \"{revision}\""));
        set(answer.headers_mut(), "x-repo-commit", &repo.sha);
        return answer;
    }
    let size = shared.lock().config.page_size.max(1);
    let from: usize = call.query("cursor").and_then(|cursor| cursor.strip_prefix("C/")?.parse().ok()).unwrap_or(0);
    let page: Vec<Value> = entries.iter().skip(from).take(size).cloned().map(|entry| damaged(entry, fault)).collect();
    let mut answer = json(&Value::Array(page));
    let next = match fault {
        Some(FaultKind::Loop) => Some(from),
        Some(FaultKind::Leave) => Some(from + size),
        _ => Some(from + size).filter(|next| *next < entries.len()),
    };
    if let Some(next) = next {
        let origin = match fault {
            Some(FaultKind::Leave) => "https://elsewhere.example".to_owned(),
            _ => call.origin(),
        };
        let link = format!("<{origin}{}?recursive=true&expand=false&cursor=C%2F{next}>; rel=\"next\"", call.path());
        set(answer.headers_mut(), "link", &link);
    }
    answer
}

fn entries(repo: &Repo, prefix: &str) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut folder = String::new();
    for file in repo.files.iter().filter(|file| file.path.starts_with(prefix)) {
        if let Some((parent, _)) = file.path.rsplit_once('/')
            && parent != folder
            && parent.len() >= prefix.len()
        {
            parent.clone_into(&mut folder);
            entries.push(json!({ "type": "directory", "oid": repo.sha, "size": 0, "path": parent }));
        }
        entries.push(entry(file));
    }
    entries
}

fn entry(file: &RepoFile) -> Value {
    let mut entry = json!({ "type": "file", "oid": file.oid, "size": file.size, "path": file.path });
    if let Some(sum) = &file.lfs {
        entry["lfs"] = json!({ "oid": sum, "size": file.size, "pointerSize": pointer_size() });
        entry["xetHash"] = sum.chars().rev().collect::<String>().into();
    }
    entry
}

fn damaged(mut entry: Value, fault: Option<&FaultKind>) -> Value {
    if fault == Some(&FaultKind::OtherSize) && entry["type"] == "file" {
        entry["size"] = (entry["size"].as_u64().unwrap_or(0) + 1).into();
    }
    entry
}
