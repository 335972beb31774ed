# shellcheck shell=bash
# Sourced by ci/cross.sh after ci/lib.sh and targets.sh: installs compiler, linker, Wine and QEMU, and defines how each
# platform is built.
# Everything comes from Debian (12) and PyPI; kept in target/tools/cross.

cross=$tools/cross
target=${CARGO_TARGET_DIR:-$root/target}/cross

# Debian's Rust, whose sources and libraries are packages too; rustup would need access to another server.
install_debian() { # PACKAGE...
  local package missing=()
  for package in "$@"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  [[ $EUID == 0 ]] || die "these packages are missing: apt-get install --no-install-recommends ${missing[*]}"
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends \
    "${missing[@]}" >"$cross/apt.log" 2>&1 || { cat "$cross/apt.log" >&2 && die "apt-get could not install ${missing[*]}."; }
}

install_zig() {
  local requirements=$root/ci/cross/requirements.txt
  cmp -s "$requirements" "$cross/venv/installed.txt" && return
  rm -rf "$cross/venv"
  python3 -m venv "$cross/venv" || die "Python has no venv (Debian: python3-venv)."
  "$cross/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" ||
    die "pip could not install what $requirements lists."
  cp "$requirements" "$cross/venv/installed.txt"
}

# The standard library for arm64 is the package of another architecture. Unpacked, since dpkg would require its libc;
# QEMU runs the program with that libc.
unpack_arm64() {
  local version state=$cross/apt deb
  version=$(dpkg-query --show --showformat '${Version}' rustc-web)
  [[ -e $cross/arm64/installed && $(<"$cross/arm64/installed") == "$version" ]] && return
  rm -rf "$cross/arm64" "$state"
  mkdir -p "$cross/arm64" "$state/lists/partial" "$state/cache/archives/partial" "$state/debs"
  local options=(-qq -o "Dir::State::lists=$state/lists" -o "Dir::Cache=$state/cache" -o Debug::NoLocking=1
    -o APT::Sandbox::User=root -o 'APT::Architectures::=amd64' -o 'APT::Architectures::=arm64')
  apt-get "${options[@]}" update || die "apt-get could not read the lists of arm64."
  (cd "$state/debs" && apt-get "${options[@]}" download "libstd-rust-web-dev:arm64=$version" libc6:arm64 libgcc-s1:arm64) ||
    die "apt-get could not download the standard library for arm64."
  for deb in "$state"/debs/*.deb; do
    dpkg -x "$deb" "$cross/arm64"
  done
  rm -rf "$state"
  echo "$version" >"$cross/arm64/installed"
}

# One sysroot of all standard libraries, and a compiler that uses it. Perl, since a shell drops variables whose names it
# does not allow, such as CARGO_BIN_EXE_azure-ai-models.
make_sysroot() {
  local part
  rm -rf "$cross/sysroot"
  mkdir -p "$cross/sysroot/lib/rustlib"
  for part in /usr/lib/rustlib/* "$cross"/arm64/usr/lib/rustlib/*; do
    [[ ! -e $part ]] || ln -s "$part" "$cross/sysroot/lib/rustlib/"
  done
  cat >"$cross/rustc.new" <<WRAPPER
#!/usr/bin/perl
exec '/usr/bin/rustc', '--sysroot', '$cross/sysroot', @ARGV;
WRAPPER
  chmod +x "$cross/rustc.new"
  # An unchanged file keeps its time; otherwise cargo would rebuild everything.
  if cmp -s "$cross/rustc.new" "$cross/rustc"; then rm "$cross/rustc.new"; else mv "$cross/rustc.new" "$cross/rustc"; fi
}

# No registry has Apple's SDK, and Zig has the system's library without the frameworks. A linker reads only stubs that
# list the symbols that the program requires.
make_frameworks() {
  local framework directory symbols
  rm -rf "$cross/macos"
  for framework in CoreFoundation Security SystemConfiguration; do
    directory=$cross/macos/System/Library/Frameworks/$framework.framework
    symbols=$(awk -v framework=$framework '$1 == framework { printf "%s%s", separator, $2; separator = ", " }' \
      "$root/ci/cross/macos_symbols.txt")
    mkdir -p "$directory"
    cat >"$directory/$framework.tbd" <<TBD
--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
install-name: '/System/Library/Frameworks/$framework.framework/Versions/A/$framework'
exports:
  - targets: [ x86_64-macos, arm64-macos ]
    symbols: [ $symbols ]
...
TBD
  done
  # The compiler runs it for macOS. A program that keeps its symbols is sufficient here.
  mkdir -p "$cross/bin"
  printf '#!/bin/sh\nexit 0\n' >"$cross/bin/rust-objcopy"
  chmod +x "$cross/bin/rust-objcopy"
}

install_tools() { # PLATFORM...
  local packages=(rustc-web cargo-web rust-web-src rust-web-clippy)
  [[ " $* " != *" windows/amd64 "* ]] || packages+=(wine64)
  [[ " $* " != *" linux/arm64 "* ]] || packages+=(qemu-user)
  mkdir -p "$cross" "$target"
  lock_tools
  install_debian "${packages[@]}"
  install_zig
  [[ " $* " != *" linux/arm64 "* ]] || { unpack_arm64 && register_arm64; }
  make_sysroot
  make_frameworks
  exec 9>&-
}

zig_directory() {
  echo "$cross"/venv/lib/python3*/site-packages/ziglang
}

# Registers QEMU with the kernel, so that programs for arm64 also start from a test or a program. Lost at the next start
# of the machine.
register_arm64() {
  local directory=/proc/sys/fs/binfmt_misc
  local magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  local mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  [[ $EUID == 0 ]] || die "only root can register QEMU for programs of arm64."
  mkdir -p /etc/qemu-binfmt
  ln -sfn "$cross/arm64" /etc/qemu-binfmt/aarch64
  [[ -e $directory/register ]] || mount -t binfmt_misc binfmt_misc "$directory" ||
    die "the kernel does not register programs of another processor."
  [[ -e $directory/qemu-aarch64 ]] || printf ':qemu-aarch64:M::%s:%s:/usr/bin/qemu-aarch64:' "$magic" "$mask" >"$directory/register"
}

# check_needs of targets.sh, with the reader of Windows programs.
needs() { # PLATFORM PROGRAM
  PATH="$cross/venv/bin:$PATH" check_needs "$@"
}

# cargo with Debian's compiler and Zig as the linker. RUSTC_BOOTSTRAP: the standard library is built along where no
# package has it. Debian's Rust has no start files for musl either; Zig has them.
cross_cargo() { # PLATFORM COMMAND ARGUMENTS...
  local platform=$1 command=$2 own_std=() macos=()
  shift 2
  [[ $platform == linux/amd64 || $platform == linux/arm64 ]] || own_std=(-Zbuild-std=std,panic_abort,panic_unwind)
  [[ $platform != darwin/* ]] || macos=(SDKROOT="$cross/macos" MACOSX_DEPLOYMENT_TARGET="$(oldest_macos "$platform")")
  env "${macos[@]}" PATH="/usr/bin:$cross/venv/bin:$cross/bin:$(zig_directory):$PATH" \
    RUSTC="$cross/rustc" SYSROOT="$cross/sysroot" RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$target" CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0 \
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS='-C link-self-contained=no' \
    cargo-zigbuild "$command" --jobs "${JOBS:-$(nproc)}" --locked --target "$(linked_target_of "$platform")" "${own_std[@]}" "$@"
}

# Clippy, which checks types too, for the program and its tests.
lint() { # PLATFORM
  cross_cargo "$1" clippy --workspace --all-targets --features e2e -- -D warnings
}
