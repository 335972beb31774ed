"""Rows of ci/bench.sh that upload: their files, their line, their tools, and their limits."""

import shutil
import statistics
from dataclasses import dataclass

from bench_tools import (
    AZCOPY,
    BEFORE,
    CREATE_AZCOPY,
    MIB,
    NATIVE,
    NO_HASH,
    RCLONE,
    SDK,
    upload,
    write_files,
)

GIB = 1 << 30
# Round trips that no client avoids: connecting, TLS 1.3, the last block, the block list.
FLOOR_ROUND_TRIPS = 4


@dataclass
class Limit:
    """`value` reduces the row's results to one number: `of(tool, field)` returns the values of a tool in each round."""

    what: str
    most: float
    value: object
    unit: str = "x"


@dataclass
class Row:
    title: str
    files: list
    tools: list
    limits: list
    rounds: tuple = (5, 2)  # whole, quick
    line: tuple = ()
    foundry: tuple = ()
    # Tools that may upload incompletely.
    may_fail: tuple = ()

    @property
    def bytes(self):
        return sum(size for _, size in self.files)


def ratio(tool, other, what):
    """Median of the ratios within each round."""
    return lambda of: statistics.median(a / b for a, b in zip(of(tool, what), of(other, what)))


def median(tool, what):
    return lambda of: statistics.median(of(tool, what))


def better_of(tool, others):
    """Median of the ratio of wall time to that of the best other tool in the same round."""

    def value(of):
        best = map(min, zip(*(of(other, "wall") for other in others)))
        return statistics.median(a / b for a, b in zip(of(tool, "wall"), best))

    return value


def cpu(tool, most):
    return Limit(f"CPU of {tool} / AzCopy", most, ratio(tool, AZCOPY, "cpu"))


def busiest(tool, most):
    return Limit(f"busiest thread of {tool}", most, median(tool, "busiest per GiB"), "CPU s/GiB")


def memory(tool, most):
    return Limit(f"peak memory of {tool}", most, median(tool, "memory"), "MiB")


def small_files(count):
    return [(f"{number // 100:04}/{number:06}.json", 4096) for number in range(count)]


def small_limits():
    return [cpu(NATIVE, 0.30), Limit(f"wall of {NATIVE} / AzCopy", 0.45, ratio(NATIVE, AZCOPY, "wall"))]


def line(connection=None, total=None, round_trip=0):
    """Options of the store: MB per second, milliseconds."""
    options = [f"--round-trip={round_trip}"]
    if connection:
        options.append(f"--connection-rate={connection * 10**6}")
    if total:
        options.append(f"--total-rate={total * 10**6}")
    return tuple(options)


LARGE = [("model.safetensors", 512 * MIB)]
ALL = [AZCOPY, NATIVE, NO_HASH, RCLONE, CREATE_AZCOPY, SDK]


def shaped_row(title, connection, total):
    return Row(
        title,
        LARGE,
        [AZCOPY, NATIVE, RCLONE],
        [Limit(f"wall of {NATIVE} / the better of AzCopy and rclone", 1.0, better_of(NATIVE, [AZCOPY, RCLONE]))],
        rounds=(3, 1),
        line=line(connection, total, 50),
    )


def floor_row(round_trip):
    floor = 512 * MIB / 100e6 + FLOOR_ROUND_TRIPS * round_trip / 1000
    wall = Limit(
        f"wall of {NATIVE} / {floor:.2f} s", 1.15, lambda of: statistics.median(of(NATIVE, "wall")) / floor
    )
    title = f"512 MiB, 100 MB/s in all, {round_trip} ms"
    return Row(title, LARGE, [NATIVE, AZCOPY, RCLONE], [wall], rounds=(3, 1), line=line(None, 100, round_trip))


