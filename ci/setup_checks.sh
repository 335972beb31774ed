#!/usr/bin/env bash
# Installs the source checkers of ci/test.sh into target/tools: typos from PyPI, and actionlint if Go is installed.
# Runs once; prints nothing if everything is installed.
set -euo pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

typos=typos==1.52.0
actionlint=github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
wanted="$typos $actionlint"
venv=$tools/checks

ready() {
  [[ -e $venv/installed && $(<"$venv/installed") == "$wanted" ]]
}

ready && exit
lock_tools
ready && exit # installed by another run in the meantime
rm -rf "$venv"
mkdir -p "$tools/bin"
python3 -m venv "$venv" || die "Python cannot make a virtual environment (Debian: python3-venv)."
"$venv/bin/pip" install --quiet --disable-pip-version-check "$typos" || die "pip could not install $typos."
ln -sf "$venv/bin/typos" "$tools/bin/typos"
if command -v go >/dev/null; then
  GOBIN=$tools/bin go install "$actionlint" || echo "actionlint could not be installed: workflows are not checked"
fi
echo "$wanted" >"$venv/installed"
