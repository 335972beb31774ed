#!/usr/bin/env bash
# Compares the names that the program finds in a .env file with those of azd's own reader, over random files:
#   ci/dotenv.sh [COUNT] [SEED]      default: 200000 files
#   ci/dotenv.sh --keep              writes the files that the tests keep
# Needs Go, which ci/test.sh does not.
set -euo pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
need go "Go 1.24 or newer"

generate() { (cd ci/dotenv && go run . "$@"); }

if [[ ${1:-} == --keep ]]; then
  generate 1000 1 >tests/data/dotenv.jsonl
  exit
fi
cases=$(mktemp)
trap 'rm -f "$cases"' EXIT
generate "${1:-200000}" "${2:-1}" >"$cases"
DOTENV_CASES=$cases core_test no_name_that_azd_sees_is_missed
