"""Fake of a Foundry project with very many models: serves their list from memory until its standard input
ends.

    bench_pages.py MODELS URL_FILE
"""

import http.server
import json
import os
import sys
import threading

ON_A_PAGE = 100
PATH = "/api/projects/bench"


def model(number):
    """A model of the size that the service returns: about a kilobyte."""
    name = f"support-model-{number:06}"
    return {
        "id": f"azureai://accounts/bench/projects/bench/models/{name}/versions/1",
        "name": name,
        "version": "1",
        "description": "Tuned on the tickets of last year; see the wiki for how it was evaluated and by whom.",
        "tags": {"team": f"team-{number % 40}", "stage": "prod", "baseArchitecture": "FW-GPT-OSS-120B"},
        "blobUri": f"https://benchstorage.blob.core.windows.net/{name}-0f1e2d3c4b5a",
        "weightType": "FullWeight",
        "baseModel": "azureml://registries/azureml-fireworks/models/FW-GPT-OSS-120B/versions/1",
        "source": {"sourceType": "LocalUpload"},
        "artifactProfile": {"category": "DataOnly", "signals": []},
        "provisioningState": "Succeeded",
        "systemData": {
            "createdAt": "2026-02-14T10:30:00.1234567Z",
            "createdBy": "user@contoso.com",
            "createdByType": "User",
            "lastModifiedAt": "2026-02-14T10:30:00.1234567Z",
        },
    }


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # One write per response.
    wbufsize = -1
    pages = []

    def do_GET(self):
        page = int(self.path.rsplit("=", 1)[1]) if "skipToken=" in self.path else 0
        body = self.pages[page]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main(models, url_file):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_address[1]}{PATH}"
    for first in range(0, models, ON_A_PAGE):
        answer = {"value": [model(number) for number in range(first, min(first + ON_A_PAGE, models))]}
        if first + ON_A_PAGE < models:
            answer["nextLink"] = f"{url}/models?api-version=v1&skipToken={first // ON_A_PAGE + 1}"
        Handler.pages.append(json.dumps(answer).encode())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with open(f"{url_file}.partial", "w") as out:
        out.write(url)
    os.rename(f"{url_file}.partial", url_file)
    sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
