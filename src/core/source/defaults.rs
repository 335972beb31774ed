//! Files that never belong to a model: version control, caches, secrets, companions of file systems. Pure.

use super::selection::ExcludeReason::{self, Default, MaySecret};
use crate::model::file_name;

/// Entries by their name at any depth, lower case: file systems that make them do not tell cases apart.
const ENTRIES: [(&str, Kind, ExcludeReason); 57] = [
    (".git", Kind::Any, Default),
    (".cache", Kind::Directory, Default),
    ("__pycache__", Kind::Directory, Default),
    (".ipynb_checkpoints", Kind::Directory, Default),
    (".azcopy", Kind::Directory, Default),
    (".gitattributes", Kind::File, Default),
    // Of the system that the folder was on.
    (".ds_store", Kind::Any, Default),
    ("__macosx", Kind::Directory, Default),
    (".appledouble", Kind::Directory, Default),
    (".spotlight-v100", Kind::Directory, Default),
    (".fseventsd", Kind::Directory, Default),
    (".temporaryitems", Kind::Directory, Default),
    (".trashes", Kind::Directory, Default),
    (".documentrevisions-v100", Kind::Directory, Default),
    (".volumeicon.icns", Kind::File, Default),
    (".localized", Kind::File, Default),
    (".apdisk", Kind::File, Default),
    (".appledb", Kind::Directory, Default),
    (".appledesktop", Kind::Directory, Default),
    (".com.apple.timemachine.donotpresent", Kind::File, Default),
    ("network trash folder", Kind::Directory, Default),
    ("temporary items", Kind::Directory, Default),
    // The icon of a folder, with a carriage return at its end.
    ("icon\r", Kind::File, Default),
    ("iconcache.db", Kind::File, Default),
    ("thumbs.db", Kind::File, Default),
    ("ehthumbs.db", Kind::File, Default),
    ("desktop.ini", Kind::File, Default),
    ("$recycle.bin", Kind::Directory, Default),
    ("system volume information", Kind::Directory, Default),
    ("@eadir", Kind::Directory, Default),
    ("#recycle", Kind::Directory, Default),
    (".snapshot", Kind::Directory, Default),
    (".snapshots", Kind::Directory, Default),
    ("lost+found", Kind::Directory, Default),
    // Of tools that keep tokens and keys there.
    (".azure", Kind::Directory, MaySecret),
    (".azd", Kind::Directory, MaySecret),
    (".aws", Kind::Directory, MaySecret),
    (".ssh", Kind::Directory, MaySecret),
    (".gnupg", Kind::Directory, MaySecret),
    (".kube", Kind::Directory, MaySecret),
    (".docker", Kind::Directory, MaySecret),
    (".env", Kind::Any, MaySecret),
    (".envrc", Kind::File, MaySecret),
    (".netrc", Kind::File, MaySecret),
    ("_netrc", Kind::File, MaySecret),
    (".git-credentials", Kind::File, MaySecret),
    (".npmrc", Kind::File, MaySecret),
    (".pypirc", Kind::File, MaySecret),
    (".pgpass", Kind::File, MaySecret),
    ("id_rsa", Kind::File, MaySecret),
    ("id_dsa", Kind::File, MaySecret),
    ("id_ecdsa", Kind::File, MaySecret),
    ("id_ed25519", Kind::File, MaySecret),
    (".bash_history", Kind::File, MaySecret),
    (".zsh_history", Kind::File, MaySecret),
    (".python_history", Kind::File, MaySecret),
    (".databrickscfg", Kind::File, MaySecret),
];
const STARTS: [(&str, Kind, ExcludeReason); 5] = [
    ("._", Kind::Any, Default),
    (".trash-", Kind::Directory, Default),
    (".nfs", Kind::File, Default),
    (".fuse_hidden", Kind::File, Default),
    (".env.", Kind::Any, MaySecret),
];
const ENDS: [(&str, Kind, ExcludeReason); 7] = [
    (".incomplete", Kind::File, Default),
    (".lock", Kind::File, Default),
    (".metadata", Kind::File, Default),
    (".pem", Kind::File, MaySecret),
    (".pfx", Kind::File, MaySecret),
    (".p12", Kind::File, MaySecret),
    (".ppk", Kind::File, MaySecret),
];
/// azd's description of a project, which lies at its top.
const TOP: [&str; 2] = ["azure.yaml", "azure.yml"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Directory,
    Any,
}

/// Why an entry stays unless the user asks for everything; `None` when it may belong to a model.
pub(super) fn reason(path: &str, is_directory: bool) -> Option<ExcludeReason> {
    // Bytes, and no copy in lower case: this is asked of 100,000 files.
    let name = file_name(path).as_bytes();
    let fits = |kind| kind == Kind::Any || (kind == Kind::Directory) == is_directory;
    let same = |part: &[u8], text: &str| part.eq_ignore_ascii_case(text.as_bytes());
    let starts = |text: &str| name.get(..text.len()).is_some_and(|start| same(start, text));
    let ending = name.iter().rposition(|byte| *byte == b'.').map_or(&b""[..], |at| &name[at..]);
    let named = ENTRIES.iter().find(|(entry, kind, _)| entry.len() == name.len() && fits(*kind) && same(name, entry));
    let by_name = named.or_else(|| STARTS.iter().find(|(start, kind, _)| fits(*kind) && starts(start)));
    let found = by_name.or_else(|| ENDS.iter().find(|(end, kind, _)| fits(*kind) && same(ending, end)));
    match found {
        Some((.., reason)) => Some(*reason),
        None => (!is_directory && TOP.contains(&path)).then_some(Default),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_belongs_to_a_model_is_known_by_its_name() {
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
    fn what_only_looks_like_it_goes() {
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
