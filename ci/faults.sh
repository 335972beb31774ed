#!/usr/bin/env bash
# Runs the commands of tests/it/faults/commands.rs against every fault of the service and of the blob store
# (tests/it/faults.rs). A run whose fault affects no request fails. The gate runs a part of it.
#   ci/faults.sh           all, and writes design/faults.md; up to 40 minutes on 2 cores
#   ci/faults.sh blob      the blob store's side; prints its table
#   ci/faults.sh COMMAND   the commands of the matrix whose names begin with this, such as 'deployments'; prints their table
set -euo pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

matrix() {
  cargo test --quiet --locked --features test-fakes --test it -- \
    --ignored --exact --nocapture faults::all_cases_pass
}

case ${1:-all} in
  all) FAULTS_TABLE=$root/design/faults.md matrix ;;
  *)
    if [[ $1 == blob ]]; then export FAULTS_SIDE=blob; else export FAULTS_COMMAND=$1; fi
    table=$(mktemp)
    trap 'rm -f "$table"' EXIT
    code=0
    FAULTS_TABLE=$table matrix || code=$?
    cat "$table"
    exit "$code"
    ;;
esac
