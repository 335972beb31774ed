#!/usr/bin/env python3
"""Valid and invalid documents, one JSON line each: {"document": BASE64, "valid": whether Python's json reads it from a
UTF-8 file}. Arguments: COUNT SEED."""

import base64
import json
import random
import sys

WORDS = ["NaN", "Infinity", "-Infinity", "-NaN", "+Infinity", "nan", "Inf", "null", "true", "False", "None", "1", "-", "01",
         "1.", ".5", "1e5", "1E+400", "-0", "123456789012345678901234567890", "[", "]", "{", "}", ",", ":", '"', "\\", "\\u",
         "\\ud800", "\\udc00", "\\ud83d\\ude00", "\\uD8", "\\x41", "'", "//", "/*", " ", "\n", "\t", "\r", "\x00", "\x0b",
         "\x1f", "\x7f", "\u00a0", "\u2028", "\ufeff", "\u00fc", "\U0001f600"]
BYTES = [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc0\x80", b"\x80", b"\xe9", b"\xef\xbb\xbf", b"\xff\xfe"]
PARTS = ["", "a", "caf\u00e9", "\U0001f600", "\ud800", "\udfff", "x\ud83d", "NaN", "Infinity", '"', "\\", "/", "\n", "\x01",
         "weight_map", " -Infinity ", "]", "\ufeff"]


def text(rng):
    return "".join(rng.choice(PARTS) for _ in range(rng.randint(0, 4)))


def value(rng, depth=0):
    kind = rng.randint(0, 9 if depth < 4 else 6)
    if kind < 2:
        return rng.choice([float("nan"), float("inf"), float("-inf")])
    if kind < 4:
        return rng.choice([0, -1, 2**64, -(2**70), 0.1, 1e308, -0.0, 5e-324, rng.randint(-10**6, 10**6)])
    if kind < 6:
        return text(rng)
    if kind == 6:
        return rng.choice([None, True, False, [], {}])
    if kind == 7:
        return [value(rng, depth + 1) for _ in range(rng.randint(0, 4))]
    return {text(rng): value(rng, depth + 1) for _ in range(rng.randint(0, 4))}


def document(rng):
    whole = json.dumps(value(rng), ensure_ascii=rng.random() < 0.6, indent=rng.choice([None, None, 0, 2, "\t"]),
                       separators=rng.choice([None, (",", ":"), (" , ", " : ")]))
    data = whole.encode("utf-8", "surrogatepass")
    for _ in range(rng.choice([0, 0, 1, 1, 1, 2, 3])):
        at, to = sorted(rng.randint(0, len(data)) for _ in range(2))
        to = min(to, at + rng.randint(0, 6))
        word = rng.choice(BYTES) if rng.random() < 0.15 else rng.choice(WORDS).encode()
        data = rng.choice([data[:at] + word + data[at:], data[:at] + data[to:], data[:at] + word + data[to:], data[:at],
                           data[:at] + data[at:to] * 2 + data[to:]])
    return data


def is_valid(data):
    try:
        json.loads(data.decode("utf-8"))
        return True
    except ValueError:  # a UnicodeDecodeError too
        return False


def main():
    count, rng = int(sys.argv[1]), random.Random(int(sys.argv[2]))
    seen = set()
    while len(seen) < count:
        data = document(rng)
        if data not in seen:
            seen.add(data)
            print(json.dumps({"document": base64.b64encode(data).decode(), "valid": is_valid(data)}))


main()
