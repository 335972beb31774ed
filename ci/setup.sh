#!/usr/bin/env bash
# Installs the tools of the tests and the demo into target/tools: Azurite and AzCopy.
# Runs once; prints nothing if everything is installed. With SETUP_WITHOUT_ROOT=1 the system is not changed, even as
# root.
set -euo pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

npm_dir=$tools/npm
azcopy_binary=$npm_dir/node_modules/@azure-tools/azcopy-linux/dist/bin/azcopy_linux_amd64

# The packages are those of the lock file, and AzCopy runs on this machine.
ready() {
  cmp -s "$root/ci/package-lock.json" "$npm_dir/installed.json" &&
    [[ -x $tools/bin/azurite ]] && "$tools/bin/azcopy" --version >/dev/null 2>&1
}

install_packages() {
  local major
  major=$(node --version)
  major=${major#v}
  ((${major%%.*} >= 20)) || die "Node.js is $(node --version), and Azurite needs 20 or newer."
  rm -f "$npm_dir/installed.json"
  mkdir -p "$npm_dir" "$tools/bin"
  cp "$root/ci/package.json" "$root/ci/package-lock.json" "$root/ci/.npmrc" "$npm_dir/"
  npm ci --prefix "$npm_dir" --ignore-scripts --no-audit --no-fund --no-progress --loglevel=error >/dev/null ||
    die "npm could not install Azurite and AzCopy."
  chmod +x "$azcopy_binary" # the package has it as a plain file
  cat >"$tools/bin/azurite" <<'WRAPPER'
#!/usr/bin/env bash
# Only the blob service.
exec node "$(dirname "$(readlink -f "$0")")/../npm/node_modules/azurite/dist/src/blob/main.js" "$@"
WRAPPER
  chmod +x "$tools/bin/azurite"
  cp "$root/ci/package-lock.json" "$npm_dir/installed.json"
}

azcopy_runs() {
  "$tools/bin/azcopy" --version >/dev/null 2>&1
}

# npm's AzCopy needs libsecret, which is rarely installed on servers.
make_azcopy_run() {
  rm -f "$tools/bin/azcopy"
  ln -s "../npm/${azcopy_binary#"$npm_dir/"}" "$tools/bin/azcopy"
  azcopy_runs && return

  if [[ $EUID == 0 && ${SETUP_WITHOUT_ROOT:-} != 1 ]] && command -v apt-get >/dev/null; then
    local install=(apt-get -qq -o DPkg::Lock::Timeout=120 install -y --no-install-recommends libsecret-1-0)
    export DEBIAN_FRONTEND=noninteractive
    "${install[@]}" >/dev/null 2>&1 || { apt-get -qq update && "${install[@]}"; } >/dev/null || true
    azcopy_runs && return
  fi

  if command -v apt-get >/dev/null && command -v dpkg >/dev/null; then
    local libraries=$tools/libsecret
    rm -rf "$libraries"
    apt_unpack "$libraries" libsecret-1-0 with-dependencies || die "apt-get could not download libsecret-1-0, which AzCopy needs."
    rm -f "$tools/bin/azcopy"
    cat >"$tools/bin/azcopy" <<WRAPPER
#!/usr/bin/env bash
export LD_LIBRARY_PATH="$libraries/usr/lib/x86_64-linux-gnu:$libraries/lib/x86_64-linux-gnu\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
exec "$azcopy_binary" "\$@"
WRAPPER
    chmod +x "$tools/bin/azcopy"
    azcopy_runs && return
  fi

  "$azcopy_binary" --version >/dev/null || true # shows the loader's message
  die "AzCopy does not run here. It needs the library libsecret-1.so.0 (Debian: libsecret-1-0, Fedora: libsecret)."
}

[[ $(uname -sm) == "Linux x86_64" ]] || die "the tests and the demo run on Linux x86-64 only; this is $(uname -sm)."
need node "Node.js 20 or newer"
need npm "Node.js with npm"
need python3 "Python 3"
need cargo "Rust (with rustup)"
need flock "util-linux"
cargo-fmt --version >/dev/null 2>&1 || die "cargo fmt is missing. Install it: rustup component add rustfmt"
cargo-clippy --version >/dev/null 2>&1 || die "cargo clippy is missing. Install it: rustup component add clippy"

ready && exit
lock_tools
ready && exit # installed by another run in the meantime
cmp -s "$root/ci/package-lock.json" "$npm_dir/installed.json" && [[ -x $tools/bin/azurite ]] || install_packages
make_azcopy_run
