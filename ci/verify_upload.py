#!/usr/bin/env python3
"""Verifies that a container of the local Azurite contains exactly the files of a directory.

    verify_upload.py BLOB_URI DIRECTORY

BLOB_URI is that of a model: http://127.0.0.1:PORT/devstoreaccount1/CONTAINER[/PREFIX].
"""

import base64
import datetime
import hashlib
import hmac
import pathlib
import sys
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as xml

ACCOUNT = "devstoreaccount1"
# Not a secret: every Azurite has this key, and its documentation publishes it.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
VERSION = "2020-10-02"
LEFT_OUT = {".gitattributes"}

# Loopback never goes through a proxy.
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def container_sas(container: str) -> str:
    """A query that may list and read the container for an hour."""
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    expiry = end.strftime("%Y-%m-%dT%H:%M:%SZ")
    resource = f"/blob/{ACCOUNT}/{container}"
    # sp st se resource si sip spr sv sr snapshot rscc rscd rsce rscl rsct
    fields = ["rl", "", expiry, resource, "", "", "", VERSION, "c", "", "", "", "", "", ""]
    mac = hmac.new(base64.b64decode(KEY), "\n".join(fields).encode(), hashlib.sha256)
    signature = base64.b64encode(mac.digest()).decode()
    return urllib.parse.urlencode({"sv": VERSION, "se": expiry, "sr": "c", "sp": "rl", "sig": signature})


def get(url: str, query: str):
    request = urllib.request.Request(f"{url}?{query}", headers={"x-ms-version": VERSION})
    return opener.open(request, timeout=60)


def sha256(stream) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while block := stream.read(1 << 20):
        digest.update(block)
        size += len(block)
    return digest.hexdigest(), size


def blob_names(container: str, sas: str, prefix: str):
    marker = ""
    while True:
        listing = {"restype": "container", "comp": "list", "prefix": prefix, "marker": marker}
        with get(container, f"{urllib.parse.urlencode(listing)}&{sas}") as answer:
            page = xml.parse(answer).getroot()
        yield from (name.text for name in page.iterfind("Blobs/Blob/Name"))
        marker = page.findtext("NextMarker") or ""
        if not marker:
            return


def main(blob_uri: str, directory: str) -> str:
    address = urllib.parse.urlsplit(blob_uri)
    account, container, *prefix = urllib.parse.unquote(address.path).strip("/").split("/")
    if address.scheme != "http" or address.hostname != "127.0.0.1" or account != ACCOUNT:
        sys.exit(f"{blob_uri} is not a container of the local Azurite.")
    prefix = "".join(part + "/" for part in prefix)
    container_url = f"http://{address.netloc}/{ACCOUNT}/{container}"
    sas = container_sas(container)

    root = pathlib.Path(directory)
    local = {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}
    expected = {name: path for name, path in local.items() if path.name not in LEFT_OUT}
    arrived = {name.removeprefix(prefix) for name in blob_names(container_url, sas, prefix)}

    faults = [f"{name} did not arrive" for name in sorted(expected.keys() - arrived)]
    faults += [f"{name} must not be there" for name in sorted(arrived - expected.keys())]
    total = 0
    for name in sorted(expected.keys() & arrived):
        with get(f"{container_url}/{urllib.parse.quote(prefix + name)}", sas) as blob:
            theirs, size = sha256(blob)
        with expected[name].open("rb") as file:
            ours, _ = sha256(file)
        total += size
        if theirs != ours:
            faults.append(f"{name} differs: SHA-256 {theirs} there, {ours} here")
    if not expected:
        faults.append(f"{directory} holds no files")
    if faults:
        sys.exit("The upload is not what the directory holds:\n  " + "\n  ".join(faults))

    message = f"{len(expected)} files, {total / (1 << 20):.1f} MB: byte for byte the same as the local ones"
    left_out = sorted(local.keys() - expected.keys())
    if left_out:
        message += f"; {', '.join(left_out)} {'was' if len(left_out) == 1 else 'were'} left out"
    return message


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: verify_upload.py BLOB_URI DIRECTORY")
    try:
        print(main(sys.argv[1], sys.argv[2]))
    except urllib.error.URLError as error:
        sys.exit(f"Azurite did not give what {sys.argv[1]} holds: {error}")
