"""Runs one program until it ends and measures it: wall, CPU of the whole process tree, peak memory, CPU of each thread."""

import os
import select
import signal
import time
from dataclasses import dataclass, field

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Measured:
    """Seconds, and MiB of memory."""

    wall: float
    # User and system time of the process and of its descendants.
    cpu: float
    # Sum of the peaks of all processes of the tree.
    memory: float
    # Name and CPU seconds of each thread, the busiest first.
    threads: list = field(default_factory=list)
    # CPU of the process without its descendants.
    own_cpu: float = 0
    exit_code: int = 0
    errors: str = ""


class Sampler:
    """Last known values of a tree of processes, except for each thread's last interval."""

    def __init__(self, pid):
        self.pid = pid
        self.names = {}
        self.threads = {}
        self.memory = {}

    def sample(self):
        waiting = [self.pid]
        while waiting:
            process = waiting.pop()
            try:
                tasks = os.listdir(f"/proc/{process}/task")
                self.sample_memory(process)
            except OSError:  # the process has ended
                continue
            for task in tasks:
                waiting += self.sample_thread(process, task)

    def sample_thread(self, process, task):
        """CPU of a thread. Returns the processes that it started."""
        try:
            with open(f"/proc/{process}/task/{task}/schedstat") as file:
                self.threads[task] = int(file.read().split()[0]) / 1e9
            # A thread gets its name a moment after it starts, and some change it.
            with open(f"/proc/{process}/task/{task}/comm") as file:
                self.names[task] = file.read().strip()
            with open(f"/proc/{process}/task/{task}/children") as file:
                return [int(child) for child in file.read().split()]
        except OSError:
            return []

    def sample_memory(self, process):
        with open(f"/proc/{process}/status") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    self.memory[process] = int(line.split()[1]) / 1024


def run(arguments, environment, interval=0.05, kill_after=None):
    """Runs a program with an open standard input that is never written, and without standard output: with anything
    else, AzCopy uses a whole core. `kill_after`: seconds until SIGKILL."""
    silent, held = os.pipe()
    errors, errors_write = os.pipe()
    null = os.open(os.devnull, os.O_WRONLY)
    actions = [
        (os.POSIX_SPAWN_DUP2, silent, 0),
        (os.POSIX_SPAWN_DUP2, null, 1),
        (os.POSIX_SPAWN_DUP2, errors_write, 2),
    ]
    own_peak = resident_peak()
    begun = time.perf_counter()
    pid = os.posix_spawn(arguments[0], arguments, environment, file_actions=actions)
    for descriptor in (silent, null, errors_write):
        os.close(descriptor)
    ended = os.pidfd_open(pid)
    sampler, text = Sampler(pid), b""
    watched = select.poll()
    watched.register(ended, select.POLLIN)
    watched.register(errors, select.POLLIN)
    next_sample = begun + interval
    while True:
        ready = {number for number, _ in watched.poll(max(next_sample - time.perf_counter(), 0) * 1000)}
        if ended in ready:
            break
        if errors in ready:
            part = os.read(errors, 65536)
            text = (text + part)[-20000:]
            if not part:
                watched.unregister(errors)
        now = time.perf_counter()
        if now >= next_sample:
            sampler.sample()
            next_sample = now + interval
        if kill_after and now - begun > kill_after:
            os.kill(pid, signal.SIGKILL)
            kill_after = None
    wall = time.perf_counter() - begun
    # Not reaped yet: the first thread still reports its time.
    sampler.sample_thread(pid, str(pid))
    own_cpu = process_cpu(pid)
    _, status, usage = os.wait4(pid, 0)
    os.set_blocking(errors, False)
    try:
        text += os.read(errors, 65536)
    except BlockingIOError:  # a process that outlived its parent holds it open
        pass
    for descriptor in (held, errors, ended):
        os.close(descriptor)
    # The kernel's peak includes this process's memory at the fork: used only above that.
    peak = usage.ru_maxrss / 1024
    memory = max(sum(sampler.memory.values()), peak if peak > own_peak else 0)
    threads = sorted(((sampler.names[task], cpu) for task, cpu in sampler.threads.items()), key=lambda one: -one[1])
    return Measured(
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        memory=memory,
        threads=threads,
        own_cpu=own_cpu,
        exit_code=os.waitstatus_to_exitcode(status),
        errors=text.decode(errors="replace"),
    )


def resident_peak():
    """Peak memory of this process in MiB."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM:"))


def process_cpu(pid):
    """CPU seconds of a process so far, without its descendants."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS
