#!/usr/bin/env bash
# Builds the program for other platforms on Debian 12 with only the package registries, and runs the programs that can
# run here, with the tests: windows/amd64 under Wine, linux/arm64 under QEMU.
#   ci/cross.sh [PLATFORM...]    linux/amd64 linux/arm64 windows/amd64 windows/arm64 darwin/amd64 darwin/arm64; all by default
#   ci/cross.sh linux/amd64-musl for systems without glibc
# The programs for macOS are linked with stubs of Apple's SDK, which no registry has. Logs and tools are in
# target/tools/cross. CROSS_PROFILE=release builds as for a release, JOBS=1 uses only one core, CROSS_TESTS=0 runs
# no tests.
set -euo pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=ci/cross/targets.sh
. "$root/ci/cross/targets.sh"
# shellcheck source=ci/cross/tools.sh
. "$root/ci/cross/tools.sh"
# shellcheck source=ci/cross/smoke.sh
. "$root/ci/cross/smoke.sh"
cd "$root"

finish() {
  stop_all
  rm -rf "${work:-}"
}
trap finish EXIT

all=("${platforms[@]}")
((!$#)) || platforms=("$@")
profile=${CROSS_PROFILE:-dev}
folder=${profile/#dev/debug}
declare -A state=() seconds=() bytes=()
status=0

failed() { # PLATFORM WHAT
  state[$1]+="${state[$1]:+, }FAILED to $2 (see ${cross#"$root/"}/${1/\//-}.log)"
  status=1
}

# Runs a step of a platform: adds its time, and its state if it succeeds.
step() { # PLATFORM VERB STATE COMMAND...
  local from=$SECONDS platform=$1 verb=$2 word=$3 code=0
  shift 3
  "$@" >>"$cross/${platform/\//-}.log" 2>&1 || code=$?
  seconds[$platform]=$((${seconds[$platform]:-0} + SECONDS - from))
  if ((code)); then failed "$platform" "$verb"; else state[$platform]+="${state[$platform]:+, }$word"; fi
  printf '[%5d s, %6d MB] %s: %s\n' $SECONDS "$(du -smc "$cross" "$target" | tail -n 1 | cut -f 1)" "$platform" "${state[$platform]}"
  return $code
}

program_of() { # PLATFORM
  local ending=
  [[ $1 != windows/* ]] || ending=.exe
  echo "$target/$(target_of "$1")/$folder/azure-ai-models$ending"
}

build() { # PLATFORM
  cross_cargo "$1" zigbuild --profile "$profile" --bin azure-ai-models
}

# Runs the tests of the platform: those that need Unix are marked in their source.
run_tests() ( # PLATFORM ARGUMENTS-OF-CARGO...
  platform=$1
  shift
  if [[ $platform == windows/* ]]; then
    prepare_wine
    name=$(target_of "$platform")
    name=${name//-/_}
    declare -x "CARGO_TARGET_${name^^}_RUNNER=env WINEPREFIX=$WINEPREFIX ${wine_settings[*]} /usr/lib/wine/wine64"
  fi
  # As in ci/test.sh: most tests wait.
  RUST_TEST_THREADS=$((3 * $(nproc))) cross_cargo "$platform" test --features test-fakes "$@"
)

for platform in "${platforms[@]}"; do
  [[ $(target_of "$platform") ]] || die "the platform $platform is unknown; known: ${all[*]}."
done
mkdir -p "$cross"
install_tools "${platforms[@]}"
printf '[%5d s, %6d MB] tools\n' $SECONDS "$(du -sm "$cross" | cut -f 1)"

for platform in "${platforms[@]}"; do
  : >"$cross/${platform/\//-}.log"
  [[ $platform != windows/amd64 && $platform != darwin/arm64 ]] || step "$platform" lint "clippy" lint "$platform" || true
  step "$platform" build built build "$platform" || continue
  bytes[$platform]=$(stat --format %s "$(program_of "$platform")")
  step "$platform" "check what it needs" "needs what old systems have" needs "$platform" "$(program_of "$platform")" || true
done

for platform in "${platforms[@]}"; do
  [[ ${bytes[$platform]:-} && $platform != @(windows/arm64|darwin/*) ]] || continue
  [[ ${work:-} ]] || prepare_smoke
  step "$platform" run "runs here" smoke "$platform" "$(program_of "$platform")" || true
done

for platform in "${platforms[@]}"; do
  [[ ${bytes[$platform]:-} && $platform == @(windows/amd64|linux/arm64) && ${CROSS_TESTS:-1} == 1 ]] || continue
  skipped=() chosen=()
  if [[ $platform == linux/arm64 ]]; then
    # Emulation takes ten times as long: without the tests that limit a duration, and with the modules that move
    # content.
    skipped=(--skip masking_takes_linear_time --skip only_the_first_of_many_details_are_kept)
    chosen=(check:: create::transfer download::resume verify::)
  fi
  step "$platform" test "unit tests" run_tests "$platform" --workspace --lib -- "${skipped[@]}" || true
  step "$platform" test "integration tests" run_tests "$platform" --package azure-ai-models --test it -- "${chosen[@]}" || true
done

printf '\n%-14s %8s %11s  %s\n' platform seconds bytes state
for platform in "${platforms[@]}"; do
  printf '%-14s %8s %11s  %s\n' "$platform" "${seconds[$platform]}" "${bytes[$platform]:--}" "${state[$platform]}"
done
printf '%d s in all (%s profile, %s jobs, load %s)\n' $SECONDS "$profile" "${JOBS:-$(nproc)}" "$(cut -d ' ' -f 1-3 /proc/loadavg)"
exit $status
