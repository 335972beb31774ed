#!/usr/bin/env bash
# Runs the commands of tests/it/faults/commands.rs against every fault of the service and of the blob store
# (tests/it/faults.rs), and writes the results to design/faults.md. Takes 10 to 20 minutes on 2 cores; the gate runs a part of it. A run whose fault affects
# no request fails. `ci/faults.sh blob` runs only the blob store's side, and prints its table.
set -euo pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

matrix() {
  cargo test --quiet --locked --features test-fakes --test it -- \
    --ignored --exact --nocapture faults::the_whole_matrix_holds
}

case ${1:-all} in
  all) FAULTS_TABLE=$root/design/faults.md matrix ;;
  blob)
    table=$(mktemp)
    trap 'rm -f "$table"' EXIT
    code=0
    FAULTS_SIDE=blob FAULTS_TABLE=$table matrix || code=$?
    cat "$table"
    exit "$code"
    ;;
  *) die "the only part is blob." ;;
esac
