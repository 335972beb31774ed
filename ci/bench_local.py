"""Rows of ci/bench.sh that upload nothing, or measure only one program. Each yields description, limit (`None`: no
limit), value, unit."""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

import bench_downloads
import bench_measure
import bench_pages
from bench_tools import CREATE_AZCOPY, MIB, NATIVE, Foundry, Place, Server, upload, write_files

WORDS = {"cpu": "CPU", "wall": "wall"}


def paired(rounds, one, other):
    """Median of the ratios of the results of two functions, called alternately."""
    ratios = []
    for turn in range(rounds):
        a, b = (one(), other()) if turn % 2 == 0 else (other(), one())[::-1]
        ratios.append(a / b)
    return statistics.median(ratios)


def run(arguments, environment=None, interval=0.05):
    measured = bench_measure.run(arguments, environment or {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin"}, interval)
    if measured.exit_code != 0:
        sys.exit(f"{arguments}: exit code {measured.exit_code}\n{measured.errors}")
    return measured


def start(programs, program, is_quick, directory):
    """`version`, compared with an empty program."""
    # Consecutive runs, so that pages and caches are warm and only the program's own work is measured.
    batch = lambda arguments, what: sum(getattr(run(arguments), what) for _ in range(30))
    for what, most in (("cpu", 1.3), ("wall", 1.6)):
        value = paired(
            5 if is_quick else 15, lambda: batch([program, "version"], what), lambda: batch([programs.empty], what)
        )
        yield f"{WORDS[what]} of version / an empty program", most, value, "x"
    yield "release binary", 8, os.path.getsize(program) / MIB, "MiB"


def list_models(programs, program, is_quick, directory):
    """`list` of very many models: memory; and of 10,000 from a service 10 ms away, compared with curl on the same pages."""
    models = 20_000 if is_quick else 100_000
    peaks = {}
    for count in (1, models):
        pages = Server(
            [sys.executable, bench_pages.__file__, str(count), f"{directory}/pages{count}"], f"{directory}/pages{count}"
        )
        environment = foundry_environment(pages.url)
        for form in ("table", "json"):
            peaks[count, form] = run([program, "list", "-o", form], environment, interval=0.002).memory
        pages.stop()
    for form, most in (("table", 0.5), ("json", None)):
        each = (peaks[models, form] - peaks[1, form]) * 1024 / models
        yield f"memory of list -o {form}, per model", most, each, "KiB"
    if not is_quick:
        yield "memory of list of 100,000 models", 64, peaks[models, "table"], "MiB"

    seed = f"{directory}/models.json"
    with open(seed, "w") as out:
        json.dump([bench_pages.model(number) for number in range(10_000)], out)
    foundry = Foundry(programs, directory, ["--page-size", "100", "--seed", seed, "--fault", "list:delay=10"])
    first = f"{foundry.endpoint}/models?api-version=v1"
    urls = [first] + [f"{first}&skipToken={page * 100}" for page in range(1, 100)]
    headers = ["--header", "authorization: Bearer bench", "--header", "foundry-features: Models=V1Preview"]
    curl = [shutil.which("curl") or sys.exit("curl is missing"), "--silent", "--fail", "--noproxy", "*", *headers]
    environment = foundry_environment(foundry.endpoint)
    listed = subprocess.run([program, "list", "-o", "json"], env=environment, stdout=subprocess.PIPE, check=True)
    if len(json.loads(listed.stdout)) != 10_000:
        sys.exit("the list is not whole")
    wall = paired(
        3 if is_quick else 9,
        lambda: run([program, "list"], environment).wall,
        lambda: run([*curl, *urls]).wall,
    )
    foundry.stop()
    yield "wall of list of 10,000 models / curl", 1.5, wall, "x"


def foundry_environment(endpoint):
    return {
        "HOME": "/nonexistent",
        "AZURE_PROJECT_ENDPOINT": endpoint,
        "AZURE_AI_MODELS_CREDENTIAL": "emulator",
        "AZURE_AI_MODELS_API_VERSION": "v1",
    }


def check(programs, program, is_quick, directory):
    """`custom check` of very many files and of a huge model; their data on disk is cached in memory."""
    rounds = 3 if is_quick else 9
    unread, read, huge = f"{directory}/unread", f"{directory}/read", f"{directory}/shards"
    command = lambda path: [program, "custom", "check", path]
    # Too large for a pointer of git-LFS, so that only names and sizes are read; find reads the size too.
    many_files(unread, 2000)
    find = ["/usr/bin/find", "-L", unread, "-type", "f", "-size", "+1k"]
    files = paired(rounds, lambda: run(command(unread)).cpu, lambda: run(find).cpu)
    yield "CPU of check of 100,000 files / find -L", 1.3, files, "x"
    many_files(read, 200)
    walls = [run(command(read)).wall for _ in range(rounds)]
    yield "wall of check of 100,000 files that are read", 1.5, statistics.median(walls), "s"
    sharded_model(huge)
    measured = [run(command(huge), interval=0.002) for _ in range(rounds)]
    yield "wall of check of 700 GB in 150 shards", 0.3, statistics.median(one.wall for one in measured), "s"
    yield "memory of the same", 30, max(one.memory for one in measured), "MiB"


def sharded_model(directory, shards=150, bytes_each=700 * 10**9 // 150, tensors_each=600):
    """A model of 700 GB: headers and index are those of a mixture of experts, the weights are sparse."""
    os.makedirs(directory)
    rows = 4096
    columns = bytes_each // tensors_each // 2 // rows
    size = rows * columns * 2
    weight_map = {}
    for shard in range(1, shards + 1):
        name = f"model-{shard:05}-of-{shards:05}.safetensors"
        header = {"__metadata__": {"format": "pt"}}
        for tensor in range(tensors_each):
            key = f"model.layers.{shard}.mlp.experts.{tensor}.down_proj.weight"
            header[key] = {
                "dtype": "BF16",
                "shape": [rows, columns],
                "data_offsets": [tensor * size, (tensor + 1) * size],
            }
            weight_map[key] = name
        text = json.dumps(header, separators=(",", ":")).encode()
        with open(os.path.join(directory, name), "wb") as out:
            out.write(len(text).to_bytes(8, "little") + text)
            out.truncate(8 + len(text) + tensors_each * size)
    index = {"metadata": {"total_size": shards * tensors_each * size}, "weight_map": weight_map}
    for name, content in (("model.safetensors.index.json", index), ("config.json", {}), ("tokenizer.json", {})):
        with open(os.path.join(directory, name), "w") as out:
            json.dump(content, out, indent=2)


def many_files(directory, size, files=100_000):
    """A small model among a hundred thousand files of this size in bytes."""
    for number in range(files - 3):
        folder = os.path.join(directory, f"{number // 1000:03}")
        if number % 1000 == 0:
            os.makedirs(folder)
        with open(os.path.join(folder, f"{number:06}.json"), "wb") as out:
            out.write(b"{}".ljust(size))
    text = b'{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
    for name, content in (
        ("model.safetensors", len(text).to_bytes(8, "little") + text + b"w"),
        ("config.json", b"{}"),
        ("tokenizer.json", b"{}"),
    ):
        with open(os.path.join(directory, name), "wb") as out:
            out.write(content)


def rate(programs, program, is_quick, directory):
    """Accuracy of --limit-rate."""
    asked, size = 64_000_000, 512 * MIB
    write_files(directory, [("model.safetensors", size)])
    measured, _, _ = upload(programs, NATIVE, directory, more=["--limit-rate", str(asked)], program=program)
    yield "error of --limit-rate 64M", 0.1, abs(size / measured.wall / asked - 1), ""


def share(programs, program, is_quick, directory):
    """Overhead of `create` over the AzCopy that it runs."""
    write_files(directory, [("model.safetensors", 1024 * MIB)])
    walls, cpus = [], []
    for _ in range(1 if is_quick else 5):
        measured, _, _ = upload(programs, CREATE_AZCOPY, directory, more=["--debug"], program=program)
        azcopy_wall = float(re.search(r"azcopy ended: exit 0, wall ([0-9.]+) s", measured.errors).group(1))
        walls.append(measured.wall - azcopy_wall)
        cpus.append(measured.own_cpu / (measured.cpu - measured.own_cpu))
    yield "wall that create adds to AzCopy's", 0.3, statistics.median(walls), "s"
    yield "CPU of create / that of its AzCopy", 0.05, statistics.median(cpus), "x"


def kept(programs, program, is_quick, directory):
    """Bytes that were transferred over a slow line and are lost by an interruption."""
    line_rate, seconds = 2_500_000, 50
    write_files(directory, [("model.safetensors", 512 * MIB)])
    place = Place(programs, [f"--total-rate={line_rate}", "--round-trip=50"])
    bench_measure.run(*place.command(NATIVE, directory, program=program), kill_after=seconds)
    report = place.close()
    arrived = sum((blob["bytes"] or 0) + blob["uncommitted_bytes"] for blob in report["blobs"])
    yield "lost of 125 MB when killed after 50 s at 2.5 MB/s", 25, (line_rate * seconds - arrived) / 1e6, "MB"


ROWS = {"start": start, "list": list_models, "check": check, "rate": rate, "share": share, "kept": kept} | bench_downloads.ROWS


def measure(programs, name, is_quick):
    """Results of a row: description, limit, value, value before, unit."""
    results = []
    for program in filter(None, (programs.ours, programs.before)):
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            results.append(list(ROWS[name](programs, program, is_quick, directory)))
    before = results[1] if programs.before else [(None, None, None, None)] * len(results[0])
    return [
        (what, most, value, value_before, unit)
        for (what, most, value, unit), (_, _, value_before, _) in zip(results[0], before)
    ]
