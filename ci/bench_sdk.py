"""Uploads a directory with azure-storage-blob, with the settings of rclone: 32 requests, blocks of 8 MiB.

    bench_sdk.py DIRECTORY CONTAINER_URL AUTHORITIES
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import requests
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import ContainerClient

REQUESTS = 32
BLOCK = 8 << 20

directory, url, authorities = sys.argv[1:]
session = requests.Session()
session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=REQUESTS))
client = ContainerClient.from_container_url(
    url,
    transport=RequestsTransport(session=session, session_owner=False, connection_verify=authorities),
    max_block_size=BLOCK,
    max_single_put_size=BLOCK,
)
files = [
    os.path.relpath(os.path.join(folder, name), directory) for folder, _, names in os.walk(directory) for name in names
]
workers = min(REQUESTS, len(files))


def upload(name):
    path = os.path.join(directory, name)
    with open(path, "rb") as data:
        client.upload_blob(
            name, data, length=os.path.getsize(path), max_concurrency=REQUESTS // workers, overwrite=True
        )


with ThreadPoolExecutor(workers) as pool:
    list(pool.map(upload, files))
