"""Compares the two engines of `create` for ci/bench.sh: wall, CPU and memory of the whole command, AzCopy's with it.

    bench_engines.py make ROW DIRECTORY        lays the files of a row
    bench_engines.py run ROW ENGINE PROGRAM AZCOPY DIRECTORY ENDPOINT RESULTS
    bench_engines.py summary RESULTS
    bench_engines.py rate PROGRAM AZCOPY DIRECTORY ENDPOINT      how exact --limit-rate is
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

MIB = 1 << 20
# Files and bytes of each.
ROWS = {
    "1 GiB": [("model.safetensors", 1024 * MIB)],
    "64 x 16 MiB": [(f"model-{number:05}-of-00064.safetensors", 16 * MIB) for number in range(1, 65)],
    "2,000 x 4 KiB": [(f"{number // 100:02}/{number:04}.json", 4096) for number in range(2000)],
    "adapter": [("adapter_model.safetensors", 20 * 1024), ("adapter_config.json", 512)],
}
ENGINES = {"azcopy": [], "native": ["--engine", "native"], "native, no hash": ["--engine", "native", "--no-hash"]}
# What the native engine may take of AzCopy's: wall, CPU, CPU without SHA-256, memory; `None`: no limit.
LIMITS = {
    "1 GiB": (1.0, 1.3, 0.75, 0.1),
    "64 x 16 MiB": (1.0, 1.3, 0.75, 0.1),
    "2,000 x 4 KiB": (0.65, 1.3, 0.75, None),
    "adapter": (1.0, 1.3, 0.75, None),
}
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def make(row, directory):
    block = os.urandom(MIB)
    for name, size in ROWS[row]:
        path = os.path.join(directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            for start in range(0, size, MIB):
                # No two pieces are alike.
                out.write(os.urandom(16) + block[16 : min(MIB, size - start)])


def tree(pid):
    """The process and all that it started."""
    found = [pid]
    for process in found:
        try:
            for task in os.listdir(f"/proc/{process}/task"):
                found += map(int, open(f"/proc/{process}/task/{task}/children").read().split())
        except OSError:  # it has ended
            pass
    return found


def most_memory(pid, most):
    """Adds to the largest resident size in KiB of each process so far."""
    for process in tree(pid):
        try:
            for line in open(f"/proc/{process}/status"):
                if line.startswith("VmHWM:"):
                    most[process] = max(most.get(process, 0), int(line.split()[1]))
        except OSError:
            pass


def create(program, azcopy, directory, endpoint, more):
    """Seconds, seconds of CPU, and MiB of memory that a `create` took."""
    with tempfile.TemporaryDirectory() as home:
        environment = {
            "HOME": home,
            "PATH": f"{os.path.dirname(azcopy)}:/usr/bin:/bin",
            "AZURE_PROJECT_ENDPOINT": endpoint,
            "AZURE_AI_MODELS_CREDENTIAL": "emulator",
        }
        arguments = [program, "custom", "create", "--name", "bench", "--source", directory, "--skip-check", "-o", "json"]
        begun = time.perf_counter()
        child = subprocess.Popen(
            arguments + more,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        memory = {}
        while True:
            ended = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
            if ended is not None:
                break
            most_memory(child.pid, memory)
            time.sleep(0.01)
        wall = time.perf_counter() - begun
        # Its own times and those of its children: it has ended and is not reaped.
        fields = open(f"/proc/{child.pid}/stat").read().rsplit(")", 1)[1].split()
        cpu = sum(map(int, fields[11:15])) / CLOCK_TICKS
        words = child.stderr.read().decode(errors="replace")
        if child.wait() != 0:
            sys.exit(f"create {' '.join(more)} failed:\n{words}")
    return wall, cpu, sum(memory.values()) / 1024


def run(row, engine, program, azcopy, directory, endpoint, results):
    wall, cpu, memory = create(program, azcopy, directory, endpoint, ENGINES[engine])
    measured = {"row": row, "engine": engine, "wall": wall, "cpu": cpu, "memory": memory}
    with open(results, "a") as out:
        out.write(json.dumps(measured) + "\n")


def summary(results):
    rows = [json.loads(line) for line in open(results)]
    missed = False
    print(f"{'':15} {'engine':16} {'wall s':>8} {'CPU s':>8} {'RSS MB':>8}   against AzCopy: wall, CPU, RSS")
    for row in ROWS:
        medians = {}
        for engine in ENGINES:
            of = [one for one in rows if one["row"] == row and one["engine"] == engine]
            if of:
                medians[engine] = [statistics.median(one[key] for one in of) for key in ("wall", "cpu", "memory")]
        for engine, measured in medians.items():
            line = f"{row:15} {engine:16} {measured[0]:8.2f} {measured[1]:8.2f} {measured[2]:8.1f}"
            if engine != "azcopy":
                wall, cpu, bare, memory = LIMITS[row]
                limits = [wall, cpu if engine == "native" else bare, memory]
                ratios = [one / other for one, other in zip(measured, medians["azcopy"])]
                judged = [
                    f"{ratio:.2f}" + (f" (at most {limit}{'' if ratio <= limit else ', MISSED'})" if limit else "")
                    for ratio, limit in zip(ratios, limits)
                ]
                line += "   " + ", ".join(judged)
                missed |= any(limit and ratio > limit for ratio, limit in zip(ratios, limits))
            print(line)
    adapter = [one["wall"] for one in rows if one["row"] == "adapter" and one["engine"] == "native"]
    if adapter:
        print(f"create of an adapter with the native engine: {statistics.median(adapter):.2f} s (at most 0.5)")
    if missed:
        sys.exit("The native engine takes more than it may.")


def rate(program, azcopy, directory, endpoint):
    asked = 64_000_000
    wall, _, _ = create(program, azcopy, directory, endpoint, ENGINES["native"] + ["--limit-rate", str(asked)])
    size = sum(size for _, size in ROWS["1 GiB"])
    print(f"native engine with --limit-rate 64M: {size / wall / asked:.3f} of it (0.9 to 1.1)")


if __name__ == "__main__":
    {"make": make, "run": run, "summary": summary, "rate": rate}[sys.argv[1]](*sys.argv[2:])
