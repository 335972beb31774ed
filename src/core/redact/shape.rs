//! Detection of other secrets by the shape of the surrounding text. One pass; each part is read again at most a few
//! times.

use super::unescaped::SOFT;

/// Names of secrets, without `-` and `_`: a name that ends with one of these.
const NAMES: [&[u8]; 15] = [
    b"signature",
    b"token",
    b"secret",
    b"password",
    b"passwd",
    b"passphrase",
    b"pwd",
    b"accountkey",
    b"accesskey",
    b"sharedkey",
    b"apikey",
    b"subscriptionkey",
    b"functionskey",
    b"privatekey",
    b"assertion",
];
/// Names of secrets that match only as whole names, because other words end with them.
const WHOLE_NAMES: [&[u8]; 6] = [b"sig", b"sas", b"authorization", b"proxyauthorization", b"cookie", b"setcookie"];
/// Names that also occur in prose: `unexpected token: x`, `cannot renew the SAS: the location is gone`.
const WORDS: [&[u8]; 6] = [b"token", b"signature", b"secret", b"assertion", b"cookie", b"sas"];
/// Minimum length of a secret after such a word and a colon; for a quoted one including its spaces.
const MIN_VALUE_LENGTH: usize = 16;
/// Maximum length of a name.
const NAME: usize = 40;

/// Text to search.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SearchScope {
    /// Messages and logs, where masking too much is better than too little.
    Text,
    /// Values of the user, where only certain secrets count.
    Data,
}

/// Reports start and end of each secret.
pub(super) fn find(text: &[u8], scope: SearchScope, found: impl FnMut(usize, usize)) {
    let mut scan = Scan { text, scope, found };
    let mut at = 0;
    while at < text.len() {
        if scan.is_boundary(at) {
            at += 1;
        } else {
            let end = (at..text.len()).find(|&at| scan.is_boundary(at)).unwrap_or(text.len());
            at = scan.word(at, end);
        }
    }
}

struct Scan<'t, F> {
    text: &'t [u8],
    scope: SearchScope,
    found: F,
}

