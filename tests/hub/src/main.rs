//! The Hub as a program: starts one, prints the variables to set, and runs until it is stopped.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use fake_hub::{Config, FakeHub, Fault, Gate, RepoConfig};

/// A model hub of this machine, to try, test and script imports without Hugging Face.
///
/// Listens on 127.0.0.1 only. Clients use it with HF_ENDPOINT, or, by the public names, with HTTPS_PROXY and the
/// certificate of its authority.
#[derive(Debug, Parser)]
#[command(name = "fake-hub", version, max_term_width = 100, after_help = EXAMPLES)]
struct Options {
    /// Port; 0 is a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// A repository made of a directory: NAMESPACE/NAME=DIRECTORY; can be repeated
    #[arg(long, value_name = "ID=DIRECTORY", value_parser = read_repo)]
    repo: Vec<RepoConfig>,
    /// Speak TLS on both origins
    #[arg(long)]
    tls: bool,
    /// Write the endpoint into this file as soon as requests are answered
    #[arg(long, value_name = "FILE")]
    write_endpoint: Option<PathBuf>,
    /// Write the certificate of its authority into this file, in PEM
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,
    /// Write the URL of its proxy into this file
    #[arg(long, value_name = "FILE")]
    write_proxy: Option<PathBuf>,
    /// Fault from the start: ROUTE:KIND[=VALUE][,KEY=VALUE]...; can be repeated
    #[arg(long, value_name = "FAULT")]
    fault: Vec<Fault>,

    /// Accept this token only
    #[arg(long, value_name = "TOKEN", help_heading = "Access")]
    token: Option<String>,
    /// Only the token's owner sees the repositories
    #[arg(long, help_heading = "Access")]
    private: bool,
    /// The repositories have terms
    #[arg(long, help_heading = "Access")]
    gated: bool,
    /// The token's owner has not accepted them
    #[arg(long, help_heading = "Access")]
    no_gated_access: bool,

    /// Seconds until a signed URL ends
    #[arg(long, value_name = "N", default_value_t = 3600, help_heading = "CDN")]
    signed_seconds: u64,
    /// Refuse all URLs signed before after each so-manyth request
    #[arg(long, value_name = "N", help_heading = "CDN")]
    revoke_every: Option<u64>,
    /// Bytes per second of all connections together
    #[arg(long, value_name = "BYTES", help_heading = "CDN")]
    rate: Option<u64>,
    /// Entries of a page of files
    #[arg(long, value_name = "N", default_value_t = 1000, help_heading = "CDN")]
    page_size: usize,
}

const EXAMPLES: &str = "\
Examples:
  fake-hub --repo org/model=./model
  fake-hub --repo org/model=./model --fault cdn:short,count=2 --signed-seconds 5

Routes of faults:
  any, revision, tree, resolve, file, cdn
Kinds:
  status=N (with code=, message=, retryAfter=SECONDS), rateLimit=SECONDS, stall, hang, cut, ignoreRange, short, empty,
  otherRange, invalidRange, expired, flip, delay=MS, otherCommit, otherSize, otherSum, leave, loop, html
Keys:
  count=N, skip=N, path=FILE
Control, by requests to the endpoint:
  GET /_fake/record; POST /_fake/fault with a fault; POST /_fake/forget, /_fake/revoke, /_fake/clear";

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
    let hub = FakeHub::start(options.config())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Listening before the endpoint is published, so that no signal has the default action.
        let told_to_end = told_to_end()?;
        let proxy = hub.proxy();
        let texts = [(&options.authority, hub.authority()), (&options.write_proxy, proxy.as_str())];
        for (file, text) in texts.into_iter().chain([(&options.write_endpoint, hub.endpoint())]) {
            if let Some(file) = file {
                write_whole(file, text)?;
            }
        }
        print_endpoint(hub.endpoint());
        told_to_end.await;
        Ok(())
    })
}

impl Options {
    fn config(&self) -> Config {
        let repo = |repo: &RepoConfig| RepoConfig {
            is_private: self.private,
            gate: if self.gated { Gate::Manual } else { Gate::Open },
            ..repo.clone()
        };
        Config {
            port: self.port,
            tls: self.tls,
            repos: self.repo.iter().map(repo).collect(),
            token: self.token.clone(),
            has_gated_access: !self.no_gated_access,
            signed_seconds: self.signed_seconds,
            revoke_every: self.revoke_every,
            page_size: self.page_size,
            rate: self.rate,
            faults: self.fault.clone(),
            ..Config::default()
        }
    }
}

fn read_repo(text: &str) -> Result<RepoConfig, String> {
    let (id, directory) = text.split_once('=').ok_or("expected NAMESPACE/NAME=DIRECTORY")?;
    Ok(RepoConfig::new(id, directory))
}

/// Writes by renaming, so that a script that waits for the file never reads half of it.
fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let mut partial = file.as_os_str().to_owned();
    partial.push(".partial");
    std::fs::write(&partial, text)?;
    std::fs::rename(&partial, file)
}

#[cfg(unix)]
fn told_to_end() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(windows)]
fn told_to_end() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}

#[expect(clippy::print_stdout, reason = "the program's output: what a person or a script sets")]
fn print_endpoint(endpoint: &str) {
    println!("HF_ENDPOINT={endpoint}");
    println!("ready");
}

#[expect(clippy::print_stderr, reason = "the one error message of a program that did not start")]
fn report_failure(error: &io::Error) {
    eprintln!("fake-hub: {error}");
}
