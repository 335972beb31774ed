#!/usr/bin/env bash
# Runs every command against every fault of the service and of the blob store (tests/it/faults.rs), and writes what
# happened to design/faults.md. Takes about 20 minutes on 2 cores; the gate runs a part of it.
set -euo pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

FAULTS_TABLE=$root/design/faults.md cargo test --quiet --locked --features test-fakes --test it -- \
  --ignored --exact --nocapture faults::the_whole_matrix_holds