impl<F: FnMut(usize, usize)> Scan<'_, F> {
    fn at(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(b'\n')
    }

    fn is_boundary(&self, at: usize) -> bool {
        match self.at(at) {
            b'"' | b'\'' | b'<' | b'>' | b'`' | b'(' | b')' | b'[' | b']' | b'{' | b'}' => true,
            b'\\' => matches!(self.at(at + 1), b'n' | b'r' | b't' | b'\n'),
            byte => byte.is_ascii_whitespace(),
        }
    }

    fn mask(&mut self, start: usize, end: usize) {
        if end > start {
            (self.found)(start, end);
        }
    }

    /// Scans one word, and returns the position to continue from, which may be after the word.
    fn word(&mut self, start: usize, end: usize) -> usize {
        let last_at = self.text[start..end].iter().rposition(|&byte| byte == b'@').map(|at| start + at);
        let mut at = start;
        let has_address = self.text[start..end].windows(2).any(|two| two == b"//");
        // Without a host after it, this is a description of the format.
        if let Some(last_at) = last_at.filter(|at| at + 1 < end && !has_address && self.scope == SearchScope::Text) {
            let before = &self.text[start..last_at];
            let is_path = before.iter().any(|byte| matches!(byte, b'/' | b'\\'));
            if before.contains(&b':') && !is_path && !before.to_ascii_lowercase().starts_with(b"mailto:") {
                self.mask(start, last_at);
                at = last_at;
            }
        }
        let mut in_address = false;
        while at < end {
            let byte = self.at(at);
            if is_name(byte) {
                let name_end = (at..end).find(|&at| !is_name(self.at(at))).unwrap_or(end);
                match self.name(at, name_end, end) {
                    Some(next) if next > end => return next,
                    Some(next) => at = next,
                    None => at = name_end,
                }
            } else if byte == b'/' && self.at(at + 1) == b'/' && (at == start || self.at(at - 1) == b':') {
                at = self.authority(at + 2, end, last_at);
                in_address = true;
            } else if in_address && matches!(byte, b'?' | b'#') && self.scope == SearchScope::Text {
                self.mask(at + 1, end);
                return end;
            } else {
                at += 1;
            }
        }
        end
    }

    /// `user:password@host` after `//`; returns its end.
    fn authority(&mut self, start: usize, end: usize, last_at: Option<usize>) -> usize {
        let stop = (start..end).find(|&at| matches!(self.at(at), b'/' | b'?' | b'#')).unwrap_or(end);
        let authority = &self.text[start..stop];
        let port = authority.iter().rposition(|&byte| byte == b':').map(|at| &authority[at + 1..]);
        let is_odd = port.is_some_and(|port| !port.iter().all(|byte| byte.is_ascii_digit() || *byte == b']'));
        match authority.iter().rposition(|&byte| byte == b'@').map(|at| start + at) {
            Some(at) if self.scope == SearchScope::Text || self.text[start..at].contains(&b':') => self.mask(start, at),
            // A password that contains a slash.
            None if is_odd && self.at(stop) == b'/' && self.at(stop + 1) != b'/' => {
                if let Some(at) = last_at.filter(|at| *at > stop) {
                    self.mask(start, at);
                    return at;
                }
            }
            _ => {}
        }
        stop
    }

    /// Scans a name, which may precede a secret. If it did, returns the position to continue from.
    fn name(&mut self, start: usize, end: usize, word_end: usize) -> Option<usize> {
        let name = &self.text[start..end];
        if name.starts_with(b"eyJ") {
            // A JSON Web Token: base64url parts, the first of which starts with an encoded `{"`.
            let stop = (end..word_end).find(|&at| !is_name(self.at(at)) && self.at(at) != b'.').unwrap_or(word_end);
            if self.text[start..stop].iter().filter(|&&byte| byte == b'.').count() >= 2 {
                self.mask(start, stop);
                return Some(stop);
            }
        }
        if let Some(value) = self.value_after_scheme(start, end) {
            return Some(self.value(value));
        }
        let quote = end + usize::from(matches!(self.at(end), b'"' | b'\'' | SOFT));
        let separator = self.skip_blanks(quote);
        let sign = self.at(separator);
        if !matches!(sign, b'=' | b':') || !self.is_secret(name, sign) {
            return None;
        }
        let tight = separator + 1 + usize::from(self.at(separator + 1) == b'>');
        // `sig=` at the end of a phrase has no value.
        let value = if sign == b'=' && separator == end { tight } else { self.skip_blanks(tight) };
        let is_word = sign == b':' && quote == end && WORDS.iter().any(|word| name.eq_ignore_ascii_case(word));
        if is_word && self.is_short(value) {
            return None;
        }
        Some(self.value(value))
    }

    /// Start of the value after `Bearer ` and similar schemes.
    fn value_after_scheme(&self, start: usize, end: usize) -> Option<usize> {
        let name = &self.text[start..end];
        let is_bearer = name.eq_ignore_ascii_case(b"bearer");
        if self.scope == SearchScope::Data || !(is_bearer || is_scheme(name)) {
            return None;
        }
        let is_between = |at: &usize| {
            let byte = self.at(*at);
            self.is_boundary(*at) || byte == SOFT || byte == b'+' || is_bearer && matches!(byte, b':' | b'=')
        };
        let value = (end..self.text.len()).find(|at| !is_between(at))?;
        // `Basic settings` is prose, `Basic dXNlcjpwYXNz` is not.
        let value_text = &self.text[value..self.value_end(value, usize::MAX)];
        let is_prose = value_text.iter().all(|byte| byte.is_ascii_lowercase() || b".,:;!?".contains(byte));
        (value > end && (is_bearer || !is_prose)).then_some(value)
    }

    /// True if the value that begins here is too short to be a secret after a word of prose.
    fn is_short(&self, value: usize) -> bool {
        let quote = self.at(value);
        let length = if matches!(quote, b'"' | b'\'') {
            let content = self.text[value + 1..].iter().take(MIN_VALUE_LENGTH);
            content.take_while(|&&byte| byte != quote && byte != b'\n').count()
        } else {
            self.value_end(value, value.saturating_add(MIN_VALUE_LENGTH)) - value
        };
        length < MIN_VALUE_LENGTH
    }

    /// Masks the value that begins here; returns its end.
    fn value(&mut self, start: usize) -> usize {
        let quote = self.at(start);
        if matches!(quote, b'"' | b'\'') {
            let line = self.text[start + 1..].iter().position(|&byte| byte == quote || byte == b'\n');
            let stop = line.map_or(self.text.len(), |at| start + 1 + at);
            if self.at(stop) == quote {
                self.mask(start + 1, stop);
                return stop + 1;
            }
        }
        let start = start + usize::from(matches!(quote, b'"' | b'\''));
        let name_end = (start..self.text.len()).find(|&at| !is_name(self.at(at))).unwrap_or(self.text.len());
        if is_scheme(&self.text[start..name_end]) || self.text[start..name_end].eq_ignore_ascii_case(b"bearer") {
            let value = self.skip_blanks(name_end);
            if value > name_end && value < self.text.len() {
                let stop = self.value_end(value, usize::MAX);
                self.mask(value, stop);
                return stop;
            }
        }
        let stop = self.value_end(start, usize::MAX);
        self.mask(start, stop);
        stop
    }

    /// End of an unquoted value, searched for up to `limit`.
    fn value_end(&self, start: usize, limit: usize) -> usize {
        let is_end = |at: &usize| match self.at(*at) {
            b'(' | b'[' | b'{' => false,
            b'&' | b';' => true,
            _ => self.is_boundary(*at),
        };
        let limit = limit.min(self.text.len()).max(start);
        (start..limit).find(is_end).unwrap_or(limit)
    }

    fn skip_blanks(&self, start: usize) -> usize {
        let is_blank = |at: &usize| matches!(self.at(*at), b' ' | b'\t' | SOFT) && *at < self.text.len();
        (start..self.text.len()).find(|at| !is_blank(at)).unwrap_or(self.text.len())
    }

    fn is_secret(&self, name: &[u8], sign: u8) -> bool {
        let name = &name[name.len().saturating_sub(NAME)..];
        if self.scope == SearchScope::Data {
            let is_signature = name.eq_ignore_ascii_case(b"sig") || name.eq_ignore_ascii_case(b"AccountKey");
            return sign == b'=' && is_signature;
        }
        let last = name.rsplit(|byte| matches!(byte, b'-' | b'_')).next().unwrap_or_default();
        let joined: Vec<u8> =
            name.iter().filter(|byte| !matches!(byte, b'-' | b'_')).map(u8::to_ascii_lowercase).collect();
        last.eq_ignore_ascii_case(b"sig")
            || WHOLE_NAMES.contains(&joined.as_slice())
            || NAMES.iter().any(|one| joined.ends_with(one))
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// True for authentication schemes that contain the secret itself, except for `Bearer`.
fn is_scheme(name: &[u8]) -> bool {
    let schemes: [&[u8]; 4] = [b"basic", b"sharedkey", b"sharedkeylite", b"sharedaccesssignature"];
    schemes.iter().any(|scheme| name.eq_ignore_ascii_case(scheme))
}
