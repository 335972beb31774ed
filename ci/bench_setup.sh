#!/usr/bin/env bash
# Installs the tools that ci/bench.sh compares into target/tools: rclone from Debian, azure-storage-blob from PyPI.
# Runs once; prints nothing if everything is installed.
set -euo pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

sdk=azure-storage-blob==12.31.1
venv=$tools/azure-storage-blob

ready() {
  "$tools/bin/rclone" version >/dev/null 2>&1 && [[ -e $venv/installed && $(<"$venv/installed") == "$sdk" ]]
}

ready && exit
lock_tools
ready && exit # installed by another run in the meantime
if ! "$tools/bin/rclone" version >/dev/null 2>&1; then
  if command -v rclone >/dev/null; then
    ln -sf "$(command -v rclone)" "$tools/bin/rclone"
  else
    apt_unpack "$tools/rclone" rclone || die "apt-get could not download rclone."
    ln -sf ../rclone/usr/bin/rclone "$tools/bin/rclone"
  fi
fi
rm -rf "$venv"
python3 -m venv "$venv" || die "Python cannot make a virtual environment (Debian: python3-venv)."
"$venv/bin/pip" install --quiet --disable-pip-version-check "$sdk" || die "pip could not install $sdk."
echo "$sdk" >"$venv/installed"
