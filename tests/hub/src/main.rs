//! The Hub as a program: starts it, prints the variables to set, and runs until it is stopped.

#[path = "../../support/program.rs"]
mod program;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use fake_hub::{Config, FakeHub, Fault, Gate, RepoConfig};

use crate::program::{stop_signal, write_whole};

/// A local model hub for trying, testing and scripting imports without Hugging Face.
///
/// Listens on 127.0.0.1 only. Clients use it with HF_ENDPOINT, or, by the public names, with HTTPS_PROXY and its CA
/// certificate.
#[derive(Debug, Parser)]
#[command(name = "fake-hub", version, max_term_width = 100, after_help = EXAMPLES)]
struct Options {
    /// Port; 0 selects a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Repository with the files of a directory: NAMESPACE/NAME=DIRECTORY; can be repeated
    #[arg(long, value_name = "ID=DIRECTORY", value_parser = read_repo)]
    repo: Vec<RepoConfig>,
    /// Use TLS on both origins
    #[arg(long)]
    tls: bool,
    /// Write the endpoint to this file once the Hub accepts requests
    #[arg(long, value_name = "FILE")]
    write_endpoint: Option<PathBuf>,
    /// Write its CA certificate to this file, in PEM
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,
    /// Write the URL of its proxy to this file
    #[arg(long, value_name = "FILE")]
    write_proxy: Option<PathBuf>,
    /// Fault to inject: ROUTE:KIND[=VALUE][,KEY=VALUE]...; can be repeated
    #[arg(long, value_name = "FAULT")]
    fault: Vec<Fault>,

    /// Accept this token only
    #[arg(long, value_name = "TOKEN", help_heading = "Access")]
    token: Option<String>,
    /// Make the repositories visible only with the token
    #[arg(long, help_heading = "Access")]
    private: bool,
    /// Require acceptance of terms for the repositories
    #[arg(long, help_heading = "Access")]
    gated: bool,
    /// Emulate a token whose owner has not accepted the terms
    #[arg(long, help_heading = "Access")]
    no_gated_access: bool,

    /// Seconds until a signed URL expires
    #[arg(long, value_name = "N", default_value_t = 3600, help_heading = "CDN")]
    signed_seconds: u64,
    /// After every N requests, reject all URLs signed before
    #[arg(long, value_name = "N", help_heading = "CDN")]
    revoke_every: Option<u64>,
    /// Bytes per second of all connections together
    #[arg(long, value_name = "BYTES", help_heading = "CDN")]
    rate: Option<u64>,
    /// Files per page
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
        let stop_signal = stop_signal()?;
        let proxy = hub.proxy();
        let texts = [(&options.authority, hub.authority()), (&options.write_proxy, proxy.as_str())];
        for (file, text) in texts.into_iter().chain([(&options.write_endpoint, hub.endpoint())]) {
            if let Some(file) = file {
                write_whole(file, text)?;
            }
        }
        print_endpoint(hub.endpoint());
        stop_signal.await;
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

#[expect(clippy::print_stdout, reason = "the program's output: variables for a user or a script")]
fn print_endpoint(endpoint: &str) {
    println!("HF_ENDPOINT={endpoint}");
    println!("ready");
}

#[expect(clippy::print_stderr, reason = "the one error message of a program that did not start")]
fn report_failure(error: &io::Error) {
    eprintln!("fake-hub: {error}");
}
