//! Writes man pages and completion scripts below a directory: `cargo run --example pages -- DIRECTORY`. Not part of a
//! release binary.

use std::env;
use std::fs;
use std::io;
use std::path::PathBuf;

use azure_ai_models::testing::{PROGRAM, command};
use clap::ValueEnum;
use clap_complete::Shell;

fn main() -> io::Result<()> {
    let directory =
        env::args_os().nth(1).map(PathBuf::from).ok_or_else(|| io::Error::other("usage: pages DIRECTORY"))?;
    let (man, completions) = (directory.join("man"), directory.join("completions"));
    fs::create_dir_all(&man)?;
    fs::create_dir_all(&completions)?;
    clap_mangen::generate_to(command(), &man)?;
    for &shell in Shell::value_variants() {
        clap_complete::generate_to(shell, &mut command(), PROGRAM, &completions)?;
    }
    Ok(())
}
