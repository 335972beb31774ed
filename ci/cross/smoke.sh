# shellcheck shell=bash
# Sourced by ci/cross.sh: runs a program that was built for another platform, under Wine or QEMU, against the emulator
# and Azurite: version, check, an upload that Ctrl+C interrupts and the printed command resumes, list, show, delete; a
# detached upload, list, stop.

# Servers and a model, once for all platforms. Sets $work, $endpoint, $model.
prepare_smoke() {
  work=$(mktemp -d)
  "$root/ci/setup.sh"
  (cd "$root" && cargo build --quiet --locked --package foundry-emulator)
  start_azurite "$work"
  NO_PROXY=127.0.0.1 "$built/debug/foundry-emulator" --port 0 --azurite "$AZURITE_URL" --write-endpoint "$work/endpoint" \
    >"$work/emulator.log" 2>&1 &
  started+=($!)
  wait_for "The emulator" $! "$work/emulator.log" test -s "$work/endpoint"
  endpoint=$(<"$work/endpoint")
  # A space and a non-ASCII letter: names that another system's paths and shells have to support.
  model="$work/a model"
  mkdir -p "$model/sub folder" "$work/home" "$work/bin"
  printf '{"model_type": "bert"}' >"$model/config.json"
  printf '{}' >"$model/tokenizer.json"
  head -c 60000000 /dev/urandom >"$model/sub folder/weights ü.bin"
}

# Wine configured as Windows 10. Needs no display.
prepare_wine() {
  export WINEPREFIX=$cross/wine
  [[ ! -e $WINEPREFIX/prepared ]] || return 0
  rm -rf "$WINEPREFIX"
  wine wineboot --init
  wine reg add 'HKCU\Software\Wine' /v Version /d win10 /f
  # The server writes the registry when it stops.
  wine wineboot --shutdown || true
  env PATH="$(zig_directory):$PATH" zig cc -target x86_64-windows-gnu -nostdlib -shared -O2 -o \
    "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" "$root/ci/cross/bcryptprimitives.c" -ladvapi32
  touch "$WINEPREFIX/prepared"
}

# Environment of a user who set only the emulator's endpoint.
clean() { # COMMAND...
  env -i PATH=/usr/bin:/bin HOME="$work/home" LANG=C.UTF-8 TERM=xterm-256color \
    AZURE_PROJECT_ENDPOINT="${endpoint:-}" AZURE_AI_MODELS_CREDENTIAL=emulator "$@"
}

wine_settings=(WINEARCH=win64 WINEDEBUG=-all "WINEDLLOVERRIDES=mscoree,mshtml,winemenubuilder.exe=d")

# Wine with the built program on its PATH.
wine() { # PROGRAM ARGUMENTS...
  clean WINEPREFIX="$WINEPREFIX" "${wine_settings[@]}" \
    WINEPATH="Z:${work//\//\\}\\bin" timeout 300 "${around[@]}" /usr/lib/wine/wine64 "$@"
}
around=()

