//! Format of a file, by its first bytes. Pure.

use crate::model::file_name;

/// Bytes needed for the decision; a tar archive has its magic after its first name.
pub(super) const SIGNATURE_BYTES: usize = 512;

/// Minimum size of a pickle: protocol, one value and the end.
const MIN_PICKLE: usize = 4;
/// Minimum length of recognized text: shorter text may be a value by chance.
const MIN_TEXT: usize = 15;
const ZIP: &[u8] = b"PK\x03\x04";
const EMPTY_ZIP: &[u8] = b"PK\x05\x06";
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";
/// Tags of the fields of an ONNX model; a model begins with one of them.
const ONNX: &[u8] = b"\x08\x12\x1a\x22\x28\x32\x3a\x42\x72\xa2\xca";

/// True for a page that a server sent instead of a file.
pub(super) fn is_web_page(start: &[u8]) -> bool {
    let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).trim_ascii_start();
    let start = start[..start.len().min(16)].to_ascii_lowercase();
    [&b"<!doctype"[..], b"<html", b"<head", b"<?xml", b"<error", b"<body"].iter().any(|tag| start.starts_with(tag))
}

/// True for a git-LFS or git-xet pointer instead of a file.
pub(super) fn is_pointer(start: &[u8]) -> bool {
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let lfs = [&b"version https://git-lfs.github.com/spec/v1"[..], b"version https://hawser.github.com/spec/v1"];
    lfs.contains(&line) || line.starts_with(b"# xet version ")
}

/// Mismatch between a file's name and its first bytes: `no GGUF file`.
pub(super) fn mismatch(path: &str, start: &[u8]) -> Option<String> {
    let kind = kind(path)?;
    if is_web_page(start) {
        return Some("is a web page that a server sent instead of the file".to_owned());
    }
    let what = match kind {
        SignatureKind::Gguf | SignatureKind::Text | SignatureKind::AnyBinary => return None,
        SignatureKind::Bin if !is_text(start) => return None,
        SignatureKind::Bin => "is text, not weights: a server may have sent it instead of the file",
        // Files smaller than any pickle are markers of some program, not weights.
        SignatureKind::Other if start.len() < MIN_PICKLE => return None,
        SignatureKind::Torch | SignatureKind::Other if is_torch(start) => return None,
        SignatureKind::Torch | SignatureKind::Other => {
            "is not a PyTorch file: it is neither a zip archive nor a pickle"
        }
        SignatureKind::Onnx if start.first().is_none_or(|byte| ONNX.contains(byte)) => return None,
        SignatureKind::Onnx => "is not an ONNX model",
        SignatureKind::Npz if start.starts_with(ZIP) || start.starts_with(EMPTY_ZIP) => return None,
        SignatureKind::Npz => "is not an npz file: it is not a zip archive",
        // A user block of 512 bytes or more may precede the magic.
        SignatureKind::Hdf5
            if start.starts_with(HDF5) || start.len() == SIGNATURE_BYTES && start.iter().all(|byte| *byte == 0) =>
        {
            return None;
        }
        SignatureKind::Hdf5 => "is not an HDF5 file",
    };
    Some(what.to_owned())
}

/// True for plain text, such as `Entry not found`.
fn is_text(start: &[u8]) -> bool {
    start.len() >= MIN_TEXT && start.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r'))
}

fn is_torch(start: &[u8]) -> bool {
    let is_tar = start.get(257..262).is_some_and(|magic| magic == b"ustar");
    start.starts_with(ZIP) || is_tar || matches!(start, [0x80, 1..=5, ..])
}

/// Kind of a file according to its name, as far as its first bytes are known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SignatureKind {
    Gguf,
    Bin,
    /// Weights of PyTorch, by their complete name.
    Torch,
    /// Any other file of PyTorch.
    Other,
    Onnx,
    Npz,
    Hdf5,
    Text,
    AnyBinary,
}

/// True for a file whose first bytes are checked.
pub(super) fn is_checked_file(path: &str) -> bool {
    kind(path).is_some()
}

