#!/usr/bin/env bash
# Builds the extension's binaries as 'azd x build' expects them: OUTPUT_DIR/azure-ai-models-<os>-<arch>[.exe].
# EXTENSION_PLATFORM (for example linux/amd64) names one platform; without it, all platforms with an installed tool
# chain are built, the others are listed with the line that installs them, and the exit code is 1 if any is missing.
# Releases run on old systems (design/platforms.md), for which Zig links them. Without Zig, the platform of this machine
# is built for this machine; RELEASE=1 makes that an error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

output=${OUTPUT_DIR:-bin}
id=${EXTENSION_ID:-azure.ai.models}
version=$(<version.txt)
if [[ ${EXTENSION_VERSION:-$version} != "$version" ]]; then
  printf 'build.sh: EXTENSION_VERSION is %s, version.txt says %s.\n' "$EXTENSION_VERSION" "$version" >&2
  exit 1
fi
AZURE_AI_MODELS_COMMIT=$(git rev-parse HEAD 2>/dev/null || echo unknown)
AZURE_AI_MODELS_BUILD_DATE=$(date -u +%Y-%m-%dT%H:%M:%SZ)
export AZURE_AI_MODELS_COMMIT AZURE_AI_MODELS_BUILD_DATE
mkdir -p "$output"

# shellcheck source=ci/cross/targets.sh
. ci/cross/targets.sh

host=$(rustc -vV | sed -n 's/^host: //p')
host_platform() {
  local system architecture
  case $host in *-linux-*) system=linux ;; *-apple-darwin) system=darwin ;; *-windows-*) system=windows ;; *) system=other ;; esac
  case $host in x86_64-*) architecture=amd64 ;; aarch64-*) architecture=arm64 ;; *) architecture=other ;; esac
  echo "$system/$architecture"
}

# Prints the line that installs what is missing to build a platform as it is released; nothing if it can be built.
missing() { # PLATFORM
  local target
  target=$(target_of "$1")
  if [[ $1 == darwin/* && $host != *-apple-darwin ]]; then
    echo "run it on macOS, which has Apple's SDK"
  elif ! command -v rustup >/dev/null; then
    [[ $target == "$host" && $1 == darwin/* ]] || echo "install rustup from https://rustup.rs, then: rustup target add $target"
  elif ! rustup target list --installed | grep -qx "$target"; then
    echo "rustup target add $target"
  elif [[ $1 != darwin/* ]] && ! cargo zigbuild --help >/dev/null 2>&1; then
    echo "pip install --requirement ci/cross/requirements.txt"
  fi
}

build() { # PLATFORM
  local binary=azure-ai-models target ending= need from command=zigbuild built=${CARGO_TARGET_DIR:-target}
  target=$(target_of "$1")
  need=$(missing "$1")
  [[ $1 != windows/* ]] || ending=.exe
  [[ $1 != darwin/* ]] || command=build
  if [[ ! $need ]]; then
    cargo "$command" --release --locked --bin "$binary" --target "$(linked_target_of "$1")" || return
    from=$built/$target/release/$binary$ending
  elif [[ $1 == "$(host_platform)" && ! ${RELEASE:-} ]]; then
    cargo build --release --locked --bin "$binary" || return
    from=$built/release/$binary$ending
    printf '%s is built for this machine. As it is released: %s\n' "$1" "$need"
  else
    printf 'not built: %s. To change that: %s\n' "$1" "$need" >&2
    return 1
  fi
  cp "$from" "$output/${id//./-}-${1/\//-}$ending"
  printf 'built %s\n' "$output/${id//./-}-${1/\//-}$ending"
}

if [[ -n ${EXTENSION_PLATFORM:-} ]]; then
  if [[ ! $(target_of "$EXTENSION_PLATFORM") ]]; then
    printf 'build.sh: the platform %s is unknown; known: %s.\n' "$EXTENSION_PLATFORM" "${platforms[*]}" >&2
    exit 1
  fi
  build "$EXTENSION_PLATFORM"
  exit
fi

status=0
for platform in "${platforms[@]}"; do
  build "$platform" || status=1
done
exit $status
