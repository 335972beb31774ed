#!/usr/bin/env bash
# Compares the speed of the program with AzCopy, rclone and azure-storage-blob, over TLS to a fast store and on slow
# lines. Prints tables in Markdown; exit code 1 if a limit is missed. Not part of the gate: the results depend on the
# machine. How to read them: design/performance.md.
#
#   ci/bench.sh                     all rows, under 40 minutes on 2 cores
#   ci/bench.sh quick               under 5 minutes: fewer rounds, without the largest rows
#   ci/bench.sh [quick] ROW...      these rows
#   ci/bench.sh table               stored results of the last run of each row of this program
#   --write FILE                    also put the tables into FILE
#
# BENCH_BINARY: the program to measure, instead of the release build of this tree. BENCH_BASELINE: another one, measured
# for comparison ("before").
set -euo pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need curl "curl"
results=$built/bench
mkdir -p "$results"
"$root/ci/setup.sh"
"$root/ci/bench_setup.sh"
if [[ ! ${BENCH_BINARY:-} ]]; then
  (cd "$root" && cargo build --quiet --locked --release)
  export BENCH_BINARY=$built/release/azure-ai-models
fi
(cd "$root" && cargo build --quiet --locked --profile servers --package bench-store --package foundry-emulator)

export BENCH_SERVERS=$built/servers BENCH_EMPTY=$results/empty
export BENCH_AZCOPY=$tools/bin/azcopy BENCH_RCLONE=$tools/bin/rclone BENCH_PYTHON=$tools/azure-storage-blob/bin/python
echo 'fn main() {}' >"$results/empty.rs"
rustc --edition 2024 -C opt-level=s -C lto=fat -C codegen-units=1 -C strip=symbols -o "$BENCH_EMPTY" "$results/empty.rs"

python3 "$root/ci/bench.py" "$results" "$@"
