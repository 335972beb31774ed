# Builds the extension's binaries on Windows as 'azd x build' expects them; see build.sh, which does the same elsewhere, and
# ci/cross/targets.sh for the targets.
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
    'windows/amd64' = 'x86_64-pc-windows-gnullvm'
    'windows/arm64' = 'aarch64-pc-windows-gnullvm'
    'linux/amd64'   = 'x86_64-unknown-linux-gnu'
    'linux/arm64'   = 'aarch64-unknown-linux-gnu'
    'darwin/amd64'  = 'x86_64-apple-darwin'
    'darwin/arm64'  = 'aarch64-apple-darwin'
}
$glibc = '2.17'
$hostPlatform = if ((rustc -vV) -match '^host: aarch64-') { 'windows/arm64' } else { 'windows/amd64' }
$built = if ($env:CARGO_TARGET_DIR) { $env:CARGO_TARGET_DIR } else { 'target' }

# The line that installs what is missing to build a platform as it is released; nothing where it can be built.
function Get-Missing($platform, $target) {
    if ($platform -like 'darwin/*') { return "run build.sh on macOS, which has Apple's SDK" }
    if (-not (Get-Command rustup -ErrorAction SilentlyContinue)) { return 'install rustup from https://rustup.rs' }
    if ((rustup target list --installed) -notcontains $target) { return "rustup target add $target" }
    if (-not (Get-Command cargo-zigbuild -ErrorAction SilentlyContinue)) { return 'pip install --requirement ci/cross/requirements.txt' }
}

$wanted = if ($env:EXTENSION_PLATFORM) { @($env:EXTENSION_PLATFORM) } else { $targets.Keys }
$status = 0
foreach ($platform in $wanted) {
    $target = $targets[$platform]
    if (-not $target) { Write-Error "The platform $platform is unknown; known: $($targets.Keys -join ', ')." }
    $ending = if ($platform -like 'windows/*') { '.exe' } else { '' }
    $missing = Get-Missing $platform $target
    if (-not $missing) {
        $linked = if ($platform -like 'linux/*') { "$target.$glibc" } else { $target }
        cargo zigbuild --release --locked --bin azure-ai-models --target $linked
        $from = "$built/$target/release/azure-ai-models$ending"
    } elseif ($platform -eq $hostPlatform -and -not $env:RELEASE) {
        cargo build --release --locked --bin azure-ai-models
        $from = "$built/release/azure-ai-models$ending"
        Write-Output "$platform is built for this machine. As it is released: $missing"
    } else {
        Write-Warning "not built: $platform. To change that: $missing"
        $status = 1
        continue
    }
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
    $name = "$($id.Replace('.', '-'))-$($platform.Replace('/', '-'))$ending"
    Copy-Item $from "$output/$name"
    Write-Output "built $output/$name"
}
exit $status
