"""Checks the dependencies of the workspace: licences on the list of deny.toml, banned crates, the oldest Rust that they
need, and dependencies that no source names.

Reads `cargo metadata` from standard input. cargo-deny reads the same deny.toml in CI, with advisories."""
import json
import pathlib
import re
import sys
import tomllib

GENERATED = {"tonic-prost"}  # named only by generated code

root = pathlib.Path(__file__).parent.parent
policy = tomllib.loads((root / "deny.toml").read_text())
allowed = set(policy["licenses"]["allow"])
exceptions = {entry["crate"]: set(entry["allow"]) for entry in policy["licenses"].get("exceptions", [])}
banned = {entry["crate"] for entry in policy["bans"]["deny"]}
metadata = json.load(sys.stdin)
members = set(metadata["workspace_members"])
packages = {package["id"]: package for package in metadata["packages"]}
own = tomllib.loads((root / "Cargo.toml").read_text())["workspace"]["package"]["rust-version"]


def version(text):
    return tuple(int(part) for part in text.split(".")[:2])


def is_allowed(expression, names):
    """Evaluates an SPDX expression: AND binds tighter than OR, and `/` is an old form of OR."""
    tokens = re.findall(r"[()]|[^\s()/]+|/", expression.replace(" WITH ", "-WITH-"))

    def alternatives(at):
        value, at = terms(at)
        while at < len(tokens) and tokens[at] in ("OR", "/"):
            other, at = terms(at + 1)
            value = value or other
        return value, at

    def terms(at):
        value, at = term(at)
        while at < len(tokens) and tokens[at] == "AND":
            other, at = term(at + 1)
            value = value and other
        return value, at

    def term(at):
        if tokens[at] == "(":
            value, at = alternatives(at + 1)
            return value, at + 1
        return tokens[at].replace("-WITH-", " WITH ") in names, at + 1

    return alternatives(0)[0]


def shipped():
    """Packages that the released program contains: normal and build dependencies, on all systems."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    program = next(id for id in members if packages[id]["name"] == "azure-ai-models")
    seen, todo = set(), [program]
    while todo:
        id = todo.pop()
        if id not in seen:
            seen.add(id)
            todo += [dep["pkg"] for dep in nodes[id]["deps"] if any(kind["kind"] != "dev" for kind in dep["dep_kinds"])]
    return seen


def unused(member):
    """Names of the dependencies of a package that none of its sources names."""
    directory = pathlib.Path(member["manifest_path"]).parent
    others = {pathlib.Path(packages[id]["manifest_path"]).parent for id in members} - {directory}
    sources = [path for path in directory.rglob("*.rs") if "target" not in path.parts
               and not any(other in path.parents and directory in other.parents for other in others)]
    # Files that several packages share.
    sources += [path.parent / shared for path in sources for shared in re.findall(r'#\[path = "(.*?)"\]', path.read_text())]
    text = "\n".join(path.read_text() for path in sources)
    for dependency in member["dependencies"]:
        name = dependency["rename"] or dependency["name"]
        if name not in GENERATED | {member["name"]} and not re.search(rf"\b{name.replace('-', '_')}\b", text):
            yield name


faults, linked = [], shipped()
for id in members:
    faults += [f"{packages[id]['name']} does not use {name}" for name in unused(packages[id])]
for id, package in packages.items():
    name = f"{package['name']} {package['version']}"
    if id in members:
        continue
    if not str(package["source"]).startswith("registry+"):
        faults.append(f"{name} does not come from crates.io")
    if not is_allowed(package["license"] or "none", allowed | exceptions.get(package["name"], set())):
        faults.append(f"{name} has the licence {package['license']}, which deny.toml does not allow")
    if package["name"] in banned and id in linked:
        faults.append(f"{name} must not be linked; see who asks: cargo tree --invert {package['name']}")
    if id in linked and package["rust_version"] and version(package["rust_version"]) > version(own):
        faults.append(f"{name} needs Rust {package['rust_version']}; Cargo.toml says {own}")
if faults:
    sys.exit("\n".join(faults))
print(f"{len(packages) - len(members)} packages, {len(linked)} of them in the program, for Rust {own}")
