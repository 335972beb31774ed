#!/bin/sh
# Uploads ./model-weights and registers it, once: an existing version is not changed, an interrupted upload is resumed.
# A version never changes, so new weights need another VERSION.
set -eu
NAME=my-model
VERSION=1
SOURCE=./model-weights

# Without -e, an azd that a hook starts uses the default environment, even under `azd -e other up`.
set -- --name "$NAME" --version "$VERSION" -e "$AZURE_ENV_NAME" --no-prompt

# `create` of an existing version exits with code 5, which azd turns into 1 like any other. So check first.
if azd ai models custom show "$@" -o json > /dev/null 2>&1; then
    echo "Model '$NAME' version $VERSION is registered."
    exit 0
fi
exec azd ai models custom create "$@" --source "$SOURCE" --yes