fn kind(path: &str) -> Option<SignatureKind> {
    // Most of 100,000 small files end here; documents with known names are read completely.
    if path.ends_with(".json") {
        return None;
    }
    let name = file_name(path).to_ascii_lowercase();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    Some(match ending {
        "gguf" => SignatureKind::Gguf,
        "pt" | "pth" => SignatureKind::Other,
        // Other programs use this extension for their own weights too.
        "bin" if name.starts_with("pytorch_model") || name.starts_with("adapter_model") => SignatureKind::Torch,
        "bin" => SignatureKind::Bin,
        "ckpt" | "pkl" | "model" | "tiktoken" | "spm" | "msgpack" | "npy" => SignatureKind::AnyBinary,
        "onnx" => SignatureKind::Onnx,
        "npz" => SignatureKind::Npz,
        "h5" | "hdf5" => SignatureKind::Hdf5,
        "jinja" | "jinja2" | "vocab" | "merges" => SignatureKind::Text,
        "txt" if matches!(&*name, "vocab.txt" | "merges.txt") => SignatureKind::Text,
        _ if name.starts_with("tokenizer.model") => SignatureKind::AnyBinary,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_reveal_a_wrong_format() {
        for (path, start, expected) in [
            ("model.gguf", &b"<!DOCTYPE html><html>"[..], "a web page"),
            ("tokenizer.model", b"\n <HTML>", "a web page"),
            ("sub/vocab.txt", b"<?xml version=\"1.0\"?><Error>", "a web page"),
            ("chat_template.jinja", b"<html>", "a web page"),
            ("model.bin", b"<html>", "a web page"),
            ("model.bin", b"Entry not found", "is text"),
            ("training_args.bin", b"{\"error\": \"Invalid username or password.\"}\n", "is text"),
            ("pytorch_model-00001-of-00002.bin", b"{\"error\":", "not a PyTorch file"),
            ("consolidated.00.pth", b"hello", "not a PyTorch file"),
            ("model.onnx", b"{}", "not an ONNX model"),
            ("weights.npz", b"\x93NUMPY", "not an npz file"),
            ("weights.h5", b"HDF", "not an HDF5 file"),
        ] {
            let message = mismatch(path, start).unwrap_or_default();
            assert!(message.contains(expected), "{path}: {message}");
        }
    }

    #[test]
    fn valid_first_bytes_have_no_finding() {
        let mut tar = [0; SIGNATURE_BYTES];
        tar[257..262].copy_from_slice(b"ustar");
        for (path, start) in [
            ("a.pt", &b"PK\x03\x04rest"[..]),
            ("a.pth", b"\x80\x02\x8a\x0al\xfc"),
            ("optimizer.pt", b"x"),
            ("a.pth", &tar),
            ("pytorch_model.bin", b"\x80\x04\x95"),
            ("openvino_model.bin", b"\x01\x02"),
            ("a.onnx", b"\x08\x07\x12"),
            ("a.npz", b"PK\x03\x04"),
            ("a.h5", b"\x89HDF\r\n\x1a\n"),
            ("README.md", b"<html>"),
            ("page.html", b"<html>"),
            ("chat_template.jinja", b"<|im_start|>"),
            ("tokenizer.model", b"\x0a\x0e\x0a"),
        ] {
            assert_eq!(mismatch(path, start), None, "{path}");
        }
    }

    #[test]
    fn pointers_are_recognized_by_their_first_line() {
        for start in [
            &b"version https://git-lfs.github.com/spec/v1\noid sha256:"[..],
            b"version https://git-lfs.github.com/spec/v1\r\noid sha256:",
            b"# xet version 0\nfilesize = 5\n",
            b"# xet version 0\r\nfilesize = 5\r\n",
        ] {
            assert!(is_pointer(start), "{}", String::from_utf8_lossy(start));
        }
        for start in [&b""[..], b"version https://git-lfs.github.com/spec/v10\n", b"# xet", b"version 1\n"] {
            assert!(!is_pointer(start), "{}", String::from_utf8_lossy(start));
        }
    }
}
