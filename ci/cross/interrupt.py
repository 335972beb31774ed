#!/usr/bin/env python3
"""Runs a command on its own terminal, copies its output, and presses Ctrl+C once PATTERN was shown.

    interrupt.py PATTERN COMMAND...

Exits with the command's exit code.
"""

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time

ROWS, COLUMNS = 40, 200
LIMIT = 200


def main(pattern: str, command: list[str]) -> int:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    shown, is_pressed, end = "", False, time.monotonic() + LIMIT
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            part = os.read(terminal, 1 << 16)
        except OSError:  # the command has closed the terminal
            part = b""
        if not part:
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        sys.stdout.buffer.write(part)
        sys.stdout.flush()
        shown += part.decode(errors="replace")
        if not is_pressed and re.search(pattern, shown):
            os.write(terminal, b"\x03")
            is_pressed = True
    os.kill(pid, 9)
    sys.exit(f"interrupt.py: {command[0]} ran for {LIMIT} s")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: interrupt.py PATTERN COMMAND...")
    sys.exit(main(sys.argv[1], sys.argv[2:]))