ROWS = {
    "file": Row(
        "one file of 1 GiB",
        [("model.safetensors", GIB)],
        ALL,
        [
            cpu(NATIVE, 1.15),
            cpu(NO_HASH, 0.85),
            busiest(NATIVE, 0.85),
            busiest(NO_HASH, 0.45),
            memory(NATIVE, 320),
            memory(NO_HASH, 320),
        ],
    ),
    "shards": Row(
        "64 x 16 MiB",
        [(f"model-{number:05}-of-00064.safetensors", 16 * MIB) for number in range(1, 65)],
        ALL,
        [
            cpu(NATIVE, 0.80),
            cpu(NO_HASH, 0.55),
            busiest(NATIVE, 0.45),
            busiest(NO_HASH, 0.45),
            memory(NATIVE, 320),
            memory(NO_HASH, 320),
        ],
    ),
    "small": Row("2,000 x 4 KiB", small_files(2000), ALL, small_limits()),
    "small20k": Row("20,000 x 4 KiB", small_files(20_000), [AZCOPY, NATIVE, RCLONE], small_limits(), rounds=(3, 1)),
    "small100k": Row("100,000 x 4 KiB", small_files(100_000), [NATIVE], [memory(NATIVE, 60)], rounds=(1, 1)),
    "adapter": Row(
        "adapter of 20 KB, 10 ms",
        [("adapter_model.safetensors", 20 * 1024), ("adapter_config.json", 512)],
        [AZCOPY, NATIVE, CREATE_AZCOPY, RCLONE],
        [
            Limit(f"wall of {NATIVE}", 0.25, median(NATIVE, "wall"), "s"),
            Limit(f"wall of {NATIVE} / {CREATE_AZCOPY}", 0.12, ratio(NATIVE, CREATE_AZCOPY, "wall")),
        ],
        line=line(round_trip=10),
        # Foundry is as far away as the store.
        foundry=("--fault", "any:delay=10"),
    ),
    "line5": shaped_row("512 MiB, 5 MB/s per connection, 100 MB/s in all, 50 ms", 5, 100),
    "line25": shaped_row("512 MiB, 25 MB/s per connection, 400 MB/s in all, 50 ms", 25, 400),
    "far10": floor_row(10),
    "far50": floor_row(50),
    "far150": floor_row(150),
    "resets": Row(
        "512 MiB, 100 MB/s in all, 10 ms, a reset every 40 MB",
        LARGE,
        [NATIVE, AZCOPY, RCLONE],
        [Limit(f"bytes sent by {NATIVE} / bytes of the file", 1.25, median(NATIVE, "sent per byte"))],
        rounds=(2, 1),
        line=(*line(None, 100, 10), "--reset-every=40000000"),
        may_fail=(AZCOPY, RCLONE),
    ),
}
# Too long for `ci/bench.sh quick`.
NOT_QUICK = {"small20k", "small100k", "kept"}


def measure(programs, name, is_quick, directory):
    """All rounds of a row; the order of the tools rotates between rounds. Returns a dictionary for each upload."""
    row = ROWS[name]
    write_files(directory, row.files)
    tools = list(row.tools)
    if programs.before:
        tools += [tool + BEFORE for tool in row.tools if tool in (NATIVE, NO_HASH)]
    if is_quick:
        tools = [tool for tool in tools if tool not in (SDK, CREATE_AZCOPY) or name == "adapter"]
    samples = []
    for turn in range(row.rounds[is_quick]):
        turned = tools[turn % len(tools) :] + tools[: turn % len(tools)]
        for tool in turned if turn % 2 == 0 else reversed(turned):
            measured, report, has_failed = upload(
                programs, tool, directory, row.line, row.foundry, may_fail=tool in row.may_fail
            )
            top = measured.threads[0][1] if measured.threads else 0.0
            samples.append(
                {
                    "tool": tool,
                    "round": turn,
                    "failed": has_failed,
                    "wall": measured.wall,
                    "cpu": measured.cpu,
                    "memory": measured.memory,
                    "busiest per GiB": top * GIB / row.bytes,
                    "sent per byte": report["received_bytes"] / row.bytes,
                    "store cpu": report["cpu"],
                    "threads": measured.threads[:8],
                    "connections": report["connections"],
                    "requests": report["requests"],
                }
            )
            print(f"  {tool}: {measured.wall:.2f} s, CPU {measured.cpu:.2f} s", flush=True)
    shutil.rmtree(directory)
    return samples


def judge(name, samples):
    """Results of a row: description, limit, value, value before, unit."""

    def values(suffix):
        def of(tool, what):
            has_before = tool in (NATIVE, NO_HASH) and suffix
            wanted = tool + suffix if has_before else tool
            ordered = sorted((one for one in samples if one["tool"] == wanted), key=lambda one: one["round"])
            return [one[what] for one in ordered]

        return of

    has_before = any(one["tool"].endswith(BEFORE) for one in samples)
    for limit in ROWS[name].limits:
        before = limit.value(values(BEFORE)) if has_before else None
        yield limit.what, limit.most, limit.value(values("")), before, limit.unit
