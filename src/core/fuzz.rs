//! Feeds mutated inputs to a function: a few thousand in `cargo test`, a million in `ci/fuzz.sh`. Tests only.
//!
//! An input that makes the function panic or run too long is written to `tests/fuzz/NAME/`, and tried first in later
//! runs.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use fastrand::Rng;

/// Maximum length of an input.
const MAX_LENGTH: usize = 4096;
/// Maximum time for an input, with a margin for other load on the machine.
const LIMIT: Duration = Duration::from_secs(5);
/// Maximum growth of memory over a million runs, in pages of 4 KiB: 32 MiB.
const GROWTH: u64 = 8192;

/// Fragments that are significant to most parsers.
const WORDS: [&[u8]; 28] = [
    b"\"",
    b"'",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"=",
    b"&",
    b"%",
    b"%00",
    b"%25",
    b"/",
    b"../",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff",
    "\u{feff}".as_bytes(),
    "\u{202e}".as_bytes(),
    "\u{1f468}\u{200d}\u{1f469}\u{fe0f}".as_bytes(),
    b"-1",
    b"18446744073709551616",
    b"1e999",
    b"<![CDATA[",
    b"&#0;",
];

/// Runs the target with the kept inputs, the seeds, and their mutations. `FUZZ_RUNS` sets the number of runs.
pub(crate) fn fuzz(name: &str, seeds: &[&[u8]], mut target: impl FnMut(&[u8])) {
    let runs = std::env::var("FUZZ_RUNS").ok().map_or(1000, |runs| runs.parse().expect("a number"));
    let directory =
        PathBuf::from(env!("CARGO_MANIFEST_DIR").trim_end_matches("/src/core")).join("tests/fuzz").join(name);
    let kept = fs::read_dir(&directory).into_iter().flatten();
    let kept: Vec<Vec<u8>> = kept.map(|entry| fs::read(entry.expect("an entry").path()).expect("an input")).collect();
    let mut one = |input: &[u8]| {
        let begun = Instant::now();
        let ended = catch_unwind(AssertUnwindSafe(|| target(input)));
        let took = begun.elapsed();
        if ended.is_err() || took > LIMIT {
            fs::create_dir_all(&directory).expect("a directory");
            let file = directory.join(format!("{:016x}", sum(input)));
            fs::write(&file, input).expect("kept");
            ended.unwrap_or_else(|panic| resume_unwind(panic));
            panic!("{} takes {took:?}", file.display());
        }
    };
    let pool: Vec<&[u8]> = seeds.iter().copied().chain(kept.iter().map(Vec::as_slice)).collect();
    pool.iter().for_each(|input| one(input));
    let mut random = Rng::with_seed(sum(name.as_bytes()) ^ runs);
    let mut settled = None;
    for run in 0..runs {
        let input = mutated(&pool, &mut random);
        one(&input);
        if run == runs / 4 {
            settled = resident();
        }
    }
    if let (Some(settled), Some(now), true) = (settled, resident(), runs >= 100_000) {
        assert!(now < settled + GROWTH, "{name} leaves {} pages behind", now - settled);
    }
}

/// Applies some changes to one of the inputs.
fn mutated(pool: &[&[u8]], random: &mut Rng) -> Vec<u8> {
    let mut input = random.choice(pool).expect("a seed").to_vec();
    for _ in 0..random.usize(1..6) {
        let at = random.usize(0..=input.len());
        let end = random.usize(at..=input.len().min(at + 64));
        match random.u8(0..7) {
            0 if at < input.len() => input[at] ^= 1 << random.u8(0..8),
            1 if at < input.len() => input[at] = random.u8(..),
            2 => drop(input.drain(at..end)),
            3 => drop(input.splice(at..at, random.choice(WORDS).expect("a word").iter().copied())),
            4 => {
                let piece = input[at..end].to_vec();
                let piece = piece.repeat(random.usize(1..8));
                drop(input.splice(at..at, piece));
            }
            5 => {
                let other = random.choice(pool).expect("a seed");
                let from = random.usize(0..=other.len());
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ => input.truncate(end),
        }
    }
    input.truncate(MAX_LENGTH);
    input
}

/// Pages of memory in use, if the system reports them.
fn resident() -> Option<u64> {
    fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()
}

/// FNV-1a hash.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_found_and_its_input_is_kept() {
        let name = "self-test";
        let directory =
            PathBuf::from(env!("CARGO_MANIFEST_DIR").trim_end_matches("/src/core")).join("tests/fuzz").join(name);
        let ended = catch_unwind(|| fuzz(name, &[b"abc"], |input| assert!(!input.contains(&b'{'))));
        let kept = fs::read_dir(&directory).map(Iterator::count).unwrap_or_default();
        drop(fs::remove_dir_all(&directory));
        assert!(ended.is_err());
        assert_eq!(kept, 1);
    }
}
