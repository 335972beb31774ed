//! The store from a client's perspective.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use bench_store::{BlobReport, Report, Shape, Store};

fn store() -> Store {
    Store::start(0, false, Shape::default(), None).expect("a store")
}

/// Sends this text, closes the sending side, and returns the whole response.
fn exchange(store: &Store, text: &[u8]) -> String {
    let mut socket = TcpStream::connect(store.address()).expect("loopback");
    socket.write_all(text).expect("loopback");
    socket.shutdown(Shutdown::Write).expect("loopback");
    let mut response = String::new();
    socket.read_to_string(&mut response).expect("loopback");
    response
}

fn put(store: &Store, target: &str, body: &str) -> String {
    let head = format!("PUT /a/box/{target} HTTP/1.1\r\nx-ms-blob-type: BlockBlob\r\nx-ms-content-crc64: c29tZQ==\r\n");
    exchange(store, format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes())
}

fn get(store: &Store, target: &str) -> String {
    exchange(store, format!("GET /a/box{target} HTTP/1.1\r\n\r\n").as_bytes())
}

fn status(response: &str) -> &str {
    response.split(' ').nth(1).unwrap_or_default()
}

fn blob(name: &str, bytes: u64, blocks: usize) -> BlobReport {
    BlobReport { name: format!("box/{name}"), bytes: Some(bytes), blocks, writes: 1, ..BlobReport::default() }
}

#[test]
fn blocks_are_counted_and_committed_as_a_blob() {
    let store = store();
    for (id, body) in [("YQ==", "hello "), ("Yg==", "world"), ("Yw==", "never listed")] {
        let response = put(&store, &format!("sub/m.bin?comp=block&blockid={id}"), body);
        assert_eq!(status(&response), "201");
        assert!(response.contains("x-ms-content-crc64: c29tZQ==\r\n"), "{response}");
    }
    let listed = get(&store, "/sub/m.bin?comp=blocklist&blocklisttype=all");
    assert!(listed.contains("<CommittedBlocks></CommittedBlocks>"), "{listed}");
    assert_eq!(listed.matches("<Block>").count(), 3);
    let uncommitted = store.report().blobs.remove(0);
    assert_eq!((uncommitted.bytes, uncommitted.uncommitted_blocks, uncommitted.uncommitted_bytes), (None, 3, 23));

    let list = "<BlockList><Latest>YQ==</Latest><Uncommitted>Yg==</Uncommitted></BlockList>";
    let response = put(&store, "sub/m.bin?comp=blocklist", list);
    assert_eq!(status(&response), "201");
    assert!(response.contains("etag: \"0x8D") && response.contains("last-modified: "), "{response}");
    assert_eq!(store.report().blobs, [blob("sub/m.bin", 11, 2)]);
}

#[test]
fn a_block_list_with_unknown_blocks_is_rejected() {
    let store = store();
    put(&store, "m.bin?comp=block&blockid=YQ==", "hello");
    let response =
        put(&store, "m.bin?comp=blocklist", "<BlockList><Latest>YQ==</Latest><Latest>eA==</Latest></BlockList>");
    assert_eq!(status(&response), "400");
    assert!(response.contains("x-ms-error-code: InvalidBlockList"), "{response}");
    let Report { blobs, refusals, .. } = store.report();
    assert_eq!(blobs[0].bytes, None);
    assert_eq!(refusals, ["PUT box/m.bin 400"]);
}

#[test]
fn a_truncated_body_is_rejected_and_not_stored() {
    let store = store();
    for target in ["m.bin", "m.bin?comp=block&blockid=YQ=="] {
        let text =
            format!("PUT /a/box/{target} HTTP/1.1\r\nx-ms-blob-type: BlockBlob\r\ncontent-length: 10\r\n\r\nhello");
        assert_eq!(status(&exchange(&store, text.as_bytes())), "400");
    }
    let report = store.report();
    assert_eq!((report.blobs.len(), report.cut_off, report.body_bytes), (0, 2, 0));
}

#[test]
fn blobs_are_listed_by_prefix_and_in_pages() {
    let store = store();
    for name in ["a/1", "a/2", "b", "c&d"] {
        assert_eq!(status(&put(&store, &name.replace('&', "%26"), "x")), "201");
    }
    assert_eq!(get(&store, "?restype=container&comp=list").matches("<Blob>").count(), 4);
    assert!(get(&store, "?restype=container&comp=list").contains("<Name>c&amp;d</Name>"));
    let below = get(&store, "?restype=container&comp=list&prefix=a%2F");
    assert_eq!(below.matches("<Blob>").count(), 2);
    let folders = get(&store, "?restype=container&comp=list&delimiter=%2F");
    assert!(folders.contains("<BlobPrefix><Name>a/</Name></BlobPrefix><Blob><Name>b</Name>"), "{folders}");
    let page = get(&store, "?restype=container&comp=list&maxresults=3");
    assert!(page.contains("<NextMarker>c&amp;d</NextMarker>"), "{page}");
    let last = get(&store, "?restype=container&comp=list&marker=c%26d");
    assert!(last.contains("<NextMarker></NextMarker>") && last.matches("<Blob>").count() == 1, "{last}");
    assert!(!get(&store, "?restype=container&comp=list&prefix=zz").contains("<Blob>"));
}

