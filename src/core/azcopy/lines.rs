//! Lines of any length from a child's output. Overlong lines are truncated, so that memory stays bounded.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// Maximum length of a line that is not truncated. `EndOfJob` of a job with 100,000 failed files has about 30 MB.
const MAX_LENGTH: usize = 64 * 1024 * 1024;

/// Reads lines; dropping the future of [`Lines::next`] loses nothing.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    partial: Vec<u8>,
    longest: usize,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Lines of this stream.
    pub(super) fn new(reader: R) -> Self {
        Self::with_max_length(reader, MAX_LENGTH)
    }

    fn with_max_length(reader: R, longest: usize) -> Self {
        Self { reader: BufReader::with_capacity(64 * 1024, reader), partial: Vec::new(), longest }
    }

    /// Returns the next line without its end, or `None` at the end of the stream. The last line may lack a line end.
    pub(super) async fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            let chunk = self.reader.fill_buf().await?;
            if chunk.is_empty() {
                return Ok(if self.partial.is_empty() { None } else { Some(self.take()) });
            }
            let end = chunk.iter().position(|&byte| byte == b'\n');
            let part = &chunk[..end.unwrap_or(chunk.len())];
            let room = self.longest.saturating_sub(self.partial.len()).min(part.len());
            self.partial.extend_from_slice(&part[..room]);
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                return Ok(Some(self.take()));
            }
        }
    }

    fn take(&mut self) -> String {
        let mut bytes = std::mem::take(&mut self.partial);
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn overlong_lines_are_truncated_but_never_lost() {
        let mut lines = Lines::with_max_length(&b"one\r\n\ntoo long a line\nb\xffd\nlast"[..], 8);
        let mut read = Vec::new();
        while let Some(line) = lines.next().await.expect("memory") {
            read.push(line);
        }
        assert_eq!(read, ["one", "", "too long", "b\u{fffd}d", "last"]);
    }
}
