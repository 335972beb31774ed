"""Runs the recorded session on a pseudo terminal, replays its output with pyte, and writes an animated SVG.

The SVG is a strip of screens that CSS moves; without animations it shows the last one."""
import os
import pty
import select
import signal
import struct
import sys
import time
import fcntl
import termios
from html import escape

import pyte

COLUMNS, ROWS = 100, 27
CELL, LINE, MARGIN, BAR = 8.45, 18, 16, 30
FRAME = 0.12  # seconds between two screens
END = 4.0  # seconds that the last screen stays
COLOURS = {
    "default": "#d4d4d4", "black": "#6e7681", "red": "#ff7b72", "green": "#7ee787", "brown": "#e3b341",
    "blue": "#79c0ff", "magenta": "#d2a8ff", "cyan": "#76e3ea", "white": "#f0f6fc",
    "brightblack": "#8b949e", "brightred": "#ff7b72", "brightgreen": "#7ee787", "brightbrown": "#e3b341",
    "brightblue": "#79c0ff", "brightmagenta": "#d2a8ff", "brightcyan": "#76e3ea", "brightwhite": "#ffffff",
}
CREATE = ["azure-ai-models", "custom", "create", "--name", "my-model", "--source", "./my-model",
          "--base-model", "FW-GLM-4.7", "--engine", "native", "--parallel", "4"]
# Commands, and the seconds after which Ctrl+C is pressed.
SESSION = [(CREATE, 4.3), (CREATE, None), (["azure-ai-models", "custom", "list"], None)]


class Recorder:
    """A screen and its recorded states: (time, lines), time in seconds since the start."""

    def __init__(self):
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.ByteStream(self.screen)
        self.start = time.monotonic()
        self.frames = []

    def feed(self, data):
        self.stream.feed(data)

    def look(self):
        now = time.monotonic() - self.start
        lines = tuple(self.line(row) for row in range(ROWS))
        if not self.frames or lines != self.frames[-1][1]:
            self.frames.append((now, lines))

    def line(self, row):
        """One line as parts of one colour: ((column, text, colour, bold), ...)."""
        parts = []
        for column in range(COLUMNS):
            cell = self.screen.buffer[row][column]
            style = (COLOURS.get(cell.fg, COLOURS["default"]), cell.bold)
            if parts and parts[-1][2:] == style:
                parts[-1] = (*parts[-1][:1], parts[-1][1] + cell.data, *style)
            else:
                parts.append((column, cell.data, *style))
        return tuple((column + len(text) - len(text.lstrip()), text.strip(), *style)
                     for column, text, *style in parts if text.strip())

    def type(self, words):
        self.feed(b"\x1b[92m$\x1b[0m ")
        text = " ".join(words)
        for at in range(0, len(text), 6):
            self.feed(text[at:at + 6].encode())
            self.look()
            time.sleep(0.05)
        time.sleep(0.4)
        self.feed(b"\r\n")

    def run(self, words, interrupt):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvp(words[0], words)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        begun = looked = time.monotonic()
        while True:
            if interrupt and time.monotonic() - begun > interrupt:
                os.write(terminal, b"\x03")
                interrupt = None
            ready, _, _ = select.select([terminal], [], [], 0.02)
            if ready:
                try:
                    data = os.read(terminal, 65536)
                except OSError:
                    break
                if not data:
                    break
                self.feed(data)
            if time.monotonic() - looked > FRAME:
                looked = time.monotonic()
                self.look()
        self.look()
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)


def svg(frames):
    width, height = COLUMNS * CELL + 2 * MARGIN, ROWS * LINE + 2 * MARGIN + BAR
    known = {}
    for _, lines in frames:
        for line in lines:
            if line:
                known.setdefault(line, f"l{len(known)}")
    length = frames[-1][0] + END
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 {width:.0f} {height}" '
        f'font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,DejaVu Sans Mono,monospace" font-size="14">',
        "<title>azure-ai-models on a terminal: an upload with a progress bar, interrupted, resumed and registered</title>",
        "<style>.b{font-weight:bold}",
        "@media (prefers-reduced-motion:no-preference){"
        f"#s{{animation:s {length:.2f}s steps(1,end) infinite}}",
        "@keyframes s{",
        *(f"{100 * at / length:.3f}%{{transform:translateY({-number * ROWS * LINE}px)}}"
          for number, (at, _) in enumerate(frames)),
        f"100%{{transform:translateY({-(len(frames) - 1) * ROWS * LINE}px)}}",
        "}}</style>",
        "<defs>",
    ]
    for line, name in known.items():
        texts = "".join(
            f'<text x="{column * CELL:.1f}" fill="{colour}" textLength="{len(text) * CELL:.1f}" '
            f'lengthAdjust="spacingAndGlyphs"{" class=" + chr(34) + "b" + chr(34) if bold else ""}>{escape(text).replace(" ", chr(160))}</text>'
            for column, text, colour, bold in line)
        out.append(f'<g id="{name}">{texts}</g>')
    out.append("</defs>")
    out.append(f'<rect width="{width:.0f}" height="{height}" rx="8" fill="#0d1117"/>')
    for number, colour in enumerate(("#ff5f56", "#ffbd2e", "#27c93f")):
        out.append(f'<circle cx="{20 + 20 * number}" cy="18" r="6" fill="{colour}"/>')
    out.append(f'<svg x="{MARGIN}" y="{MARGIN + BAR}" width="{width - 2 * MARGIN:.0f}" height="{ROWS * LINE}">')
    still = (len(frames) - 1) * ROWS * LINE
    out.append(f'<g id="s" transform="translate(0,{-still})">')
    for number, (_, lines) in enumerate(frames):
        for row, line in enumerate(lines):
            if line:
                out.append(f'<use xlink:href="#{known[line]}" y="{(number * ROWS + row) * LINE + 14}"/>')
    out.append("</g></svg></svg>")
    return "\n".join(out) + "\n"


def main():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    recorder = Recorder()
    for words, interrupt in SESSION:
        recorder.type(words)
        code = recorder.run(words, interrupt)
        wanted = 130 if interrupt else 0
        if code != wanted:
            sys.exit("\n".join(["record.py: " + " ".join(words) + f" ended with {code}:", *recorder.screen.display]))
        time.sleep(1.2)
    os.makedirs(os.path.dirname(sys.argv[1]), exist_ok=True)
    with open(sys.argv[1], "w") as out:
        out.write(svg(recorder.frames))
    print(f"{len(recorder.frames)} screens in {recorder.frames[-1][0]:.1f} s")


main()
