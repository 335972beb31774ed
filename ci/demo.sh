#!/usr/bin/env bash
# The main scenario on this machine only: a real model is uploaded to a local Foundry project, shown, deployed, scaled,
# and deleted. The same model also comes from a model hub, without a copy on this machine. Beside the program run the
# Foundry emulator (tests/emulator), Azurite, Microsoft's local blob service, and a model hub (tests/hub); no account is
# needed and none of your files is read or changed.
set -euo pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

finish() {
  stop_all
  rm -rf "${work:-}"
}
trap finish EXIT
work=$(mktemp -d)

echo "Getting ready: AzCopy, Azurite, a model, and a release build (minutes the first time) ..."
"$root/ci/setup.sh"
"$root/ci/model.sh"
(cd "$root" && cargo build --quiet --locked --release && cargo build --quiet --locked --package foundry-emulator --package fake-hub)
start_azurite "$work"

endpoint_file=$work/endpoint
# Loopback never goes through a proxy.
NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 "$built/debug/foundry-emulator" \
  --port 0 --azurite "$AZURITE_URL" --write-endpoint "$endpoint_file" >"$work/emulator.log" 2>&1 &
started+=($!)
wait_for "The emulator" $! "$work/emulator.log" test -s "$endpoint_file"

hub_file=$work/hub
NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 "$built/debug/fake-hub" \
  --repo "sentence-transformers/all-MiniLM-L6-v2=$tools/model" --write-endpoint "$hub_file" >"$work/hub.log" 2>&1 &
started+=($!)
wait_for "The model hub" $! "$work/hub.log" test -s "$hub_file"

# Environment of a user without sign-in and settings.
mkdir "$work/home"
environment=(
  "HOME=$work/home"
  "AZD_CONFIG_DIR=$work/home/.azd"
  "PATH=$built/release:$tools/bin:$PATH"
  "TERM=${TERM:-dumb}"
  "LANG=${LANG:-C.UTF-8}"
  "AZURE_PROJECT_ENDPOINT=$(<"$endpoint_file")"
  "AZURE_AI_MODELS_CREDENTIAL=emulator"
  "HF_ENDPOINT=$(<"$hub_file")"
  # The emulator is Azure Resource Manager too.
  "AZURE_AI_MODELS_ARM_ENDPOINT=$(sed 's|/api/.*||' "$endpoint_file")"
)
cd "$tools" # so that the model is just "model"

program() {
  env -i "${environment[@]}" "${around[@]}" azure-ai-models "$@"
}
around=()

# Prints the command as it is typed.
typed() {
  local word
  printf '\n$ azure-ai-models'
  for word in "$@"; do
    if [[ $word =~ ^[A-Za-z0-9_./:=-]+$ ]]; then printf ' %s' "$word"; else printf ' "%s"' "$word"; fi
  done
  printf '\n'
}

# Remark on the next output, which could look like an error without Azure.
remark() {
  printf '\n# %s\n' "$1"
}

# Shows the command, then runs it.
show() {
  typed "$@"
  program "$@"
}

# Shows and runs the command, with Ctrl+C after this number of seconds.
show_interrupted() { # SECONDS COMMAND...
  local seconds=$1 code=0
  shift
  typed "$@"
  around=(timeout --preserve-status --signal=INT "$seconds")
  program "$@" || code=$?
  around=()
  ((code == 130)) || die "the command was not interrupted, but exited with $code."
}

# Checks that the blob service contains the model under a version.
prove() { # VERSION [DIRECTORY]
  local blob_uri
  blob_uri=$(ask 'it["blobUri"]' custom show --name minilm --version "$1")
  printf '\nIn the blob service: %s\n' "$(python3 "$root/ci/verify_upload.py" "$blob_uri" "${2:-./model}")"
}

# Python over the JSON of a command that is not shown, as `it`: prints the value of EXPRESSION. Other output of the
# command is shown only if it fails.
ask() { # EXPRESSION COMMAND...
  local expression=$1
  shift
  { program "$@" --output json 2>"$work/asked.log" || { cat "$work/asked.log" >&2 && false; }; } | python3 -c 'import json, sys
it = json.load(sys.stdin)
print(eval(sys.argv[1]))' "$expression"
}

