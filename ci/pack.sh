#!/usr/bin/env bash
# Packs the binaries that build.sh made into archives as 'azd x pack' makes them, with a registry.json that azd installs
# from, man pages and completions in a separate archive, and SHA256SUMS of all archives.
#   ci/pack.sh [BIN_DIR [OUTPUT_DIR]]    bin and dist by default
# PAGES names the built example "pages"; without it cargo builds it. The registry names the archives at their local
# path; with ARCHIVE_URL, below that URL, and then all six platforms are required.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT
if [[ ${PAGES:-} ]]; then "$PAGES" "$pages"; else cargo run --quiet --locked --example pages -- "$pages"; fi

python3 - "${1:-bin}" "${2:-dist}" "$pages" <<'PYTHON'
import hashlib, io, json, os, pathlib, re, sys, tarfile, zipfile

bin_dir, out_dir, pages = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).absolute(), pathlib.Path(sys.argv[3])
text = pathlib.Path("extension.yaml").read_text()

def field(name):
    return re.search(rf"^{name}:\s*(.*)$", text, re.M).group(1).strip().strip('"')

def items(name):
    block = re.search(rf"^{name}:\n((?:[ ].*\n)+)", text, re.M).group(1)
    return re.findall(r"^  - (\S+)$", block, re.M)

examples = [
    {"name": name, "description": description, "usage": usage}
    for name, description, usage in re.findall(
        r"^  - name: (.*)\n    description: (.*)\n    usage: (.*)$", text, re.M)
]
extension_id = field("id")
dashed = extension_id.replace(".", "-")
binaries = sorted(path for path in bin_dir.glob(f"{dashed}-*") if path.suffix in ("", ".exe"))
if not binaries:
    sys.exit(f"ci/pack.sh: there is no {dashed}-<os>-<arch> in {bin_dir}; run build.sh first.")
archive_url = os.environ.get("ARCHIVE_URL", "").rstrip("/")
platforms = {f"{system}-{architecture}" for system in ("linux", "darwin", "windows") for architecture in ("amd64", "arm64")}
missing = platforms - {path.name.removesuffix(".exe").removeprefix(f"{dashed}-") for path in binaries}
if archive_url and missing:
    sys.exit(f"ci/pack.sh: there is no program for {', '.join(sorted(missing))} in {bin_dir}.")
out_dir.mkdir(parents=True, exist_ok=True)
artifacts, packed = {}, []
for binary in binaries:
    name = binary.name.removesuffix(".exe")
    system, architecture, *variant = name.removeprefix(f"{dashed}-").split("-")
    archive = out_dir / f"{name}{'.tar.gz' if system == 'linux' else '.zip'}"
    files = [("extension.yaml", text.encode(), 0o644), (binary.name, binary.read_bytes(), 0o755)]
    if system == "linux":
        with tarfile.open(archive, "w:gz") as out:
            for file, content, mode in files:
                info = tarfile.TarInfo(file)
                info.size, info.mode = len(content), mode
                out.addfile(info, io.BytesIO(content))
    else:
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
            for file, content, mode in files:
                info = zipfile.ZipInfo(file)
                info.external_attr, info.compress_type = mode << 16, zipfile.ZIP_DEFLATED
                out.writestr(info, content)
    packed.append(archive)
    if variant:
        continue  # azd supports one program per platform
    artifacts[f"{system}/{architecture}"] = {
        "url": f"{archive_url}/{archive.name}" if archive_url else str(archive),
        "checksum": {"algorithm": "sha256", "value": hashlib.sha256(archive.read_bytes()).hexdigest()},
        "entryPoint": binary.name,
    }
archive = out_dir / f"{dashed}-pages.tar.gz"
with tarfile.open(archive, "w:gz") as out:
    for path in sorted(pages.rglob("*")):
        if path.is_file():
            info = tarfile.TarInfo(str(path.relative_to(pages)))
            info.size, info.mode = path.stat().st_size, 0o644
            out.addfile(info, io.BytesIO(path.read_bytes()))
packed.append(archive)
for archive in packed:
    print(f"packed {archive}")
sums = [f"{hashlib.sha256(archive.read_bytes()).hexdigest()}  {archive.name}\n" for archive in packed]
(out_dir / "SHA256SUMS").write_text("".join(sums))
version = {
    "version": field("version"),
    "requiredAzdVersion": field("requiredAzdVersion"),
    "capabilities": items("capabilities"),
    "usage": field("usage"),
    "examples": examples,
    "artifacts": artifacts,
}
registry = {"schemaVersion": "1.0", "extensions": [{
    "id": extension_id,
    "namespace": field("namespace"),
    "displayName": field("displayName"),
    "description": field("description"),
    "tags": items("tags"),
    "versions": [version],
}]}
path = out_dir / "registry.json"
path.write_text(json.dumps(registry, indent=2) + "\n")
print(f"wrote {path}")
PYTHON
