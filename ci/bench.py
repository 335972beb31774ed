"""Measures for ci/bench.sh, compares with the limits, and prints the results as Markdown.

    bench.py RESULTS [quick] [--write FILE] [ROW...]     measures these rows (default: all)
    bench.py RESULTS table [--write FILE]                prints the results of this program in RESULTS

RESULTS is a directory; each row leaves a file there. `--write` puts the tables between the marks in FILE.
"""

import hashlib
import json
import os
import re
import statistics
import sys
import time

import bench_local
import bench_uploads
from bench_tools import AZCOPY, Programs

ORDER = [*bench_uploads.ROWS, *bench_local.ROWS]
MARKS = ("<!-- ci/bench.sh -->", "<!-- end of ci/bench.sh -->")


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def machine():
    with open("/proc/cpuinfo") as file:
        model = re.search(r"model name\s*:\s*(.*)", file.read()).group(1)
    with open("/proc/meminfo") as file:
        memory = int(file.read().split()[1]) / (1 << 20)
    return f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB, Linux {os.uname().release}"


def measure(programs, results, name, is_quick):
    """Measures a row and stores it."""
    load = os.getloadavg()[0]
    begun = time.time()
    print(f"{name}:", flush=True)
    if name in bench_uploads.ROWS:
        samples = bench_uploads.measure(programs, name, is_quick, os.path.join(results, "files"))
        judged = list(bench_uploads.judge(name, samples))
    else:
        samples, judged = [], bench_local.measure(programs, name, is_quick)
    row = {
        "program": digest(programs.ours),
        "date": time.strftime("%Y-%m-%d", time.gmtime(begun)),
        "seconds": time.time() - begun,
        "load before": load,
        "quick": is_quick,
        "machine": machine(),
        "versions": programs.versions(),
        "samples": samples,
        "judged": judged,
    }
    with open(os.path.join(results, f"{name}.json"), "w") as out:
        json.dump(row, out)


def kept_rows(results, program, names):
    rows = {}
    for name in names:
        try:
            with open(os.path.join(results, f"{name}.json")) as file:
                row = json.load(file)
        except FileNotFoundError:
            continue
        if row["program"] == program:
            rows[name] = row
    return rows


def number(value):
    return "" if value is None else f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def table(head, lines):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for line in lines:
        yield "| " + " | ".join(line) + " |"


def limits(rows):
    has_before = any(before is not None for row in rows.values() for _, _, _, before, _ in row["judged"])
    head = ["row", "measure", "limit", "measured", *(["before"] if has_before else []), ""]
    lines = []
    for name, row in rows.items():
        for what, most, value, before, unit in row["judged"]:
            if most is None:
                verdict = ""
            elif value <= most:
                verdict = "met"
            else:
                verdict = f"**missed by {(value / most - 1) * 100:.0f} %**"
            limit = "" if most is None else f"{most:g} {unit}"
            previous = [f"{number(before)}"] if has_before else []
            lines.append([f"`{name}`", what, limit.strip(), f"{number(value)} {unit}".strip(), *previous, verdict])
    return table(head, lines)


def medians(rows):
    head = ["row", "tool", "wall s", "CPU s", "memory MiB", "wall / AzCopy", "CPU / AzCopy", "busiest thread", "store"]
    lines = []
    for name, row in rows.items():
        title = f": {bench_uploads.ROWS[name].title}" if row["samples"] else ""
        for tool in dict.fromkeys(one["tool"] for one in row["samples"]):

            def of(tool, what):
                found = sorted((one for one in row["samples"] if one["tool"] == tool), key=lambda one: one["round"])
                return [one[what] for one in found]

            def against(what):
                other = of(AZCOPY, what)
                ratios = [a / b for a, b in zip(of(tool, what), other)]
                return number(statistics.median(ratios)) if ratios else ""

            def middle(what):
                return number(statistics.median(of(tool, what)))

            failed = sum(of(tool, "failed"))
            large = bench_uploads.ROWS[name].bytes >= 1 << 28
            lines.append(
                [
                    f"`{name}`" + title,
                    tool + (f" (failed {failed} of {len(of(tool, 'failed'))})" if failed else ""),
                    *map(middle, ("wall", "cpu", "memory")),
                    *map(against, ("wall", "cpu")),
                    middle("busiest per GiB") if large else "",
                    middle("store cpu"),
                ]
            )
            title = ""
    return table(head, lines)


def threads(rows):
    """CPU of each thread per GiB in the first round, for the large rows of the native engine."""
    lines = []
    for name in ("file", "shards"):
        for one in rows[name]["samples"] if name in rows else []:
            if one["round"] == 0 and one["tool"].startswith("native"):
                scale = (1 << 30) / bench_uploads.ROWS[name].bytes
                threads = ", ".join(f"{thread} {cpu * scale:.2f}" for thread, cpu in one["threads"] if cpu * scale >= 0.01)
                lines.append([f"`{name}`", one["tool"], threads])
    return table(["row", "tool", "CPU s/GiB of each thread"], lines)


def page(rows):
    first = next(iter(rows.values()))
    dates = sorted({row["date"] for row in rows.values()})
    versions = ", ".join(f"{name} {version}" for name, version in first["versions"].items())
    load = max(row["load before"] for row in rows.values())
    quick = " The short run (`quick`): fewer rounds." if any(row["quick"] for row in rows.values()) else ""
    when = " to ".join(dict.fromkeys((dates[0], dates[-1])))
    yield f"{when}, {first['machine']}; load before a row at most {load:.1f}."
    yield f"Program {first['program']}; {versions}.{quick}"
    yield ""
    yield from limits(rows)
    if any(row["samples"] for row in rows.values()):
        yield ""
        yield from medians(rows)
    if "file" in rows or "shards" in rows:
        yield ""
        yield from threads(rows)


def write(file, text):
    with open(file) as old:
        content = old.read()
    begin, end = (content.index(mark) for mark in MARKS)
    with open(file, "w") as out:
        out.write(f"{content[:begin]}{MARKS[0]}\n{text}\n{content[end:]}")


def main(results, *arguments):
    arguments = list(arguments)
    file = None
    if "--write" in arguments:
        at = arguments.index("--write")
        file = arguments[at + 1]
        del arguments[at : at + 2]
    programs = Programs()
    wants_table, is_quick = "table" in arguments, "quick" in arguments
    names = [name for name in arguments if name not in ("table", "quick")]
    if unknown := set(names) - set(ORDER):
        sys.exit(f"no such row: {', '.join(unknown)}. Rows: {' '.join(ORDER)}")
    if not wants_table:
        names = names or [name for name in ORDER if not is_quick or name not in bench_uploads.NOT_QUICK]
        for name in names:
            measure(programs, results, name, is_quick)
    rows = kept_rows(results, digest(programs.ours), names or ORDER)
    if not rows:
        sys.exit("nothing was measured with this program")
    text = "\n".join(page(rows))
    print(f"\n{text}")
    if file:
        write(file, text)
    missed = [
        f"{name}: {what}: {number(value)} {unit}".rstrip() + f" (at most {most:g})"
        for name, row in rows.items()
        for what, most, value, _, unit in row["judged"]
        if most is not None and value > most
    ]
    if missed:
        sys.exit("\n".join(["", "Limits that are missed:", *missed]))


if __name__ == "__main__":
    main(*sys.argv[1:])
