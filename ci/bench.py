"""Measures for ci/bench.sh: start-up beside an empty program, and `create` beside AzCopy alone.

    bench.py start PROGRAM EMPTY
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
    {"start": start, "upload": upload, "summary": summary}[sys.argv[1]](*sys.argv[2:])
