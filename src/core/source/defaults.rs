//! Files that never belong to a model: version control, caches, secrets, metadata of file systems. Pure.

use super::selection::ExcludeReason::{self, Default, MaySecret};
use crate::model::file_name;

/// Entries by name at any depth, in lower case: the file systems that create them ignore case.
const ENTRIES: [(&str, EntryKind, ExcludeReason); 57] = [
    (".git", EntryKind::Any, Default),
    (".cache", EntryKind::Directory, Default),
    ("__pycache__", EntryKind::Directory, Default),
    (".ipynb_checkpoints", EntryKind::Directory, Default),
    (".azcopy", EntryKind::Directory, Default),
    (".gitattributes", EntryKind::File, Default),
    // Files of operating systems.
    (".ds_store", EntryKind::Any, Default),
    ("__macosx", EntryKind::Directory, Default),
    (".appledouble", EntryKind::Directory, Default),
    (".spotlight-v100", EntryKind::Directory, Default),
    (".fseventsd", EntryKind::Directory, Default),
    (".temporaryitems", EntryKind::Directory, Default),
    (".trashes", EntryKind::Directory, Default),
    (".documentrevisions-v100", EntryKind::Directory, Default),
    (".volumeicon.icns", EntryKind::File, Default),
    (".localized", EntryKind::File, Default),
    (".apdisk", EntryKind::File, Default),
    (".appledb", EntryKind::Directory, Default),
    (".appledesktop", EntryKind::Directory, Default),
    (".com.apple.timemachine.donotpresent", EntryKind::File, Default),
    ("network trash folder", EntryKind::Directory, Default),
    ("temporary items", EntryKind::Directory, Default),
    // Icon of a folder; the name ends with a carriage return.
    ("icon\r", EntryKind::File, Default),
    ("iconcache.db", EntryKind::File, Default),
    ("thumbs.db", EntryKind::File, Default),
    ("ehthumbs.db", EntryKind::File, Default),
    ("desktop.ini", EntryKind::File, Default),
    ("$recycle.bin", EntryKind::Directory, Default),
    ("system volume information", EntryKind::Directory, Default),
    ("@eadir", EntryKind::Directory, Default),
    ("#recycle", EntryKind::Directory, Default),
    (".snapshot", EntryKind::Directory, Default),
    (".snapshots", EntryKind::Directory, Default),
    ("lost+found", EntryKind::Directory, Default),
    // Files of tools that store tokens and keys there.
    (".azure", EntryKind::Directory, MaySecret),
    (".azd", EntryKind::Directory, MaySecret),
    (".aws", EntryKind::Directory, MaySecret),
    (".ssh", EntryKind::Directory, MaySecret),
    (".gnupg", EntryKind::Directory, MaySecret),
    (".kube", EntryKind::Directory, MaySecret),
    (".docker", EntryKind::Directory, MaySecret),
    (".env", EntryKind::Any, MaySecret),
    (".envrc", EntryKind::File, MaySecret),
    (".netrc", EntryKind::File, MaySecret),
    ("_netrc", EntryKind::File, MaySecret),
    (".git-credentials", EntryKind::File, MaySecret),
    (".npmrc", EntryKind::File, MaySecret),
    (".pypirc", EntryKind::File, MaySecret),
    (".pgpass", EntryKind::File, MaySecret),
    ("id_rsa", EntryKind::File, MaySecret),
    ("id_dsa", EntryKind::File, MaySecret),
    ("id_ecdsa", EntryKind::File, MaySecret),
    ("id_ed25519", EntryKind::File, MaySecret),
    (".bash_history", EntryKind::File, MaySecret),
    (".zsh_history", EntryKind::File, MaySecret),
    (".python_history", EntryKind::File, MaySecret),
    (".databrickscfg", EntryKind::File, MaySecret),
];
const PREFIXES: [(&str, EntryKind, ExcludeReason); 5] = [
    ("._", EntryKind::Any, Default),
    (".trash-", EntryKind::Directory, Default),
    (".nfs", EntryKind::File, Default),
    (".fuse_hidden", EntryKind::File, Default),
    (".env.", EntryKind::Any, MaySecret),
];
const SUFFIXES: [(&str, EntryKind, ExcludeReason); 7] = [
    (".incomplete", EntryKind::File, Default),
    (".lock", EntryKind::File, Default),
    (".metadata", EntryKind::File, Default),
    (".pem", EntryKind::File, MaySecret),
    (".pfx", EntryKind::File, MaySecret),
    (".p12", EntryKind::File, MaySecret),
    (".ppk", EntryKind::File, MaySecret),
];
/// azd's description of a project, in its root directory.
const TOP: [&str; 2] = ["azure.yaml", "azure.yml"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum EntryKind {
    File,
    Directory,
    Any,
}

/// Reason why an entry is excluded by default; `None` if it may belong to a model.
pub(super) fn reason(path: &str, is_directory: bool) -> Option<ExcludeReason> {
    // Compares bytes, without a lower-case copy: called for 100,000 files.
    let name = file_name(path).as_bytes();
    let fits = |kind| kind == EntryKind::Any || (kind == EntryKind::Directory) == is_directory;
    let same = |part: &[u8], text: &str| part.eq_ignore_ascii_case(text.as_bytes());
    let starts = |text: &str| name.get(..text.len()).is_some_and(|start| same(start, text));
    let ending = name.iter().rposition(|byte| *byte == b'.').map_or(&b""[..], |at| &name[at..]);
    let named = ENTRIES.iter().find(|(entry, kind, _)| entry.len() == name.len() && fits(*kind) && same(name, entry));
    let by_name = named.or_else(|| PREFIXES.iter().find(|(start, kind, _)| fits(*kind) && starts(start)));
    let found = by_name.or_else(|| SUFFIXES.iter().find(|(end, kind, _)| fits(*kind) && same(ending, end)));
    match found {
        Some((.., reason)) => Some(*reason),
        None => (!is_directory && TOP.contains(&path)).then_some(Default),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_never_belong_to_a_model_are_excluded_by_name() {
        let files = [
            ".git",
            "._a.json",
            "sub/Thumbs.db",
            "DESKTOP.INI",
            ".nfs00000a1",
            ".fuse_hidden0003",
            "azure.yaml",
            "a.lock",
            "Icon\r",
            "sub/.VolumeIcon.icns",
            ".localized",
        ];
        let directories = [
            ".git",
            "sub/.cache",
            "__MACOSX",
            "@eaDir",
            ".Trash-1000",
            "$RECYCLE.BIN",
            "lost+found",
            ".azcopy",
            "System Volume Information",
        ];
        for (paths, is_directory) in [(&files[..], false), (&directories[..], true)] {
            for path in paths {
                assert_eq!(reason(path, is_directory), Some(Default), "{path}");
            }
        }
        let secret_files = [".env", "sub/.env.local", ".netrc", "sub/server.PEM", ".git-credentials", "id_ed25519"];
        let secret_directories = [".azure", "sub/.azure", ".azd", ".aws", ".ssh", ".env"];
        for (paths, is_directory) in [(&secret_files[..], false), (&secret_directories[..], true)] {
            for path in paths {
                assert_eq!(reason(path, is_directory), Some(MaySecret), "{path}");
            }
        }
    }

    #[test]
    fn similar_names_are_not_excluded() {
        for path in [
            "git",
            "env",
            "Icon",
            "icon.png",
            ".environment",
            "sub/azure.yaml",
            "a._b",
            "pem",
            "lost+found",
            "a.lock.json",
            "nfs1",
        ] {
            assert_eq!(reason(path, false), None, "{path}");
        }
        for path in ["a.lock", "thumbs.db", "azure.yaml", "env", ".trash"] {
            assert_eq!(reason(path, true), None, "{path}");
        }
    }
}
