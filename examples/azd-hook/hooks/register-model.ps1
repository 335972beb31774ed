# Uploads ./model-weights and registers it, once: a version that is there is left alone, an upload that was interrupted is
# resumed. A version never changes, so new weights need another $version.
$name = 'my-model'
$version = '1'
$source = './model-weights'

# Without -e an azd that a hook starts takes the default environment, also under `azd -e other up`.
$common = @('--name', $name, '--version', $version, '-e', $env:AZURE_ENV_NAME, '--no-prompt')

# `create` of a version that is there is exit code 5, which azd turns into 1 like any other. So ask before.
azd ai models custom show @common -o json *> $null
if ($LASTEXITCODE -eq 0) {
    Write-Output "Model '$name' version $version is registered."
    exit 0
}
azd ai models custom create @common --source $source --yes
exit $LASTEXITCODE