show custom create --name minilm --source ./model --description "Sentence embeddings, 384 dimensions"
prove 1
show custom list
show custom versions --name minilm
show custom show --name minilm
show custom list -o json
[[ $(ask '[model["name"] for model in it]' custom list) == "['minilm']" ]] || die "the list does not contain the model."

# Deploys the registered model, sends a prompt, scales the deployment, and deletes it.
show custom deployments create --name sentences --model minilm --yes
remark "The emulator has no model to run: its deployments repeat the question."
show deployments test sentences --prompt "Say hello"
show custom deployments list
show custom deployments update --name sentences --sku-capacity 120
[[ $(ask 'it["sku"]["capacity"]' custom deployments show --name sentences) == 120 ]] || die "the deployment was not scaled."
show custom deployments delete --name sentences --force
[[ $(ask 'it' custom deployments list) == "[]" ]] || die "the deleted deployment is still in the list."

show custom delete --name minilm --version 1 --force

# Without AzCopy, on a slow line, interrupted and resumed.
remark "Without AzCopy, interrupted by Ctrl+C after 5 seconds. Azurite does not support the checksums that Azure verifies, hence the warning."
native=(custom create --name minilm --version 2 --source ./model --engine native)
show_interrupted 5 "${native[@]}" --limit-rate 10M
remark "The same command again: blocks that are already uploaded are not sent again."
show "${native[@]}"
prove 2
show custom delete --name minilm --version 2 --force

# Without a terminal: detached, followed from another process, and shown again after its end.
remark "In the background: the terminal can be closed, and any terminal can follow the upload."
show custom create --name minilm --version 3 --source ./model --engine native --limit-rate 30M --detach --no-inhibit
upload=$(ask 'it[0]["id"]' custom uploads list)
[[ $(ask 'it[0]["pid"] is not None' custom uploads list) == True ]] || die "the detached upload does not run."
show custom uploads list
show custom uploads attach "$upload"
prove 3
show custom verify --name minilm --version 3 --source ./model
show custom download --name minilm --version 3 --to "$work/back"
remark "The downloaded files, compared with the content in the blob service."
show custom verify --name minilm --version 3 --source "$work/back" --full
[[ $(ask 'it[0]["state"]' custom uploads list) == done ]] || die "the detached upload is not done."
[[ $(ask 'it["version"]' custom uploads attach "$upload") == 3 ]] || die "the finished upload cannot be shown."
show custom uploads discard "$upload" --yes
show custom delete --name minilm --version 3 --force

# From a model hub. A copy of the same files shows the disk counter when something is written.
source=hf://sentence-transformers/all-MiniLM-L6-v2
ask '"\n".join(file["path"] for file in it["files"])' custom create --name minilm --version 4 --source "$source" --dry-run >"$work/taken"
(cd model && xargs -d '\n' cp --parents -t "$(mkdir -p "$work/expected" && echo "$work/expected")") <"$work/taken"
python3 "$root/ci/disk_writes.py" "$work/copied" cp -r "$work/expected" "$work/copy"
around=(python3 "$root/ci/disk_writes.py" "$work/written")
show custom create --name minilm --version 4 --source "$source"
around=()
prove 4 "$work/expected"
printf 'Written to disk by the import: %d KB. A copy of the same files writes %d KB.\n' \
  $(($(<"$work/written") / 1024)) $(($(<"$work/copied") / 1024))
(($(<"$work/copied") > 90000000)) || die "the disk write counter does not work."
(($(<"$work/written") < 1000000)) || die "the import wrote to disk."
show custom show --name minilm --version 4
show custom delete --name minilm --version 4 --force
show custom list
[[ $(ask 'it' custom list) == "[]" ]] || die "the deleted model is still in the list."

stop_all
printf '\nDone: uploaded, verified, listed, shown, deployed, prompted, scaled and deleted, with AzCopy and without, also in the background, from this machine and from a model hub. All started servers are stopped.\n'
