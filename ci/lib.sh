# shellcheck shell=bash
# Sourced by the other scripts: paths, and starting and stopping the servers that replace Azure.
# CI_TOOLS sets another directory for the tools (an absolute path; default: target/tools).

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools=${CI_TOOLS:-$root/target/tools}
# The other scripts use it.
# shellcheck disable=SC2034
built=${CARGO_TARGET_DIR:-$root/target}

die() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  exit 1
}

need() { # PROGRAM WHERE-FROM
  command -v "$1" >/dev/null || die "$1 is missing. Install $2 and run again."
}

# Runs one unit test of the core. A name that no test has would pass otherwise.
core_test() { # NAME
  cargo test --locked --quiet --package azure-ai-models-core --lib -- --nocapture "$1" |
    tee /dev/stderr | grep 'test result: ok. 1 passed' >/dev/null || die "the test $1 failed, or does not exist."
}

# Waits for any other run that installs tools; the lock ends with this process.
lock_tools() {
  mkdir -p "$tools"
  exec 9>"$tools/.lock"
  flock 9
}

# Installs a Debian package without root: downloads it, optionally with its dependencies, and unpacks it under DIR.
apt_unpack() { # DIR PACKAGE [with-dependencies]
  local dir=$1 packages=("$2") state=$tools/apt deb
  mkdir -p "$dir" "$state/lists/partial" "$state/cache/archives/partial" "$state/debs"
  local options=(-qq -o "Dir::State::lists=$state/lists" -o "Dir::Cache=$state/cache" -o Debug::NoLocking=1 -o APT::Sandbox::User=root)
  # The log is for a failure only: the system's own hooks may complain that we are not root.
  apt-get "${options[@]}" update 2>"$state/log" || { cat "$state/log" >&2 && return 1; }
  if [[ ${3:-} ]]; then
    # Without packages that every system has and must not be duplicated.
    mapfile -t packages < <(
      apt-cache "${options[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$2" |
        grep -E '^[a-z0-9]' | grep -vE '^(libc6|libc-bin|libgcc-s1|gcc-[0-9]+-base|libcrypt1|debconf)$' | sort -u
    )
    ((${#packages[@]})) || return
  fi
  (cd "$state/debs" && apt-get "${options[@]}" download "${packages[@]}") || return
  for deb in "$state"/debs/*.deb; do
    dpkg -x "$deb" "$dir" || return
  done
  rm -rf "$state"
}

started=()

# Stops the servers of this script, in reverse order. Safe to call twice.
stop_all() {
  local index pid
  for ((index = ${#started[@]} - 1; index >= 0; index--)); do
    pid=${started[index]}
    kill "$pid" 2>/dev/null || continue
    for ((try = 0; try < 50; try++)); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  started=()
}

# A signal becomes an exit, so that the EXIT trap stops the servers.
trap stop_all EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Waits up to 60 s, enough for a loaded machine, until the command after LOG succeeds, or prints the log of process PID.
wait_for() { # WHAT PID LOG COMMAND...
  local what=$1 pid=$2 log=$3
  shift 3
  for ((try = 0; try < 600; try++)); do
    "$@" && return
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  sed "s/^/  $what: /" "$log" >&2
  die "$what did not start."
}

azurite_answers() { # LOG
  AZURITE_URL=$(sed -n 's|.*successfully listens on \(http://127\.0\.0\.1:[0-9]*\).*|\1|p' "$1")
  [[ $AZURITE_URL ]] && (exec 3<>"/dev/tcp/127.0.0.1/${AZURITE_URL##*:}") 2>/dev/null
}

# Starts an Azurite that keeps everything in memory, on a free port; its log is DIR/azurite.log. Sets AZURITE_URL, an
# address without path.
start_azurite() { # DIR
  local log=$1/azurite.log
  : >"$log"
  "$tools/bin/azurite" --blobHost 127.0.0.1 --blobPort 0 --disableTelemetry --inMemoryPersistence >"$log" 2>&1 &
  started+=($!)
  wait_for Azurite $! "$log" azurite_answers "$log"
  export AZURITE_URL
}
