"""Upload tools of ci/bench.py, and the servers that it uploads to."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import bench_measure

MIB = 1 << 20
SAS = "sv=2025-07-05&se=2099-01-01T00%3A00%3A00Z&sr=c&sp=racwdl&sig=YmVuY2g%3D"
SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"

NATIVE = "native"
NO_HASH = "native, no hash"
CREATE_AZCOPY = "create with AzCopy"
AZCOPY = "AzCopy"
RCLONE = "rclone"
SDK = "azure-storage-blob"
# Suffix of the same tool with the program of BENCH_BASELINE.
BEFORE = " (before)"


class Programs:
    """Paths of all programs, from the environment that ci/bench.sh sets."""

    def __init__(self):
        self.ours = os.environ["BENCH_BINARY"]
        self.before = os.environ.get("BENCH_BASELINE")
        self.servers = os.environ["BENCH_SERVERS"]
        self.azcopy = os.environ["BENCH_AZCOPY"]
        self.rclone = os.environ["BENCH_RCLONE"]
        self.python = os.environ["BENCH_PYTHON"]
        self.empty = os.environ["BENCH_EMPTY"]

    def versions(self):
        def first_line(*arguments):
            return subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.splitlines()[0]

        sdk = "import azure.storage.blob as b, sys; print(b.__version__, 'on Python', sys.version.split()[0])"
        return {
            "AzCopy": first_line(self.azcopy, "--version").split()[-1],
            "rclone": first_line(self.rclone, "version").split()[-1].lstrip("v"),
            "azure-storage-blob": first_line(self.python, "-c", sdk),
        }


def wait_for(child, file):
    """Content of the file that a server writes when it answers."""
    for _ in range(3000):
        if os.path.exists(file):
            with open(file) as text:
                return text.read()
        if child.poll() is not None:
            break
        time.sleep(0.01)
    sys.exit(f"{child.args[0]} did not start")


class Server:
    """Server that stops at the end of its standard input."""

    def __init__(self, arguments, ready_file):
        self.child = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.url = wait_for(self.child, ready_file)

    def stop(self):
        self.child.stdin.close()
        self.child.wait(timeout=30)


class Foundry:
    """Emulator of a Foundry project whose directory is `home`."""

    def __init__(self, programs, home, options):
        file = os.path.join(home, "endpoint")
        arguments = [f"{programs.servers}/foundry-emulator", "--port", "0", "--polls", "0", "--write-endpoint", file]
        self.child = subprocess.Popen([*arguments, *options], stdout=subprocess.DEVNULL)
        self.endpoint = wait_for(self.child, file)

    def stop(self):
        self.child.terminate()
        self.child.wait(timeout=30)


class Place:
    """Blob store and Foundry project of one run, in a separate directory."""

    def __init__(self, programs, line=(), foundry=()):
        self.programs = programs
        self.home = tempfile.mkdtemp(prefix="bench-")
        self.authorities = self.path("authorities.pem")
        authority = self.path("authority.pem")
        arguments = [f"{programs.servers}/bench-store", "--url", self.path("url"), "--report", self.path("report.json")]
        self.store = Server([*arguments, "--authority", authority, *line], self.path("url"))
        # As on every machine, the system's CA certificates are read, one of which is the right one.
        with open(self.authorities, "wb") as out:
            for name in (SYSTEM_AUTHORITIES, authority):
                with open(name, "rb") as file:
                    shutil.copyfileobj(file, out)
        self.foundry = Foundry(programs, self.home, ["--store", self.store.url, *foundry])

    def path(self, name):
        return os.path.join(self.home, name)

    def close(self):
        """Stops the servers. Returns the store's report, with the CPU seconds that it used."""
        self.foundry.stop()
        cpu = bench_measure.process_cpu(self.store.child.pid)
        self.store.stop()
        with open(self.path("report.json")) as file:
            report = json.load(file) | {"cpu": cpu}
        shutil.rmtree(self.home)
        return report

    def command(self, tool, directory, more=(), program=None):
        """Arguments and environment of a tool that uploads a directory here."""
        programs = self.programs
        environment = {
            "HOME": self.home,
            "PATH": f"{os.path.dirname(programs.azcopy)}:/usr/bin:/bin",
            "SSL_CERT_FILE": self.authorities,
        }
        container = f"{self.store.url}/bench?{SAS}"
        if tool == AZCOPY:
            environment |= {"AZCOPY_LOG_LOCATION": self.home, "AZCOPY_JOB_PLAN_LOCATION": self.home}
            source = os.path.join(directory, "*")
            return [programs.azcopy, "copy", source, container, "--recursive", "--from-to=LocalBlob"], environment
        if tool == RCLONE:
            environment |= {"RCLONE_CONFIG_STORE_TYPE": "azureblob", "RCLONE_CONFIG_STORE_SAS_URL": container}
            tuning = ["--transfers=32", "--azureblob-upload-concurrency=32", "--azureblob-chunk-size=8M"]
            # The other tools neither send nor compare an MD5; without these two options rclone would compute it.
            tuning += ["--azureblob-disable-checksum", "--ignore-checksum", "--config="]
            return [programs.rclone, "copy", directory, "store:bench", *tuning], environment
        if tool == SDK:
            script = os.path.join(os.path.dirname(__file__), "bench_sdk.py")
            return [programs.python, script, directory, container, self.authorities], environment
        environment |= {"AZURE_PROJECT_ENDPOINT": self.foundry.endpoint, "AZURE_AI_MODELS_CREDENTIAL": "emulator"}
        program = program or (programs.before if tool.endswith(BEFORE) else programs.ours)
        engine = {
            CREATE_AZCOPY: ["--engine", "azcopy"],
            NATIVE: ["--engine", "native"],
            NO_HASH: ["--engine", "native", "--no-hash"],
        }[tool.removesuffix(BEFORE)]
        create = ["custom", "create", "--name", "bench", "--source", directory, "--skip-check", "-o", "json"]
        return [program, *create, *engine, *more], environment


def upload(programs, tool, directory, line=(), foundry=(), more=(), program=None, may_fail=False):
    """Measures one upload, and checks that it is complete. Returns the measurement and the store's report."""
    place = Place(programs, line, foundry)
    measured = bench_measure.run(*place.command(tool, directory, more, program))
    report = place.close()
    expected = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            expected[os.path.relpath(path, directory)] = os.path.getsize(path)
    arrived = {blob["name"].split("/", 1)[1]: blob["bytes"] for blob in report["blobs"]}
    has_failed = measured.exit_code != 0 or arrived != expected
    if has_failed and not may_fail:
        wrong = [name for name in {**expected, **arrived} if expected.get(name) != arrived.get(name)]
        sys.exit(
            f"{tool}: exit code {measured.exit_code}, {len(wrong)} of {len(expected)} files did not arrive"
            f" ({', '.join(wrong[:3])}); refused: {report['refusals']}\n{measured.errors}"
        )
    return measured, report, has_failed


def write_files(directory, files):
    """Files of these sizes, of random content; no two pieces are equal."""
    block = os.urandom(MIB)
    for name, size in files:
        path = os.path.join(directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            for start in range(0, size, MIB):
                out.write(os.urandom(16) + block[16 : min(MIB, size - start)])
    os.sync()
