//! The store as a program: serves until the end of standard input, then writes its report.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use bench_store::{Shape, Store};
use clap::Parser;

/// A blob store that discards what it receives, for measurements.
///
/// Listens on 127.0.0.1, accepts any SAS, and ends when its standard input does.
#[derive(Debug, Parser)]
#[command(name = "bench-store", version, max_term_width = 100)]
struct Options {
    /// Port; 0 selects a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Use HTTP without TLS
    #[arg(long)]
    plain: bool,
    /// Write its CA certificate to this file, in PEM
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,
    /// Write the URL before /CONTAINER to this file once the store accepts requests
    #[arg(long, value_name = "FILE")]
    url: PathBuf,
    /// Write a report of the received content to this file at the end, as JSON
    #[arg(long, value_name = "FILE")]
    report: PathBuf,

    /// Directory with the content of readable blobs, in files of the same names
    #[arg(long, value_name = "DIR")]
    serve: Option<PathBuf>,

    /// Bytes per second of each connection
    #[arg(long, value_name = "BYTES", help_heading = "Line")]
    connection_rate: Option<u64>,
    /// Bytes per second of all connections together
    #[arg(long, value_name = "BYTES", help_heading = "Line")]
    total_rate: Option<u64>,
    /// Round-trip time in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0, help_heading = "Line")]
    round_trip: u64,
    /// Reset a connection each time all connections together have sent this many bytes
    #[arg(long, value_name = "BYTES", help_heading = "Line")]
    reset_every: Option<u64>,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report_failure(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> io::Result<()> {
    let shape = Shape {
        connection_rate: options.connection_rate,
        total_rate: options.total_rate,
        round_trip: Duration::from_millis(options.round_trip),
        reset_every: options.reset_every,
    };
    let store = Store::start(options.port, !options.plain, shape, options.serve.clone())?;
    if let (Some(file), Some(authority)) = (&options.authority, store.authority()) {
        write_whole(file, authority.as_bytes())?;
    }
    write_whole(&options.url, store.url().as_bytes())?;
    io::stdin().read_to_end(&mut Vec::new())?;
    write_whole(&options.report, &serde_json::to_vec(&store.report())?)
}

/// Writes by renaming, so that a script that waits for the file never reads half of it.
fn write_whole(file: &Path, content: &[u8]) -> io::Result<()> {
    let mut partial = file.as_os_str().to_owned();
    partial.push(".partial");
    std::fs::write(&partial, content)?;
    std::fs::rename(&partial, file)
}

#[expect(clippy::print_stderr, reason = "the one error message of a program that did not start")]
fn report_failure(error: &io::Error) {
    eprintln!("bench-store: {error}");
}
