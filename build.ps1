# Builds the extension's binaries on Windows as 'azd x build' expects them; see build.sh, which does the same elsewhere.
$ErrorActionPreference = 'Stop'
Set-Location $PSScriptRoot

$output = if ($env:OUTPUT_DIR) { $env:OUTPUT_DIR } else { 'bin' }
$id = if ($env:EXTENSION_ID) { $env:EXTENSION_ID } else { 'azure.ai.models' }
$version = (Get-Content version.txt -Raw).Trim()
if ($env:EXTENSION_VERSION -and $env:EXTENSION_VERSION -ne $version) {
    Write-Error "EXTENSION_VERSION is $($env:EXTENSION_VERSION), version.txt says $version."
}
$env:AZURE_AI_MODELS_COMMIT = git rev-parse HEAD
$env:AZURE_AI_MODELS_BUILD_DATE = (Get-Date).ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ')
New-Item -ItemType Directory -Force $output | Out-Null

$targets = [ordered]@{
    'windows/amd64' = 'x86_64-pc-windows-msvc'
    'windows/arm64' = 'aarch64-pc-windows-msvc'
    'linux/amd64'   = 'x86_64-unknown-linux-gnu'
    'linux/arm64'   = 'aarch64-unknown-linux-gnu'
    'darwin/amd64'  = 'x86_64-apple-darwin'
    'darwin/arm64'  = 'aarch64-apple-darwin'
}
$wanted = if ($env:EXTENSION_PLATFORM) { @($env:EXTENSION_PLATFORM) } else { $targets.Keys }
$status = 0
foreach ($platform in $wanted) {
    $target = $targets[$platform]
    if (-not $target) { Write-Error "The platform $platform is unknown; known: $($targets.Keys -join ', ')." }
    $installed = rustup target list --installed
    $cross = $platform -notlike 'windows/*'
    if ($installed -notcontains $target) {
        Write-Warning "not built: $platform. To change that: rustup target add $target"
        $status = 1
        continue
    }
    if ($cross -and -not (Get-Command cargo-zigbuild -ErrorAction SilentlyContinue)) {
        Write-Warning "not built: $platform. To change that: pip install cargo-zigbuild"
        $status = 1
        continue
    }
    $build = if ($cross) { 'zigbuild' } else { 'build' }
    cargo $build --release --locked --bin azure-ai-models --target $target
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
    $ending = if ($cross) { '' } else { '.exe' }
    $name = "$($id.Replace('.', '-'))-$($platform.Replace('/', '-'))$ending"
    $built = if ($env:CARGO_TARGET_DIR) { $env:CARGO_TARGET_DIR } else { 'target' }
    Copy-Item "$built/$target/release/azure-ai-models$ending" "$output/$name"
    Write-Output "built $output/$name"
}
exit $status
