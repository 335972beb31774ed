#!/usr/bin/env bash
# Profiles an upload with the native engine to the store of ci/bench.sh: CPU time by thread and by function. Needs perf
# (Debian: linux-perf).
#
#   ci/profile.sh [FILES] [MIB]     number and size of the files (default: one of 1024); --no-hash: PROFILE_OPTIONS
set -euo pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need perf "linux-perf"
files=${1:-1} mib=${2:-1024}
work=$(mktemp -d)
finish() {
  stop_all
  rm -rf "$work"
}
trap finish EXIT

cd "$root"
cargo build --quiet --locked --profile profiling
cargo build --quiet --locked --profile servers --package bench-store --package foundry-emulator

mkdir "$work/model"
for ((number = 1; number <= files; number++)); do
  head --bytes "$((mib * 1024 * 1024))" /dev/urandom >"$work/model/part-$number.safetensors"
done

mkfifo "$work/hold"
"$built/servers/bench-store" --url "$work/url" --authority "$work/authority.pem" --report "$work/report.json" <"$work/hold" &
started+=($!)
exec 7>"$work/hold"
wait_for "The store" $! /dev/null test -s "$work/url"
"$built/servers/foundry-emulator" --port 0 --polls 0 --store "$(<"$work/url")" --write-endpoint "$work/endpoint" >/dev/null &
started+=($!)
wait_for "The emulator" $! /dev/null test -s "$work/endpoint"

export SSL_CERT_FILE=$work/authority.pem AZURE_AI_MODELS_CREDENTIAL=emulator HOME=$work
AZURE_PROJECT_ENDPOINT=$(<"$work/endpoint")
export AZURE_PROJECT_ENDPOINT
# Split on purpose: there may be several options.
# shellcheck disable=SC2086
perf record --quiet --freq 997 --call-graph fp --output "$work/perf.data" \
  "$built/profiling/azure-ai-models" custom create --name profile --source "$work/model" --skip-check --engine native \
  --quiet ${PROFILE_OPTIONS:-} >/dev/null
report() {
  perf report --input "$work/perf.data" --no-children --call-graph none --percent-limit 1 --stdio "$@" 2>/dev/null | grep -E '^ +[0-9]'
}
echo "By thread:"
report --sort tid
echo "By function:"
report --sort symbol
