#!/usr/bin/env bash
# Feeds a million mutated inputs to every parser of external input (the tests named ..._survives_mutation).
#   ci/fuzz.sh [RUNS] [FILTER]
# Failing inputs are stored in tests/fuzz/ and used first from then on, also in `cargo test`.
set -euo pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

# One at a time: memory is measured for the process.
FUZZ_RUNS=${1:-1000000} cargo test --locked --profile fuzz --package azure-ai-models --package azure-ai-models-core --lib -- \
  --test-threads 1 "${2:-survives_mutation}"
