#!/usr/bin/env bash
# Kills 200 native uploads and 100 uploads by AzCopy at random points and measures the bytes sent again, and uploads 20
# GB with limited memory (tests/e2e/soak.rs and crash.rs). Takes half an hour; not part of the gate.
set -euo pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

finish() {
  stop_all
  rm -rf "${work:-}"
}
trap finish EXIT
work=$(mktemp -d)

ci/setup.sh
export E2E_AZCOPY=$tools/bin/azcopy

# Azurite keeps all content in memory, and never frees it.
soak() { # TEST
  start_azurite "$work"
  E2E_AZURITE_URL=$AZURITE_URL cargo test --quiet --locked --features e2e --test e2e -- --ignored --exact --nocapture "$1"
  stop_all
}

soak soak::no_acknowledged_block_is_sent_again
soak soak::no_recorded_block_is_sent_again_with_a_write_only_sas
for ((batch = 0; batch < ${SOAK_BATCHES:-10}; batch++)); do
  soak soak::a_kill_at_any_moment_loses_no_acknowledged_block
done
soak crash::a_hundred_kills_at_random_points_lose_nothing

# Without Azurite: a store that discards its content.
cargo test --quiet --locked --features test-fakes --test it -- --ignored --exact --nocapture \
  native::memory::twenty_gigabytes_use_no_more_memory_than_one
