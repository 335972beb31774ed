#!/usr/bin/env python3
"""Measures imports from a local model hub over TLS, compared with uploads of the same files from disk.

    bench_import.py [quick]

Needs BENCH_BINARY (this program), BENCH_SERVERS (a directory with bench-store, foundry-emulator and fake-hub) and
BENCH_AZCOPY; with BENCH_HF (the `hf` program) also the alternative to imports: a download, then an upload. Prints one
line per measurement: description, limit, value.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time

import bench_measure
from bench_tools import AZCOPY, MIB, NATIVE, Place, wait_for, write_files

SHARDS = 4
LINE = 25_000_000


class Programs:
    """Paths of the programs, in the form of bench_tools."""

    def __init__(self):
        self.ours = os.environ["BENCH_BINARY"]
        self.servers = os.environ["BENCH_SERVERS"]
        self.azcopy = os.environ["BENCH_AZCOPY"]
        self.before = None


class Hub:
    """Model hub with one repository, over TLS."""

    def __init__(self, programs, place, directory, options=()):
        authority, endpoint = place.path("hub.pem"), place.path("hub")
        arguments = [f"{programs.servers}/fake-hub", "--tls", "--repo", f"org/model={directory}"]
        arguments += ["--authority", authority, "--write-endpoint", endpoint, *options]
        self.child = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
        self.endpoint = wait_for(self.child, endpoint)
        with open(place.authorities, "ab") as out, open(authority, "rb") as file:
            shutil.copyfileobj(file, out)

    def stop(self):
        self.child.terminate()
        self.child.wait(timeout=30)


def arrived(report, directory):
    """Fails if a file of the directory was not received with its size."""
    there = {blob["name"].split("/", 1)[1]: blob["bytes"] for blob in report["blobs"]}
    for name in os.listdir(directory):
        if there.get(name) != os.path.getsize(os.path.join(directory, name)):
            sys.exit(f"{name} did not arrive: {report}")


def import_once(programs, directory, line=(), hub_options=()):
    place = Place(programs, line)
    hub = Hub(programs, place, directory, hub_options)
    arguments, environment = place.command(NATIVE, "hf://org/model")
    measured = bench_measure.run(arguments, environment | {"HF_ENDPOINT": hub.endpoint})
    hub.stop()
    report = place.close()
    if measured.exit_code != 0:
        sys.exit(f"the import failed: {measured.errors}")
    arrived(report, directory)
    return measured


def upload_once(programs, directory, line=(), tool=NATIVE):
    place = Place(programs, line)
    measured = bench_measure.run(*place.command(tool, directory))
    arrived(place.close(), directory)
    return measured


def by_hand(programs, directory, line=(), hub_options=()):
    """`hf download`, then `azcopy copy`. Returns wall seconds, and bytes on disk in between."""
    place = Place(programs, line)
    hub = Hub(programs, place, directory, hub_options)
    local = tempfile.mkdtemp(prefix="bench-hf-")
    environment = {
        "HOME": place.home, "HF_HOME": place.path("hf"), "HF_ENDPOINT": hub.endpoint, "HF_HUB_DISABLE_XET": "1",
        "SSL_CERT_FILE": place.authorities, "REQUESTS_CA_BUNDLE": place.authorities, "PATH": "/usr/bin:/bin",
    }
    begun = time.perf_counter()
    subprocess.run([os.environ["BENCH_HF"], "download", "org/model", "--local-dir", local], env=environment, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shutil.rmtree(os.path.join(local, ".cache"), ignore_errors=True)
    measured = bench_measure.run(*place.command(AZCOPY, local))
    wall = time.perf_counter() - begun
    disk = sum(os.path.getsize(os.path.join(local, name)) for name in os.listdir(local))
    hub.stop()
    arrived(place.close(), directory)
    shutil.rmtree(local)
    if measured.exit_code != 0:
        sys.exit(measured.errors)
    return wall, disk


def middle(values):
    return sorted(values)[len(values) // 2]


def line(what, limit, value, unit):
    verdict = "" if limit is None else "met" if value <= limit else "MISSED"
    shown = "" if limit is None else f"limit {limit:g} {unit}, "
    print(f"{what}: {shown}measured {value:.2f} {unit} {verdict}".strip(), flush=True)


def main(is_quick):
    programs = Programs()
    rounds = 1 if is_quick else 5
    directory = tempfile.mkdtemp(prefix="bench-model-")
    size = (256 if is_quick else 1024) * MIB
    names = [f"model-{shard + 1:05}-of-{SHARDS:05}.safetensors" for shard in range(SHARDS)]
    write_files(directory, [(name, size // SHARDS) for name in names])
    ratios, imports, uploads = [], [], []
    for _ in range(rounds):
        imports.append(import_once(programs, directory))
        uploads.append(upload_once(programs, directory))
        ratios.append(imports[-1].cpu / uploads[-1].cpu)
    mib = size // MIB
    line(f"CPU of an import of {mib} MiB / of its upload from the disk", 1.9, middle(ratios), "x")
    line("CPU of the import", None, middle([one.cpu for one in imports]), "s")
    line("CPU of the upload", None, middle([one.cpu for one in uploads]), "s")
    line("wall of the import", None, middle([one.wall for one in imports]), "s")
    line("wall of the upload", None, middle([one.wall for one in uploads]), "s")
    line("peak memory of the import", 320, max(one.memory for one in imports), "MiB")
    rate = (["--total-rate", str(LINE)], ["--rate", str(LINE)])
    slow = import_once(programs, directory, *rate)
    line(f"wall of an import at 25 MB/s both ways / of one way alone ({size / LINE:.1f} s)", 1.15, slow.wall / (size / LINE), "x")
    line("peak memory of the same", 320, slow.memory, "MiB")
    if "BENCH_HF" in os.environ:
        wall, disk = by_hand(programs, directory)
        line("wall of hf download, then azcopy copy", None, wall, "s")
        line("what that needs on disk", None, disk / MIB, "MiB")
        wall, _ = by_hand(programs, directory, *rate)
        line("wall of the same at 25 MB/s both ways", None, wall, "s")
    shutil.rmtree(directory)


if __name__ == "__main__":
    main("quick" in sys.argv[1:])
