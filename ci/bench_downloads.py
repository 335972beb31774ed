"""Rows of ci/bench.sh that download or verify a model. Each yields its measurements: description, limit (`None`: no
limit), value, unit."""

import filecmp
import json
import os
import shutil
import statistics
import subprocess
import sys

import bench_measure
from bench_tools import MIB, NATIVE, NO_HASH, SAS, Place, write_files

WORDS = {"cpu": "CPU", "wall": "wall"}


class Registered:
    """A model that was uploaded to a store that returns the content of its files."""

    def __init__(self, programs, program, source):
        self.program, self.source = program, source
        self.place = Place(programs, ["--serve", source])
        self.home = self.place.home

    def create(self, tool, version):
        arguments, self.environment = self.place.command(tool, self.source, ["--version", version], self.program)
        run(arguments, self.environment)

    def blob_uri(self, version):
        show = [self.program, "custom", "show", "--name", "bench", "--version", version, "-o", "json"]
        shown = subprocess.run(show, env=self.environment, capture_output=True, check=True)
        return json.loads(shown.stdout)["blobUri"]


def run(arguments, environment):
    measured = bench_measure.run(arguments, environment)
    if measured.exit_code != 0:
        sys.exit(f"{arguments}: exit code {measured.exit_code}\n{measured.errors}")
    return measured


def download(programs, program, is_quick, directory):
    """1 GiB over TLS, compared with AzCopy's download: with verification of its SHA-256, and without a checksum."""
    source, target = os.path.join(directory, "source"), os.path.join(directory, "target")
    name = "model.safetensors"
    write_files(source, [(name, 1024 * MIB)])
    model = Registered(programs, program, source)
    model.create(NATIVE, "1")
    model.create(NO_HASH, "2")
    ours = lambda version: [program, "custom", "download", "--name", "bench", "--version", version, "--to", target]
    azcopy = [programs.azcopy, "copy", f"{model.blob_uri('1')}/*?{SAS}", target, "--recursive", "--from-to=BlobLocal"]
    environment = model.environment | {"AZCOPY_LOG_LOCATION": model.home, "AZCOPY_JOB_PLAN_LOCATION": model.home}
    tools = {"AzCopy": azcopy, "download": ours("1"), "download without a sum": ours("2")}
    found = {tool: [] for tool in tools}
    for turn in range(2 if is_quick else 5):
        for tool in list(tools) if turn % 2 == 0 else reversed(tools):
            os.makedirs(target)
            os.sync()
            measured = run(tools[tool], environment)
            if not filecmp.cmp(os.path.join(source, name), os.path.join(target, name), shallow=False):
                sys.exit(f"{tool}: the content differs")
            shutil.rmtree(target)
            found[tool].append(measured)
            print(f"  {tool}: {measured.wall:.2f} s, CPU {measured.cpu:.2f} s, {measured.memory:.0f} MiB", flush=True)
    model.place.close()
    for tool in list(tools)[1:]:
        for what, most in (("cpu", 1.1), ("wall", 1.0)):
            ratios = [getattr(a, what) / getattr(b, what) for a, b in zip(found[tool], found["AzCopy"])]
            yield f"{WORDS[what]} of {tool} of 1 GiB / AzCopy", most, statistics.median(ratios), "x"
        yield f"peak memory of {tool}", 320, max(one.memory for one in found[tool]), "MiB"
    yield "CPU of AzCopy's download", None, statistics.median(one.cpu for one in found["AzCopy"]), "s"


def verify(programs, program, is_quick, directory):
    """A source with one file per core, compared with `sha256sum` on all cores. The limit is 0.9 of its rate."""
    cores = os.cpu_count()
    source = os.path.join(directory, "source")
    write_files(source, [(f"model-{number:05}.safetensors", 512 * MIB) for number in range(cores)])
    model = Registered(programs, program, source)
    model.create(NATIVE, "1")
    ours = [program, "custom", "verify", "--name", "bench", "--source", source]
    theirs = ["/bin/sh", "-c", f"ls {source}/* | xargs -P {cores} -n 1 sha256sum"]
    ratios = []
    for turn in range(3 if is_quick else 7):
        measured = {}
        for arguments in (ours, theirs) if turn % 2 == 0 else (theirs, ours):
            measured[arguments[0]] = run(arguments, model.environment)
        ratios.append(measured[ours[0]].wall / measured[theirs[0]].wall)
    model.place.close()
    yield f"wall of verify of {cores} x 512 MiB / sha256sum on {cores} cores", 1 / 0.9, statistics.median(ratios), "x"


ROWS = {"download": download, "verify": verify}
