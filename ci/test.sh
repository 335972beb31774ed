#!/usr/bin/env bash
# Everything that a change must pass. CI runs this and nothing else.
set -euo pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

# Built once: neither incremental compilation nor line tables save time.
export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0

phase=
timings=()

# Runs one part under its name, and records its duration.
phase() { # NAME COMMAND...
  local from=$SECONDS
  phase=$1
  shift
  printf '\n== %s\n' "$phase"
  "$@"
  timings+=("$(printf '%5d s  %s' $((SECONDS - from)) "$phase")")
  phase=
}

finish() {
  local status=$?
  stop_all
  for pid in "${release_build:-}" "${tools_setup:-}"; do
    [[ ! $pid ]] || kill "$pid" 2>/dev/null || true
  done
  rm -rf "${logs:-}"
  ((status == 0)) || printf '\nfailed: %s\n' "${phase:-ci/test.sh}" >&2
}
trap finish EXIT

# Downloads wait for the network while the compiler needs the processor.
start_tools() {
  {
    "$root/ci/setup.sh" && "$root/ci/setup_checks.sh" && "$root/ci/model.sh"
  } >"$logs/tools.log" 2>&1 &
  tools_setup=$!
}

tools_and_model() {
  wait "$tools_setup" || { cat "$logs/tools.log" >&2 && die "the tools could not be installed."; }
  tools_setup=
  cat "$logs/tools.log"
}

