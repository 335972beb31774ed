#!/usr/bin/env bash
# Kills native uploads at many points, and looks at what it costs (tests/e2e/soak.rs), and uploads 20 GB in little memory.
# Takes a quarter of an hour; not part of the gate.
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

# Azurite keeps all it got in memory, and frees none of it.
soak() { # TEST
  start_azurite "$work"
  E2E_AZURITE_URL=$AZURITE_URL cargo test --quiet --locked --features e2e --test e2e -- --ignored --exact --nocapture "soak::$1"
  stop_all
}

soak nothing_that_the_store_took_is_sent_again
soak with_a_sas_that_may_not_read_nothing_recorded_is_sent_again
for ((batch = 0; batch < ${SOAK_BATCHES:-5}; batch++)); do
  soak a_kill_at_any_moment_loses_nothing
done

# The same without Azurite: a store that keeps nothing.
cargo test --quiet --locked --features test-fakes --test it -- --ignored --exact --nocapture \
  native::memory::twenty_gigabytes_take_no_more_memory_than_one
