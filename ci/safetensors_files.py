"""Writes valid and mutated safetensors files, and compares the verdicts. Arguments: PROGRAM DIRECTORY COUNT SEED."""

import collections
import json
import os
import random
import struct
import subprocess
import sys

import numpy
import safetensors
import safetensors.numpy

ERRORS = {"bad-header", "truncated-shard", "trailing-data", "bad-offsets", "empty-file", "no-tensors"}
# Intended differences of the verdicts: how they are recognised, and why.
EXCEPTIONS = {
    "no tensor": "the package reads files without any data; such weights change nothing, so they are an error",
    "unknown type": "the package refuses types that it does not know; the service may know newer ones, so they are a warning",
    "name twice": "the package takes the last of two tensors of one name; which one counts depends on the reader",
}
TYPES = [numpy.float32, numpy.float16, numpy.float64, numpy.int8, numpy.uint8, numpy.int16, numpy.uint16, numpy.int32,
         numpy.uint32, numpy.int64, numpy.uint64, numpy.bool_]
WORDS = [b"{", b"}", b"[", b"]", b",", b":", b'"', b"NaN", b"null", b"-1", b"1.0", b"1e3", b"18446744073709551616", b"0", b"7",
         b"\xff", b"\xc3\xa9", b"\xe9", b"\x00", b" ", b"\n", b"\\u0061", b"\\ud800", b'"F32"', b'"BF16"', b'"F8_E4M3"', b'"C64"',
         b'"F4"', b'"F2"', b'"f32"', b'"__metadata__":{},', b'"__metadata__":null,', b'"__metadata__":{"a":1},', b"\xef\xbb\xbf"]


def written(rng):
    """A file written by the package."""
    tensors = {}
    for number in range(rng.choice([0, 1, 1, 2, 3, 5])):
        shape = [rng.choice([0, 1, 2, 3, 5]) if rng.random() < 0.3 else rng.randint(1, 6) for _ in range(rng.randint(0, 3))]
        tensors[rng.choice(["w", "layer.", "caf\u00e9.", "\U0001f600", ""]) + str(number)] = numpy.ones(shape, rng.choice(TYPES))
    metadata = rng.choice([None, None, {"format": "pt"}, {"caf\u00e9": "\n\"\\"}, {}])
    return safetensors.numpy.save(tensors, metadata=metadata)


def split(data):
    length = struct.unpack("<Q", data[:8])[0]
    return data[8:8 + length], data[8 + length:]


def joined(header, body):
    return struct.pack("<Q", len(header)) + header + body


def changed_tree(rng, header):
    """Changes a value somewhere in the header."""
    tree = json.loads(header)
    names = [name for name in tree if name != "__metadata__"]
    if not names:
        return header
    name = rng.choice(names)
    entry = tree[name]
    choice = rng.randint(0, 8)
    if choice == 0:
        entry["data_offsets"][rng.randint(0, 1)] += rng.choice([-1, 1, 2, 8, 2**40])
    elif choice == 1:
        entry["shape"] = entry["shape"] + [rng.choice([0, 1, 2, 2**33, -1])]
    elif choice == 2:
        entry["dtype"] = rng.choice(["F32", "BF16", "U8", "F8_E5M2", "F4", "F2", "I128", "C64", "f32", 1, None])
    elif choice == 3:
        del entry[rng.choice(list(entry))]
    elif choice == 4:
        del tree[name]
    elif choice == 5:
        tree[name + "x"] = dict(entry)
    elif choice == 6:
        entry["more"] = rng.choice([1, None, [1, {"a": 2}], "x", 1e300])
    elif choice == 7:
        tree["__metadata__"] = rng.choice([None, {}, {"a": "b"}, {"a": 1}, [], "x", {"a": None}])
    else:
        tree[name] = [entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")]
    items = list(tree.items())
    rng.shuffle(items)
    return json.dumps(dict(items), separators=rng.choice([(",", ":"), (", ", ": ")])).encode()


def mutated(rng, data):
    header, body = split(data)
    kind = rng.randint(0, 11)
    if kind < 4:
        header = changed_tree(rng, header)
    elif kind < 7:
        at = rng.randint(0, len(header))
        to = min(len(header), at + rng.choice([0, 0, 1, 3]))
        header = header[:at] + rng.choice(WORDS + [b""]) + header[to:]
    elif kind == 7:
        body = rng.choice([body[:-1], body + b"\0", body + b"x" * 100, b""])
    elif kind == 8:
        return data[:rng.randint(0, len(data))]
    elif kind == 9:
        length = struct.unpack("<Q", data[:8])[0] + rng.choice([-1, 1, 8, 100_000_001, 2**63, -8])
        return struct.pack("<Q", length % 2**64) + data[8:]
    elif kind == 10:
        header = rng.choice([header + b" " * 9, b" " + header, header + b"\n", header + b"{}", header.strip() + b"\0"])
    else:
        names = [b'"w0":', b'"layer.0":']
        for name in names:
            at = header.find(name)
            if at > 0:
                header = header[:at] + name + b'{"dtype":"U8","shape":[0],"data_offsets":[0,0]},' + header[at:]
    return joined(header, body)


def package_reads(path):
    try:
        with safetensors.safe_open(path, framework="np") as file:
            list(file.keys())
        return None
    except Exception as error:  # any exception is its verdict
        return str(error) or type(error).__name__


def main():
    program, directory, count, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    rng = random.Random(seed)
    for number in range(count):
        data = written(rng)
        for _ in range(rng.choice([0, 1, 1, 1, 2])):
            try:
                data = mutated(rng, data)
            except (ValueError, KeyError, IndexError, TypeError, AttributeError, struct.error):
                break  # a header that is already invalid
        with open(os.path.join(directory, f"{number:06}.safetensors"), "wb") as file:
            file.write(data)
    command = [program, "custom", "check", directory, "-o", "json"]
    output = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if output.returncode not in (0, 6):
        sys.exit(output.stderr.decode())
    found = collections.defaultdict(list)
    for finding in json.loads(output.stdout):
        found[finding["file"]].append(finding)
    counts, differences = collections.Counter(), []
    for name in sorted(os.listdir(directory)):
        package = package_reads(os.path.join(directory, name))
        errors = [finding for finding in found[name] if finding["code"] in ERRORS]
        if (package is None) == (not errors):
            counts["both refuse" if package else "both read"] += 1
        elif package is None and all(error["code"] == "no-tensors" for error in errors):
            counts["no tensor"] += 1
        elif package is None and all("two tensors have the name" in error["message"] for error in errors):
            counts["name twice"] += 1
        elif package is not None and "unknown variant" in package:
            # Warnings of one code are not all listed.
            counts["unknown type"] += 1
        else:
            words = [f"{error['code']}: {error['message']}" for error in errors]
            differences.append(f"{name}: the package says {package!r}, the check says {words}")
            with open(os.path.join(directory, name), "rb") as file:
                differences.append(f"    {file.read(400)!r}")
    for what, number in sorted(counts.items()):
        print(f"{number:6}  {what}" + (f": {EXCEPTIONS[what]}" if what in EXCEPTIONS else ""))
    print("\n".join(differences[:40]))
    if differences:
        sys.exit(f"{len(differences) // 2} of {count} verdicts differ")
    print(f"{count} files, no other difference")


main()