# Puts a built program where the shells of its platform find it.
put_on_path() { # PROGRAM
  rm -rf "$work/bin"
  mkdir "$work/bin"
  case $running in
    windows/amd64)
      prepare_wine && cp "$1" "$work/bin/" || return
      # Left by an earlier run.
      rm -rf "$WINEPREFIX"/drive_c/users/*/.azd
      ;;
    *) cp "$1" "$work/bin/" ;;
  esac
}

# Runs the program of a platform.
program() { # ARGUMENTS...
  case $running in
    windows/amd64) wine azure-ai-models.exe "$@" ;;
    *) clean timeout 300 "${around[@]}" "$work/bin/azure-ai-models" "$@" ;;
  esac
}

# Runs a line in the shell of the platform: cmd.exe, or sh.
paste() { # LINE
  case $running in
    windows/amd64) printf '%s\r\n' "$1" | wine cmd ;;
    *) clean "PATH=$work/bin:/usr/bin:/bin" sh -c "$1" ;;
  esac
}

# Prints a path in the form of the platform.
native_path() { # PATH
  if [[ $running == windows/* ]]; then echo "Z:${1//\//\\}"; else echo "$1"; fi
}

expect() { # WHAT TEXT FILE
  grep --quiet --fixed-strings -- "$2" "$3" || { echo "smoke: $1: no '$2' in:" && cat "$3" && return 1; }
}

# First steps of a user with a model. The output is the log; fails at the first unexpected result.
smoke() { # PLATFORM PROGRAM
  local source line first uri code=0 out=$work/out
  running=$1
  put_on_path "$2" || return 1
  source=$(native_path "$model")

  echo "== version" && program version >"$out" && cat "$out" || return 1
  [[ $(tr -d '\r' <"$out") == "$(<"$root/version.txt")" ]] || return 1

  echo "== check" && program custom check "$source" >"$out" && cat "$out" || return 1
  expect check "0 errors" "$out" || return 1

  echo "== create, interrupted by Ctrl+C"
  around=(python3 "$root/ci/cross/interrupt.py" '[5-8][0-9]\.[0-9]%')
  # Two blocks of 5 MiB are in flight and lost; the others are not.
  program custom create --name my-model --source "$source" --engine native --parallel 2 --limit-rate 8M --skip-check \
    >"$out" 2>&1 || code=$?
  around=()
  # Without terminal sequences, and with only the last state of the progress bar.
  sed -E 's/\x1b\[[0-9;?]*[a-zA-Z]//g; s/\x1b\][^\x07]*\x07//g; s/\r+$//; s/.*\r//' "$out" >"$out.plain" && cat "$out.plain"
  ((code == 130)) || { echo "smoke: the interrupted upload ended with $code" && return 1; }

  echo "== uploads list" && program custom uploads list >"$out" && cat "$out" || return 1
  expect "uploads list" interrupted "$out" || return 1

  line=$(grep -oE 'azure-ai-models custom create .*' "$out.plain" | tail -n 1) || { echo "smoke: no command to resume" && return 1; }
  echo "== pasted: $line" && paste "$line" >"$out" 2>&1 || { cat "$out" && return 1; }
  cat "$out"
  # At least half was sent.
  first=$(grep -oE '[0-9.]+% \(' "$out" | head -n 1)
  ((${first%%[.%]*} >= 30)) || { echo "smoke: it started over" && return 1; }

  echo "== list" && program custom list >"$out" && cat "$out" || return 1
  expect list "1 custom model(s) found" "$out" || return 1

  echo "== show" && program custom show --name my-model -o json >"$out" && cat "$out" || return 1
  uri=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["blobUri"])' <"$out") || return 1
  python3 "$root/ci/verify_upload.py" "$uri" "$model" || return 1

  echo "== delete" && program custom delete --name my-model --version 1 --force --no-prompt || return 1
  program custom list >"$out" && cat "$out"
  expect "list after delete" "0 custom model(s) found" "$out" || return 1

  smoke_detached "$source"
}

# A detached upload by the program of $running.
smoke_detached() { # SOURCE
  local id out=$work/out
  # Its output goes through a pipe, which has to end long before the upload does. Wine gives every process its own
  # standard error, whatever the program says.
  echo "== create --detach"
  program custom create --name detached --source "$1" --engine native --limit-rate 1M --skip-check --detach \
    -o json 2>"$out.errors" </dev/null | cat >"$out"
  cat "$out.errors" "$out"
  id=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])' <"$out") || return 1
  # It starts slowly under emulation.
  for ((try = 0; try < 20; try++)); do
    program custom uploads list >"$out" || return 1
    ! grep --quiet uploading "$out" || break
    sleep 1
  done
  cat "$out"
  expect detached uploading "$out" || return 1
  echo "== uploads stop" && program custom uploads stop "$id" || return 1
  program custom uploads list >"$out" && cat "$out" || return 1
  expect stopped interrupted "$out"
}
