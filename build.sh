#!/usr/bin/env bash
# Builds the extension's binaries as 'azd x build' expects them: OUTPUT_DIR/azure-ai-models-<os>-<arch>[.exe].
# EXTENSION_PLATFORM (for example linux/amd64) names one platform; without it all are built whose tool chain is here, the
# others are listed with the line that installs them, and the exit code is 1 if any is missing.
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

target_of() { # PLATFORM
  case $1 in
    linux/amd64) echo x86_64-unknown-linux-gnu ;;
    linux/arm64) echo aarch64-unknown-linux-gnu ;;
    darwin/amd64) echo x86_64-apple-darwin ;;
    darwin/arm64) echo aarch64-apple-darwin ;;
    windows/amd64) echo x86_64-pc-windows-msvc ;;
    windows/arm64) echo aarch64-pc-windows-msvc ;;
    *)
      printf 'build.sh: the platform %s is unknown; known: linux, darwin, windows with amd64 or arm64.\n' "$1" >&2
      exit 1
      ;;
  esac
}

host=$(rustc -vV | sed -n 's/^host: //p')

# What is missing to build for a target: the line that installs it; nothing where it can be built.
missing() { # TARGET
  [[ $1 == "$host" ]] && return
  if ! command -v rustup >/dev/null; then
    echo "install rustup from https://rustup.rs, then: rustup target add $1"
  elif ! rustup target list --installed | grep -qx "$1"; then
    echo "rustup target add $1"
  elif [[ $1 == *-windows-msvc ]] && ! cargo xwin --version >/dev/null 2>&1 && [[ $host != *windows* ]]; then
    echo "cargo install cargo-xwin"
  elif [[ $1 != *-windows-msvc && ${1#*-} != "${host#*-}" ]] && ! cargo zigbuild --help >/dev/null 2>&1; then
    echo "pip install cargo-zigbuild"
  elif [[ $1 == aarch64-unknown-linux-gnu && $host != aarch64* ]] && ! cargo zigbuild --help >/dev/null 2>&1; then
    echo "pip install cargo-zigbuild"
  fi
}

build() { # PLATFORM TARGET
  local binary=azure-ai-models ending= from
  if [[ $1 == windows/* ]]; then ending=.exe; fi
  if [[ $2 == "$host" ]]; then
    cargo build --release --locked --bin azure-ai-models
    from=${CARGO_TARGET_DIR:-target}/release/$binary$ending
  elif [[ $2 == *-windows-msvc ]]; then
    cargo xwin build --release --locked --bin azure-ai-models --target "$2"
    from=${CARGO_TARGET_DIR:-target}/$2/release/$binary$ending
  else
    cargo zigbuild --release --locked --bin azure-ai-models --target "$2"
    from=${CARGO_TARGET_DIR:-target}/$2/release/$binary$ending
  fi
  cp "$from" "$output/${id//./-}-${1/\//-}$ending"
  printf 'built %s\n' "$output/${id//./-}-${1/\//-}$ending"
}

if [[ -n ${EXTENSION_PLATFORM:-} ]]; then
  target=$(target_of "$EXTENSION_PLATFORM")
  need=$(missing "$target")
  if [[ $need ]]; then
    printf 'build.sh: %s cannot be built here. To change that: %s\n' "$EXTENSION_PLATFORM" "$need" >&2
    exit 1
  fi
  build "$EXTENSION_PLATFORM" "$target"
  exit
fi

status=0
for platform in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64; do
  target=$(target_of "$platform")
  need=$(missing "$target")
  if [[ $need ]]; then
    printf 'not built: %s. To change that: %s\n' "$platform" "$need" >&2
    status=1
  else
    build "$platform" "$target"
  fi
done
exit $status
