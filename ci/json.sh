#!/usr/bin/env bash
# Compares which documents the model check reads with those that Python's json reads, over random ones:
#   ci/json.sh [COUNT] [SEED]      default: 20000 documents
#   ci/json.sh --keep              writes the documents that the tests keep
set -euo pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
need python3 "Python 3"

if [[ ${1:-} == --keep ]]; then
  python3 ci/json_documents.py 600 1 >tests/data/json.jsonl
  exit
fi
documents=$(mktemp)
trap 'rm -f "$documents"' EXIT
python3 ci/json_documents.py "${1:-20000}" "${2:-1}" >"$documents"
JSON_DOCUMENTS=$documents core_test a_document_is_accepted_exactly_if_pythons_json_accepts_it
