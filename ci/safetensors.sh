#!/usr/bin/env bash
# Compares the findings of 'custom check' on safetensors files with those of the Python package, over random ones:
#   ci/safetensors.sh [COUNT] [SEED]      default: 2000 files
# Needs PyPI the first time; the package stays under target/tools.
set -euo pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
need python3 "Python 3"

packages=(safetensors==0.8.0 numpy==2.3.5)
venv=$tools/safetensors
if [[ "$(cat "$venv/installed" 2>/dev/null)" != "${packages[*]}" ]]; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"
  echo "${packages[*]}" >"$venv/installed"
fi
cargo build --quiet --locked
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$venv/bin/python" ci/safetensors_files.py "$built/debug/azure-ai-models" "$work" "${1:-2000}" "${2:-1}"
