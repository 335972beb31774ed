#!/usr/bin/env bash
# The figures of README's performance section; those of start and of uploads each as a ratio or a difference within one
# run. Not part of the gate: what it measures depends on the machine.
set -euo pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

finish() {
  stop_all
  rm -rf "${work:-}"
}
trap finish EXIT
work=$(mktemp -d)

start_emulator() {
  rm -f "$work/endpoint"
  "$built/debug/foundry-emulator" --port 0 --write-endpoint "$work/endpoint" "$@" >"$work/emulator.log" 2>&1 &
  started+=($!)
  wait_for "The emulator" $! "$work/emulator.log" test -s "$work/endpoint"
}

"$root/ci/setup.sh"
(cd "$root" && cargo build --quiet --locked --release && cargo build --quiet --locked --package foundry-emulator)

echo 'fn main() {}' >"$work/empty.rs"
rustc --edition 2024 -C opt-level=s -C lto=fat -C codegen-units=1 -C strip=symbols -o "$work/empty" "$work/empty.rs"
python3 "$root/ci/bench.py" start "$built/release/azure-ai-models" "$work/empty"

python3 "$root/ci/bench.py" check "$built/release/azure-ai-models" "$work/models"

python3 "$root/ci/bench_list.py" seed "$work/models.json"
start_emulator --page-size 100 --seed "$work/models.json"
python3 "$root/ci/bench_list.py" compare "$built/release/azure-ai-models" "$(<"$work/endpoint")"
stop_all

# Azurite keeps what it got in memory: each upload, or pair of them, gets a new one.
head --bytes "${BENCH_BYTES:-1073741824}" /dev/urandom >"$work/weights.safetensors"
for ((run = 1; run <= ${BENCH_RUNS:-5}; run++)); do
  start_azurite "$work"
  start_emulator --azurite "$AZURITE_URL" --polls 0
  python3 "$root/ci/bench.py" upload "$built/release/azure-ai-models" "$tools/bin/azcopy" "$work/weights.safetensors" \
    "$(<"$work/endpoint")" "$work/uploads.jsonl"
  stop_all
done
python3 "$root/ci/bench.py" summary "$work/uploads.jsonl"
rm "$work/weights.safetensors"

for row in "1 GiB" "64 x 16 MiB" "2,000 x 4 KiB" "adapter"; do
  python3 "$root/ci/bench_engines.py" make "$row" "$work/files"
  for ((run = 1; run <= ${BENCH_RUNS:-3}; run++)); do
    for engine in "azcopy" "native" "native, no hash"; do
      start_azurite "$work"
      start_emulator --azurite "$AZURITE_URL" --polls 0
      python3 "$root/ci/bench_engines.py" run "$row" "$engine" "$built/release/azure-ai-models" "$tools/bin/azcopy" \
        "$work/files" "$(<"$work/endpoint")" "$work/engines.jsonl"
      stop_all
    done
  done
  if [[ $row == "1 GiB" ]]; then
    start_azurite "$work"
    start_emulator --azurite "$AZURITE_URL" --polls 0
    python3 "$root/ci/bench_engines.py" rate "$built/release/azure-ai-models" "$tools/bin/azcopy" "$work/files" "$(<"$work/endpoint")"
    stop_all
  fi
  rm -r "$work/files"
done
python3 "$root/ci/bench_engines.py" summary "$work/engines.jsonl"
