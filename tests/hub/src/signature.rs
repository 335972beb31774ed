//! Signed URLs of the CDN: every byte of path and query is signed, as CloudFront's newer policies do, so that a client
//! that changes the form of the URL is rejected. Pure, except for the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;

use crate::repo::hex;

/// Text in each signature, which must never appear in any output.
pub const SIGNATURE_MARK: &str = "CANARYSIG";

const KEY: &[u8] = b"fake-hub";
/// Length of the signature of the recorded example, in characters.
const SIGNATURE: usize = 344;

/// Content of a valid signed URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) repo: usize,
    pub(crate) file: usize,
    /// Number of revocations before it was signed.
    pub(crate) age: u64,
}

/// Reason why a URL is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsigned {
    /// Differs from the signed bytes.
    Altered,
    /// Expired.
    Expired,
}

/// Path and query of a signed URL. `name`: name of the file; `padding`: number of additional characters.
pub(crate) fn sign(signed: Signed, name: &str, seconds: u64, padding: usize) -> String {
    let expires = now() + seconds;
    let name = utf8_percent_encode(name, NON_ALPHANUMERIC).to_string();
    let unsigned = format!(
        "/xet-bridge-us/{:024x}/{:064x}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD\
         &X-Amz-Credential=cas%2F20260301%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Expires={seconds}\
         &X-Amz-SignedHeaders=host&X-Xet-Cas-Uid=public&response-content-disposition=inline%3B+filename*%3DUTF-8%27%27\
         {name}%3B+filename%3D%22{name}%22%3B&x-id=GetObject&Expires={expires}&Age={}&Pad={}&Key-Pair-Id=K2L8F4GPSG1IFC",
        signed.repo,
        signed.file,
        signed.age,
        "x".repeat(padding + 500),
    );
    let signature = signature_of(&unsigned);
    format!("{unsigned}&Signature={signature}")
}

/// Reads path and query of a request, as received.
pub(crate) fn read(path_and_query: &str) -> Result<Signed, Unsigned> {
    let (unsigned, signature) = path_and_query.rsplit_once("&Signature=").ok_or(Unsigned::Altered)?;
    if signature_of(unsigned) != signature {
        return Err(Unsigned::Altered);
    }
    let (path, query) = unsigned.split_once('?').ok_or(Unsigned::Altered)?;
    let mut parts = path.rsplit('/');
    let mut number = || parts.next().and_then(|text| usize::from_str_radix(text.trim_start_matches('0'), 16).ok());
    let (file, repo) = (number().unwrap_or(0), number().unwrap_or(0));
    let value = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).and_then(|(_, value)| value.parse::<u64>().ok())
    };
    let (Some(expires), Some(age)) = (value("Expires"), value("Age")) else { return Err(Unsigned::Altered) };
    if expires <= now() {
        return Err(Unsigned::Expired);
    }
    Ok(Signed { repo, file, age })
}

fn signature_of(text: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(KEY) else { return String::new() };
    mac.update(text.as_bytes());
    let mut signature = format!("{SIGNATURE_MARK}{}", hex(&mac.finalize().into_bytes()));
    while signature.len() < SIGNATURE {
        signature.push('~');
    }
    signature
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_signed() {
        let signed = Signed { repo: 3, file: 20, age: 7 };
        let url = sign(signed, "a b.safetensors", 60, 0);
        assert!((1100..1500).contains(&url.len()), "{}", url.len());
        assert_eq!(read(&url), Ok(signed));
        assert_eq!(read(&url.replace("%27", "'")), Err(Unsigned::Altered));
        assert_eq!(read(&sign(signed, "a", 0, 0)), Err(Unsigned::Expired));
        assert_eq!(read("/xet-bridge-us/1/2"), Err(Unsigned::Altered));
    }
}