versions() {
  local version manifest
  version=$(<version.txt)
  manifest=$(awk '/^\[/ { section = $0 } section == "[workspace.package]" && $1 == "version" { gsub(/"/, "", $3); print $3 }' Cargo.toml)
  [[ $manifest == "$version" ]] || die "version.txt says $version, Cargo.toml says $manifest."
  if [[ -e extension.yaml ]]; then
    manifest=$(sed -nE 's/^version:[[:space:]]*["'\'']?([^"'\''[:space:]]+).*/\1/p' extension.yaml)
    [[ $manifest == "$version" ]] || die "version.txt says $version, extension.yaml says $manifest."
  fi
}

# Cargo with Clippy in place of the compiler for the packages of the workspace: one build is checked and can be run,
# where 'cargo clippy' checks all dependencies again. It sets the same two variables. NICENESS lowers its priority.
linted() { # ARGUMENTS-OF-CARGO...
  RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=-Dwarnings__CLIPPY_HACKERY__ nice -n "${NICENESS:-0}" cargo "$@"
}

build_and_clippy() {
  # A Clippy that no longer supports the second variable would report nothing.
  ! CLIPPY_ARGS=-Dwarnings__CLIPPY_HACKERY__ clippy-driver rustc --crate-type lib --emit metadata --out-dir "$logs" - \
    <<<'pub fn empty(text: &str) -> bool { text.len() == 0 }' 2>"$logs/clippy.log" ||
    die "clippy-driver finds nothing wrong with text.len() == 0: $(<"$logs/clippy.log")"
  linted test --locked --workspace --features e2e --no-run
}

# Takes 40 s if ci/cross.sh has installed its tools; otherwise it would take four minutes (design/platforms.md).
windows() {
  # shellcheck source=ci/cross/targets.sh
  . "$root/ci/cross/targets.sh"
  # shellcheck source=ci/cross/tools.sh
  . "$root/ci/cross/tools.sh"
  if [[ -x $cross/rustc && -x /usr/bin/cargo-clippy ]]; then
    lint windows/amd64
  else
    echo "skipped: ci/cross.sh windows/amd64 installs what this needs"
  fi
}

# The release build is one long link on one core, and most tests wait: run concurrently, both take little more time than
# one of them. Called as by azd's developer tools: commit and date are compiled into the binary.
start_release_build() {
  EXTENSION_ID=azure.ai.models EXTENSION_PLATFORM=linux/amd64 OUTPUT_DIR=$logs/bin ./build.sh >"$logs/release.log" 2>&1 &
  release_build=$!
}

# Each of them is run below by name.
test_targets() {
  cargo metadata --locked --no-deps --format-version 1 | python3 -c '
import json, sys
targets = [target for package in json.load(sys.stdin)["packages"] for target in package["targets"]]
names = {target["name"] for target in targets if "test" in target["kind"]}
assert names == {"it", "azcopy_engine", "e2e"}, f"ci/test.sh does not run all of {names}"'
}

# The tests against the real AzCopy find their servers and files by these names (tests/e2e).
tests() {
  test_targets
  start_release_build
  start_azurite "$logs"
  export E2E_AZURITE_URL=$AZURITE_URL E2E_AZCOPY=$tools/bin/azcopy E2E_MODEL_DIR=$tools/model
  if cargo nextest --version >/dev/null 2>&1; then
    linted nextest run --locked --workspace --features e2e
    linted test --locked --workspace --features e2e --doc
  else
    linted test --locked --workspace --features e2e --lib --bins
    # AzCopy's own timeouts are not scaled: with more concurrent tests its retries miss limits that are. They leave half of
    # the processor to the release build.
    RUST_TEST_THREADS=$((2 * $(nproc))) linted test --locked --workspace --features e2e --test e2e
    # These wait for pauses and responses most of the time: many concurrent tests need little more of the processor. The
    # release build ends with one long link: it keeps a core, or everything would wait for it.
    NICENESS=10 RUST_TEST_THREADS=$((3 * $(nproc))) linted test --no-fail-fast --locked --workspace --features e2e \
      --test it --test azcopy_engine
    linted test --locked --workspace --features e2e --doc
  fi
  stop_all
}

# Licences, bans and oldest Rust of the linked packages, and unused dependencies. Advisories need their database, which
# CI has.
dependencies() {
  cargo metadata --locked --format-version 1 | python3 ci/dependencies.py
}

spelling() {
  "$tools/bin/typos"
}

workflows() {
  if [[ -x $tools/bin/actionlint ]]; then "$tools/bin/actionlint"; else echo "skipped: actionlint is not installed"; fi
}

release() {
  local binary=$logs/bin/azure-ai-models-linux-amd64 limit=$((8 * 1024 * 1024)) size
  wait "$release_build" || { cat "$logs/release.log" >&2 && die "the release build failed."; }
  release_build=
  size=$(stat --format %s "$binary")
  ((size <= limit)) || die "the release binary has $size bytes; the limit is $limit."
  if grep --quiet --text --fixed-strings AZURE_AI_MODELS_TEST_ "$binary"; then
    die "the release binary knows a variable AZURE_AI_MODELS_TEST_..., which is for tests only."
  fi
  echo "release binary: $size bytes"
}

# The packages that azd installs: archive, checksum and registry match, and the packed program runs.
packages() {
  PAGES=$built/debug/examples/pages ci/pack.sh "$logs/bin" "$logs/dist"
  tar -xzf "$logs/dist/azure-ai-models-linux-amd64.tar.gz" -C "$logs/dist"
  cmp "$logs/dist/extension.yaml" extension.yaml
  (cd "$logs/dist" && sha256sum --quiet --check SHA256SUMS)
  (($(wc -l <"$logs/dist/SHA256SUMS") == 2)) || die "SHA256SUMS does not name both archives."
  python3 - "$logs/dist" <<'PYTHON'
import hashlib, json, pathlib, sys
dist = pathlib.Path(sys.argv[1])
extension = json.loads((dist / "registry.json").read_text())["extensions"][0]
version = extension["versions"][0]
artifact = version["artifacts"]["linux/amd64"]
assert hashlib.sha256(pathlib.Path(artifact["url"]).read_bytes()).hexdigest() == artifact["checksum"]["value"]
assert (dist / artifact["entryPoint"]).is_file() and version["capabilities"] == ["custom-commands", "metadata"]
assert len(version["examples"]) == 5 and version["requiredAzdVersion"] == ">= 1.24.0", version
PYTHON
  env -i "$logs/dist/azure-ai-models-linux-amd64" version -o json
  tar -xzf "$logs/dist/azure-ai-models-pages.tar.gz" -C "$logs/dist"
  "$logs/dist/azure-ai-models-linux-amd64" completion bash | cmp - "$logs/dist/completions/azure-ai-models.bash"
  grep -q engine "$logs/dist/man/azure-ai-models-custom-create.1"
}

logs=$(mktemp -d)
start_tools
phase "format" cargo fmt --all --check
phase "versions" versions
phase "dependencies" dependencies
phase "build and clippy" build_and_clippy
phase "clippy for Windows" windows
phase "tools and model" tools_and_model
phase "spelling" spelling
phase "workflows" workflows
phase "tests" tests
phase "release binary" release
phase "packages" packages

printf '\n'
printf '%s\n' "${timings[@]}"
printf '%5d s  in all\n\nall checks passed\n' "$SECONDS"
