#!/usr/bin/env bash
# Changes the source during uploads in 8 ways, suspends the program, and makes its clock jump, with the real AzCopy
# and with the native engine, over the real Azurite (tests/e2e/hostile.rs). Takes about 6 minutes; not part of the gate.
# Full disks are in the gate (tests/it/machine.rs, tests/it/native/faults.rs), kills in ci/soak.sh.
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
[[ -d $tools/faketime ]] || apt_unpack "$tools/faketime" libfaketime
HOSTILE_FAKETIME=$(find "$tools/faketime" -name libfaketime.so.1 | head -n 1)
export HOSTILE_FAKETIME E2E_AZCOPY=$tools/bin/azcopy

for test in a_changed_source_is_registered_with_its_current_files_or_not_at_all an_upload_survives_a_suspended_program \
  an_upload_survives_a_clock_jump; do
  start_azurite "$work"
  E2E_AZURITE_URL=$AZURITE_URL cargo test --quiet --locked --features e2e --test e2e -- --ignored --exact --nocapture "hostile::$test"
  stop_all
done
