#!/usr/bin/env bash
# Records docs/upload.svg: the program on a real terminal, against the Foundry emulator and a store on this machine.
# ci/record.sh [OUTPUT]; needs PyPI once, for pyte.
set -euo pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

finish() {
  stop_all
  rm -rf "${work:-}"
}
trap finish EXIT
output=$(realpath -m "${1:-$root/docs/upload.svg}")
work=$(mktemp -d)

pyte=pyte==0.8.2
venv=$tools/record
if [[ ! -e $venv/installed || $(<"$venv/installed") != "$pyte" ]]; then
  lock_tools
  rm -rf "$venv"
  python3 -m venv "$venv" || die "Python cannot make a virtual environment (Debian: python3-venv)."
  "$venv/bin/pip" install --quiet --disable-pip-version-check "$pyte" || die "pip could not install $pyte."
  echo "$pyte" >"$venv/installed"
fi

(cd "$root" && cargo build --quiet --locked --release && cargo build --quiet --locked --package foundry-emulator --package bench-store)

# The store ends with its standard input.
mkfifo "$work/hold"
exec 8<>"$work/hold"
"$built/debug/bench-store" --plain --round-trip 20 --total-rate 31457280 --url "$work/store" --report "$work/report" <&8 >"$work/store.log" 2>&1 &
started+=($!)
wait_for "The store" $! "$work/store.log" test -s "$work/store"
NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 "$built/debug/foundry-emulator" --port 0 --store "$(<"$work/store")" \
  --write-endpoint "$work/endpoint" >"$work/emulator.log" 2>&1 &
started+=($!)
wait_for "The emulator" $! "$work/emulator.log" test -s "$work/endpoint"

mkdir -p "$work/home" "$work/bin" "$work/demo"
python3 "$root/ci/record_model.py" "$work/demo/my-model"
ln -s "$built/release/azure-ai-models" "$work/bin/azure-ai-models"
cd "$work/demo"
env -i PATH="$work/bin:/usr/bin:/bin" HOME="$work/home" TERM=xterm-256color LANG=C.UTF-8 \
  AZURE_PROJECT_ENDPOINT="$(<"$work/endpoint")" AZURE_AI_MODELS_CREDENTIAL=emulator \
  AZURE_AI_MODELS_ARM_ENDPOINT="$(sed 's|/api/.*||' "$work/endpoint")" \
  "$venv/bin/python" "$root/ci/record.py" "$output"
echo "wrote $output"
