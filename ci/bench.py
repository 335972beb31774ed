"""Measures for ci/bench.sh: start-up beside an empty program, the model check, and `create` beside AzCopy alone.

    bench.py start PROGRAM EMPTY
    bench.py check PROGRAM DIRECTORY
    bench.py upload PROGRAM AZCOPY FILE ENDPOINT RESULTS
    bench.py summary RESULTS
"""

import json
import os
import pty
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def start(program, empty):
    """Median of 50 starts each, alternating."""
    walls = {program: [], empty: []}
    for _ in range(50):
        for path, arguments in ((program, ["version"]), (empty, [])):
            begun = time.perf_counter()
            subprocess.run([path, *arguments], stdout=subprocess.DEVNULL, check=True)
            walls[path].append(time.perf_counter() - begun)
    ours, base = statistics.median(walls[program]), statistics.median(walls[empty])
    print(f"version: {ours * 1000:.2f} ms, empty program: {base * 1000:.2f} ms, ratio {ours / base:.2f} (at most 1.6)")
    print(f"release binary: {os.path.getsize(program)} bytes (at most {6 * 1024 * 1024})")


def sharded_model(directory, shards=150, bytes_each=700 * 10**9 // 150, tensors_each=600):
    """A model of 700 GB: headers and index are those of a mixture of experts, the weights are holes."""
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


def many_files(directory, files=100_000):
    """A small model among a hundred thousand files, each of a size that a git-LFS pointer could have."""
    for number in range(files - 3):
        folder = os.path.join(directory, f"{number // 1000:03}")
        if number % 1000 == 0:
            os.makedirs(folder)
        with open(os.path.join(folder, f"{number:06}.json"), "wb") as out:
            out.write(b"{}".ljust(200))
    text = b'{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
    for name, content in (
        ("model.safetensors", len(text).to_bytes(8, "little") + text + b"w"),
        ("config.json", b"{}"),
        ("tokenizer.json", b"{}"),
    ):
        with open(os.path.join(directory, name), "wb") as out:
            out.write(content)


def timed(arguments):
    """Median wall of nine runs in seconds."""
    walls = []
    for _ in range(9):
        begun = time.perf_counter()
        subprocess.run(arguments, stdout=subprocess.DEVNULL, check=True)
        walls.append(time.perf_counter() - begun)
    return statistics.median(walls)


def most_memory(arguments):
    """Largest resident size in MB, as the kernel says it while the program runs: what wait4 tells of a short one is the
    size of this script."""
    child = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    most = 0
    while child.poll() is None:
        status = open(f"/proc/{child.pid}/status").read()
        marks = re.findall(r"^VmHWM:\s+([0-9]+) kB$", status, re.MULTILINE)
        most = max([most, *map(int, marks)])
    return most / 1024


def check(program, directory):
    """`custom check` of a huge model and of very many files; what the disk holds of them is in memory."""
    for name, what, make, seconds, megabytes in (
        ("shards", "700 GB in 150 shards, 90,000 tensors", sharded_model, 0.3, 30),
        ("files", "100,000 files", many_files, 1.5, None),
    ):
        path = os.path.join(directory, name)
        make(path)
        arguments = [program, "custom", "check", path]
        wall, resident = timed(arguments), most_memory(arguments)
        most = f" (at most {megabytes})" if megabytes else ""
        print(f"check of {what}: {wall:.3f} s (at most {seconds}), {resident:.1f} MB resident{most}", flush=True)


def run(arguments, environment, terminal):
    """Runs a program to its end: output, wall seconds, CPU seconds of itself and of its children."""
    begun = time.perf_counter()
    if terminal:
        pid, output = pty.fork()
        if pid == 0:
            os.execve(arguments[0], arguments, environment)
    else:
        # An open pipe that is never written: AzCopy burns a core on anything else.
        output, write = os.pipe()
        silent, held = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.dup2(silent, 0)
            os.dup2(write, 1)
            os.close(output)
            os.close(held)
            os.execve(arguments[0], arguments, environment)
        os.close(write)
        os.close(silent)
    text = b""
    while True:
        try:
            part = os.read(output, 65536)
        except OSError:  # a closed terminal
            break
        if not part:
            break
        text += part
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    wall = time.perf_counter() - begun
    # The process has ended and is not reaped: its own times and those of its children are still there, apart.
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    own = (int(fields[11]) + int(fields[12])) / CLOCK_TICKS
    children = (int(fields[13]) + int(fields[14])) / CLOCK_TICKS
    _, status = os.waitpid(pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{arguments[0]} failed:\n{text.decode(errors='replace')}")
    return text.decode(errors="replace"), wall, own, children


def upload_location(endpoint, name):
    """A container of its own, as the project hands it out."""
    request = urllib.request.Request(
        f"{endpoint}/models/{name}/versions/1/startPendingUpload?api-version=2025-11-15-preview",
        data=b'{"pendingUploadType": "TemporaryBlobReference"}',
        headers={"Authorization": "Bearer bench", "Content-Type": "application/json"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
        return json.load(answer)["blobReferenceForConsumption"]["credential"]["sasUri"]


def upload(program, azcopy, file, endpoint, results):
    """`create` in a terminal, then AzCopy alone with the same file, each into a container of its own."""
    with tempfile.TemporaryDirectory() as home:
        environment = {"HOME": home, "PATH": f"{os.path.dirname(azcopy)}:/usr/bin:/bin", "TERM": "xterm-256color"}
        ours = dict(environment, AZURE_PROJECT_ENDPOINT=endpoint, AZURE_AI_MODELS_CREDENTIAL="emulator")
        arguments = [program, "custom", "create", "--name", "bench", "--source", file, "--skip-check", "--debug"]
        text, wall, own, children = run(arguments, ours, terminal=True)
        child_wall = float(re.search(r"azcopy ended: exit 0, wall ([0-9.]+) s", text).group(1))
        plain = dict(environment, AZCOPY_LOG_LOCATION=home, AZCOPY_JOB_PLAN_LOCATION=home)
        destination = upload_location(endpoint, "bench-plain")
        arguments = [azcopy, "copy", file, destination, "--from-to=LocalBlob", "--output-type", "json"]
        _, plain_wall, plain_cpu, _ = run(arguments, plain, terminal=False)
    row = {
        "create wall": wall,
        "its azcopy wall": child_wall,
        "our share": wall - child_wall,
        "our CPU": own,
        "its azcopy CPU": children,
        "plain azcopy wall": plain_wall,
        "plain azcopy CPU": plain_cpu,
    }
    with open(results, "a") as out:
        out.write(json.dumps(row) + "\n")
    print("  ".join(f"{name} {value:.2f}" for name, value in row.items()), flush=True)


def summary(results):
    rows = [json.loads(line) for line in open(results)]
    share = statistics.median(row["our share"] for row in rows)
    cpu = statistics.median(row["our CPU"] / row["its azcopy CPU"] for row in rows)
    print(f"our share of create's wall: median {share:.3f} s of {len(rows)} runs (at most 0.3)")
    print(f"our CPU: median {cpu * 100:.1f} % of AzCopy's (less than 5 %)")


if __name__ == "__main__":
    {"start": start, "check": check, "upload": upload, "summary": summary}[sys.argv[1]](*sys.argv[2:])
