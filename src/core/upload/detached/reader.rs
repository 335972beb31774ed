//! Reader of the events of a detached upload, while they are written and afterwards.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

/// Bytes at the end of a file that are read for its last lines.
const LAST: u64 = 64 << 10;

/// Reads events, continuing where the last read stopped. Any number of readers may read one file; each opens it only
/// briefly, since the writer replaces it when it has grown too large.
#[derive(Debug)]
pub struct EventReader {
    path: PathBuf,
    offset: u64,
    /// Last line that was read, with its line end: detects that the file was replaced.
    last: Vec<u8>,
}

impl EventReader {
    /// A reader at the beginning of the file.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, offset: 0, last: Vec::new() }
    }

    /// Reader that starts near the end of the file: its last lines hold the current progress.
    #[must_use]
    pub fn at_end(path: PathBuf) -> Self {
        let size = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        Self { path, offset: size.saturating_sub(LAST), last: Vec::new() }
    }

    /// Returns complete lines that were written since the last call; none if the file does not exist yet.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub fn read(&mut self) -> io::Result<Vec<String>> {
        let mut file = match File::open(&self.path) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            file => file?,
        };
        let bytes = match self.rest(&mut file)? {
            Some(rest) => rest,
            None => {
                file.rewind()?;
                let mut all = Vec::new();
                file.read_to_end(&mut all)?;
                let seen = end_of(&all, &self.last);
                self.offset = seen as u64;
                all.split_off(seen)
            }
        };
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        self.offset += whole as u64;
        let lines: Vec<&[u8]> = bytes[..whole].split_inclusive(|byte| *byte == b'\n').collect();
        if let Some(last) = lines.last() {
            self.last = last.to_vec();
        }
        Ok(lines.into_iter().map(|line| String::from_utf8_lossy(line).trim_end().to_owned()).collect())
    }

    /// Bytes after those already read; `None` if the file was replaced.
    fn rest(&self, file: &mut File) -> io::Result<Option<Vec<u8>>> {
        if file.metadata()?.len() < self.offset {
            return Ok(None);
        }
        file.seek(SeekFrom::Start(self.offset - self.last.len() as u64))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        if bytes.starts_with(&self.last) { Ok(Some(bytes.split_off(self.last.len()))) } else { Ok(None) }
    }
}

/// Position after the last occurrence of a line; the beginning if the line is gone: repeating events is better than
/// losing some.
fn end_of(text: &[u8], line: &[u8]) -> usize {
    let mut end = 0;
    let mut found = 0;
    for one in text.split_inclusive(|byte| *byte == b'\n') {
        end += one.len();
        if one == line {
            found = end;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::super::EventLog;
    use super::*;

    #[test]
    fn lines_are_read_once_and_completely() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("events.ndjson");
        let mut reader = EventReader::new(path.clone());
        assert!(reader.read().expect("no file yet").is_empty());
        let mut file = File::create(&path).expect("made");
        file.write_all(b"one\ntw").expect("written");
        assert_eq!(reader.read().expect("read"), ["one"]);
        assert!(reader.read().expect("read").is_empty());
        file.write_all(b"o\nthree\n").expect("written");
        assert_eq!(reader.read().expect("read"), ["two", "three"]);
    }

    #[test]
    fn a_replaced_file_is_read_from_the_last_known_line() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("events.ndjson");
        fs::write(&path, "schema\na\nb\nc\n").expect("written");
        let mut reader = EventReader::new(path.clone());
        reader.read().expect("read");
        // Longer than before, so that the size does not reveal the replacement.
        fs::write(&path, "schema\nc\nd is a long line\n").expect("written");
        assert_eq!(reader.read().expect("read"), ["d is a long line"]);
        fs::write(&path, "schema\nx\n").expect("written");
        assert_eq!(reader.read().expect("read"), ["schema", "x"]);
    }

    #[test]
    fn a_reader_follows_a_writer_beyond_the_size_limit() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("events.ndjson");
        let log = EventLog::default();
        log.append("{\"schema\":1}");
        log.begin(&path).expect("begun");
        let mut reader = EventReader::new(path.clone());
        assert_eq!(reader.read().expect("read"), ["{\"schema\":1}"]);
        let padding = "x".repeat(1 << 20);
        let mut next = 0;
        for number in 0..40 {
            log.append(&format!("{{\"event\":\"upload.progress\",\"n\":{number},\"p\":\"{padding}\"}}"));
            // Simulates a reader that is slow for a while.
            if number % 7 == 6 {
                for line in reader.read().expect("read") {
                    assert!(line.contains(&format!("\"n\":{next},")), "{next}");
                    next += 1;
                }
            }
        }
        assert!(next >= 35, "{next}");
        assert!(fs::metadata(&path).expect("there").len() < 17 << 20);
        assert!(fs::read_to_string(&path).expect("read").starts_with("{\"schema\":1}\n"));
    }
}
