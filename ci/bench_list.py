"""Measures `list` of 10,000 models in 100 pages beside curl, which reads the same pages over one connection.

    bench_list.py seed FILE
    bench_list.py compare PROGRAM ENDPOINT

The limit is for the emulator, which works for its pages as a service does. Pages that lie ready in memory are measured
too, without a limit: there the time is nothing but the client's own.
"""

import http.server
import json
import shutil
import statistics
import subprocess
import sys
import threading
import time

PAGES, ON_A_PAGE, RUNS = 100, 100, 9
PATH = "/api/projects/bench/models"


def model(number):
    """As large as the service's: about a kilobyte."""
    name = f"support-model-{number:05}"
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


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # One write an answer.
    wbufsize = -1
    pages = []
    connections = 0

    def setup(self):
        Server.connections += 1
        super().setup()

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


def serve():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    origin = f"http://127.0.0.1:{server.server_address[1]}"
    urls = [f"{origin}{PATH}?api-version=v1"] + [f"{origin}{PATH}?api-version=v1&skipToken={n}" for n in range(1, PAGES)]
    for page in range(PAGES):
        answer = {"value": [model(page * ON_A_PAGE + number) for number in range(ON_A_PAGE)]}
        if page + 1 < PAGES:
            answer["nextLink"] = urls[page + 1]
        Server.pages.append(json.dumps(answer).encode())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return origin, urls


# A child's peak counts what its parent had when it was started, so a small process starts it.
RUNNER = """
import resource, subprocess, sys, time
begun = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""


def run(arguments, environment):
    """Wall seconds, and the most memory in MB."""
    told = subprocess.run(
        [sys.executable, "-S", "-c", RUNNER, *arguments], env=environment, stdout=subprocess.PIPE, check=True, text=True
    )
    wall, memory = told.stdout.split()
    return float(wall), float(memory)


def seed(file):
    with open(file, "w") as out:
        json.dump([model(number) for number in range(PAGES * ON_A_PAGE)], out)


def measure(program, endpoint, urls, limit):
    headers = ["--header", "authorization: Bearer bench", "--header", "foundry-features: Models=V1Preview"]
    curl = [shutil.which("curl") or sys.exit("curl is missing"), "--silent", "--fail", "--noproxy", "*", *headers, *urls]
    ours = {
        "HOME": "/nonexistent",
        "AZURE_PROJECT_ENDPOINT": endpoint,
        "AZURE_AI_MODELS_CREDENTIAL": "emulator",
        "AZURE_AI_MODELS_API_VERSION": "v1",
    }
    listed = subprocess.run([program, "list", "-o", "json"], env=ours, stdout=subprocess.PIPE, check=True).stdout
    if len(json.loads(listed)) != PAGES * ON_A_PAGE:
        sys.exit("the list is not whole")
    for form in ("table", "json"):
        rows = {"curl": [], "list": []}
        for _ in range(RUNS):
            before = Server.connections
            rows["curl"].append(run(curl, {})[0])
            if Server.connections - before > 1:
                sys.exit("curl did not keep to one connection")
            wall, memory = run([program, "list", "-o", form], ours)
            rows["list"].append((wall, memory))
        base = statistics.median(rows["curl"])
        wall = statistics.median(wall for wall, _ in rows["list"])
        memory = max(memory for _, memory in rows["list"])
        print(
            f"list -o {form} of {PAGES * ON_A_PAGE:,} models: {wall:.3f} s, curl: {base:.3f} s,"
            f" ratio {wall / base:.2f} ({limit}); memory {memory:.1f} MB (less than 40)",
            flush=True,
        )


def compare(program, endpoint):
    first = f"{endpoint}/models?api-version=v1"
    urls = [first] + [f"{first}&skipToken={page * ON_A_PAGE}" for page in range(1, PAGES)]
    measure(program, endpoint, urls, "at most 1.5")
    print("The same from memory:")
    origin, urls = serve()
    measure(program, f"{origin}/api/projects/bench", urls, "no limit")


if __name__ == "__main__":
    {"seed": seed, "compare": compare}[sys.argv[1]](*sys.argv[2:])
