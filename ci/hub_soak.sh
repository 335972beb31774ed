#!/usr/bin/env bash
# Kills imports from a local model hub at 150 random points, 50 of them with signed URLs that expire during the import
# (tests/it/import/soak.rs). Takes minutes; not part of the gate.
set -euo pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

soak() { # TEST
  cargo test --quiet --locked --features test-fakes --test it -- --ignored --exact --nocapture "import::soak::$1"
}

soak hundred_kills_at_random_points_lose_nothing
soak fifty_kills_with_expiring_urls_lose_nothing
