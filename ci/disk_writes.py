#!/usr/bin/env python3
"""Runs a command, and prints how much it wrote to disk.

    disk_writes.py FILE COMMAND...

FILE gets the number of bytes that the command and all that it started gave to file systems on disks, as the kernel counts
them for each process (getrusage: ru_oublock, in units of 512 bytes, counted when a page becomes dirty). Sockets and pipes
do not count.
"""

import resource
import subprocess
import sys

if len(sys.argv) < 3:
    sys.exit("usage: disk_writes.py FILE COMMAND...")
code = subprocess.run(sys.argv[2:]).returncode
with open(sys.argv[1], "w") as out:
    out.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_oublock * 512))
sys.exit(code)
