"""Writes a model of 240 MB that passes the check: a configuration, a tokenizer and two shards of random weights."""
import json
import os
import pathlib
import struct
import sys

SHARD = 120_000_000

directory = pathlib.Path(sys.argv[1])
directory.mkdir(parents=True)
weight_map = {}
for number in (1, 2):
    name = f"model-0000{number}-of-00002.safetensors"
    tensor = f"layers.{number}.weight"
    header = json.dumps({tensor: {"dtype": "U8", "shape": [SHARD], "data_offsets": [0, SHARD]}}).encode()
    header += b" " * (-len(header) % 8)
    with open(directory / name, "wb") as shard:
        shard.write(struct.pack("<Q", len(header)) + header)
        shard.write(os.urandom(SHARD))
    weight_map[tensor] = name
index = {"metadata": {"total_size": 2 * SHARD}, "weight_map": weight_map}
(directory / "model.safetensors.index.json").write_text(json.dumps(index))
(directory / "config.json").write_text('{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}')
(directory / "tokenizer.json").write_text('{"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}')