#[test]
fn properties_describe_the_last_write_until_the_blob_is_deleted() {
    let store = store();
    let request = |method: &str| exchange(&store, format!("{method} /a/box/m.bin HTTP/1.1\r\n\r\n").as_bytes());
    assert_eq!(status(&request("HEAD")), "404");
    put(&store, "m.bin", "hello");
    let response = request("HEAD");
    assert!(response.contains("content-length: 5\r\n") && response.ends_with("\r\n\r\n"), "{response}");
    assert_eq!(status(&request("DELETE")), "202");
    assert_eq!(status(&request("HEAD")), "404");
}

#[test]
fn the_line_limits_the_rate_and_delays_responses() {
    let shape = Shape {
        connection_rate: Some(4 << 20),
        total_rate: Some(6 << 20),
        round_trip: Duration::from_millis(20),
        reset_every: None,
    };
    let store = Store::start(0, false, shape, None).unwrap();
    let begun = Instant::now();
    let body = "x".repeat(1 << 20);
    std::thread::scope(|scope| {
        for name in ["one", "two"] {
            scope.spawn(|| assert_eq!(status(&put(&store, name, &body)), "201"));
        }
    });
    // 2 MiB at 6 MiB/s, and two round trips: connecting and the response. No upper limit: the machine may be busy.
    let minimum = Duration::from_millis(333 - 5 + 40);
    assert!(begun.elapsed() >= minimum, "{:?}", begun.elapsed());
    let begun = Instant::now();
    put(&store, "one", &body);
    assert!(begun.elapsed() >= Duration::from_millis(250 - 5 + 40), "{:?}", begun.elapsed());
}

#[test]
fn a_connection_is_reset_after_the_configured_bytes() {
    let store = Store::start(0, false, Shape { reset_every: Some(1 << 20), ..Shape::default() }, None).unwrap();
    let mut socket = TcpStream::connect(store.address()).unwrap();
    let head = "PUT /a/box/m HTTP/1.1\r\nx-ms-blob-type: BlockBlob\r\ncontent-length: 4194304\r\n\r\n";
    socket.write_all(head.as_bytes()).unwrap();
    let piece = vec![0; 64 * 1024];
    let failure = (0..64).find_map(|_| socket.write_all(&piece).err()).or_else(|| socket.read(&mut [0]).err());
    assert!(failure.is_some());
    let report = store.report();
    assert!(report.blobs.is_empty());
    assert!(report.received_bytes > 1 << 20, "{}", report.received_bytes);
}

/// Content comes from a file, in the ranges requested by either header; metadata is stored and listed.
#[test]
fn blobs_are_read_from_files() {
    let directory = std::env::temp_dir().join(format!("bench-store-{}", std::process::id()));
    std::fs::create_dir_all(directory.join("sub")).expect("a directory");
    std::fs::write(directory.join("sub/m.bin"), "hello world").expect("a file");
    let store = Store::start(0, false, Shape::default(), Some(directory.clone())).expect("a store");
    let head = "PUT /a/box/sub/m.bin HTTP/1.1\r\nx-ms-blob-type: BlockBlob\r\nx-ms-meta-sha256: abc\r\n";
    exchange(&store, format!("{head}content-length: 11\r\n\r\nhello world").as_bytes());
    let read = |headers: &str| exchange(&store, format!("GET /a/box/sub/m.bin HTTP/1.1\r\n{headers}\r\n").as_bytes());
    let whole = read("");
    assert!(whole.starts_with("HTTP/1.1 200 ") && whole.ends_with("\r\n\r\nhello world"), "{whole}");
    for header in ["range", "x-ms-range"] {
        let part = read(&format!("{header}: bytes=6-8\r\n"));
        assert!(part.starts_with("HTTP/1.1 206 ") && part.ends_with("\r\n\r\nwor"), "{part}");
        assert!(part.contains("content-range: bytes 6-8/11\r\n") && part.contains("x-ms-meta-sha256: abc"), "{part}");
    }
    assert_eq!(status(&read("range: bytes=11-12\r\n")), "416");
    assert_eq!(status(&read("if-match: \"other\"\r\n")), "412");
    let list = get(&store, "?restype=container&comp=list&include=metadata");
    assert!(list.contains("<Metadata><sha256>abc</sha256></Metadata>"), "{list}");
    std::fs::remove_dir_all(directory).expect("removed");
}
