//! Result of a run: standard output, standard error and the exit code as one value.

use std::fmt;

/// Usual parts of the output of `create` for [`TestEnv::write_model`](super::TestEnv::write_model), and their
/// abbreviations. `create::user_sees_three_steps_and_the_result` shows them in full.
const USUAL_PARTS: [(&str, &str); 4] = [
    (
        "──────────────────────────────────────────────────
  Name:         my-model
  Version:      1
  Format:       safetensors
  Size:         1.0 KB
  Weight type:  FullWeight
  Created:      2026-02-14T10:30:00Z
  State:        Succeeded
──────────────────────────────────────────────────

To deploy this model:
  azure-ai-models custom deployments create --name my-model --model my-model --model-version 1
",
        "[PAGE]\n",
    ),
    (
        "WARNING: tokenizer not found; the tokenizer of the base model may not match (missing-tokenizer). Add the model's tokenizer.json or tokenizer.model.
WARNING: No --base-model is given: the service may refuse to register or deploy these weights.
",
        "[WARNINGS]\n",
    ),
    (
        "Using azcopy: [ROOT]/bin/azcopy (10.32.2)

Creating custom model: my-model (version 1)

Step 1/3: Requesting upload location...
",
        "[STEP 1]\n",
    ),
    (
        "✓ Upload location ready
  Blob URI: http://[BLOBS]/devstoreaccount1/upload-1

Step 2/3: Uploading model files...
  Source: model (2 files, 1.0 KB)
",
        "[STEP 2]\n",
    ),
];

/// Outcome of a run, with the values that differ between runs masked.
pub(crate) struct Output {
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
    /// Exit code; `None` after a signal.
    pub(crate) code: Option<i32>,
}

impl Output {
    pub(crate) fn new(raw: &std::process::Output, filters: &[(String, &str)]) -> Self {
        let clean = |bytes: &[u8]| clean(std::str::from_utf8(bytes).expect("output in UTF-8"), filters);
        Self { stdout: clean(&raw.stdout), stderr: clean(&raw.stderr), code: raw.status.code() }
    }

    /// Standard output as JSON; fails the test if it is not JSON, or contains an escape sequence.
    pub(crate) fn json(&self) -> serde_json::Value {
        assert!(!self.stdout.contains('\u{1b}'), "an escape in JSON output: {self}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("not one JSON document ({error}): {self}"))
    }

    /// Error object in the last line of standard error.
    pub(crate) fn json_error(&self) -> serde_json::Value {
        let line = self.stderr.lines().last().unwrap_or_default();
        let document: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("the last line is no JSON ({error}): {self}"));
        document["error"].clone()
    }

    /// The complete output, abridged.
    pub(crate) fn abridged(&self) -> String {
        abridged(&self.to_string())
    }

    /// Fails the test unless the run succeeded.
    pub(crate) fn success(self) -> Self {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }

    /// Fails the test unless the run ended with this exit code.
    pub(crate) fn fails_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stdout)?;
        if !self.stderr.is_empty() {
            write!(f, "------- stderr -------\n{}", self.stderr)?;
        }
        match self.code {
            Some(0) => Ok(()),
            Some(code) => write!(f, "[exit code: {code}]"),
            None => f.write_str("[ended by a signal]"),
        }
    }
}

/// The text with each usual part replaced by its abbreviation.
pub(crate) fn abridged(text: &str) -> String {
    USUAL_PARTS.iter().fold(text.to_owned(), |text, (part, word)| text.replace(part, word))
}

/// The text with each of these replaced, and with values that differ between runs masked.
pub(super) fn clean(text: &str, filters: &[(String, &str)]) -> String {
    let mut text = text.to_owned();
    for (from, to) in filters {
        text = text.replace(from, to);
        if cfg!(windows) {
            text = text.replace(&from.replace('\\', r"\\"), to);
        }
    }
    mask_run(&if cfg!(windows) { with_unix_paths(&text) } else { text })
}

/// Paths below the test's directory in Unix form, since a snapshot is written on one system.
fn with_unix_paths(text: &str) -> String {
    let mut parts = text.split("[ROOT]");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|char: char| char.is_whitespace() || "\"',;)".contains(char)).unwrap_or(part.len());
        let path = part[..end].replace(r"\\", "/").replace('\\', "/").replace("azcopy.exe", "azcopy");
        out.push_str("[ROOT]");
        out.push_str(&path);
        out.push_str(&part[end..]);
    }
    out
}

/// Masks request ids, times and durations, which differ between runs.
fn mask_run(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        out.push_str(&mask_line(line));
    }
    out
}

fn mask_line(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let bytes = line.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if let Some(length) = uuid_length(&bytes[at..]) {
            out.push_str("[UUID]");
            at += length;
        } else {
            let end = line[at..].chars().next().map_or(1, char::len_utf8);
            out.push_str(&line[at..at + end]);
            at += end;
        }
    }
    // The name is a hash that includes the port of the endpoint.
    let after = |words: &str| Some(out.find(words)? + words.len());
    if let Some(start) = after("/uploads/").or_else(|| after("uploads discard "))
        && out[start..].bytes().take_while(u8::is_ascii_hexdigit).count() == 16
    {
        out.replace_range(start..start + 16, "[UPLOAD]");
    }
    if let Some(start) = out.find("Request id: [UUID], ") {
        out.truncate(start + "Request id: [UUID], ".len());
        out.push_str("[TIME]\n");
    }
    mask_rate(&out)
}

/// `| 36.2 KB/s |` becomes `| [RATE] |`.
fn mask_rate(line: &str) -> String {
    let parts: Vec<&str> = line.split(" | ").map(|part| if part.ends_with("B/s") { "[RATE]" } else { part }).collect();
    parts.join(" | ")
}

fn uuid_length(bytes: &[u8]) -> Option<usize> {
    const SHAPE: [usize; 5] = [8, 4, 4, 4, 12];
    let mut at = 0;
    for (index, part) in SHAPE.iter().enumerate() {
        if index > 0 {
            if bytes.get(at) != Some(&b'-') {
                return None;
            }
            at += 1;
        }
        let hex = bytes.get(at..at + part)?;
        if !hex.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        at += part;
    }
    Some(at)
}
