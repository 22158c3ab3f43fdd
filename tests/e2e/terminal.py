"""A terminal for tests: a command on a pty, its screen as a person sees it, keys, and sizes.

It understands what Freehold writes: text, CR, LF, colours, cursor up, clear to the end of line or screen. Anything else is
an error: a test then says so instead of guessing.
"""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

SEQUENCE = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])")


class Terminal:
    def __init__(self, words, columns=80, rows=24, environment=None, cwd=None):
        self.columns, self.rows = columns, rows
        self.lines, self.row, self.column = [""], 0, 0
        self.raw, self.unread = "", ""
        self.frames = []  # the screen after each piece of output
        self.descriptor, inner = pty.openpty()
        self._set_size()
        self.process = subprocess.Popen(words, stdin=inner, stdout=inner, stderr=inner, cwd=cwd, env=environment, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(inner)

    def _set_size(self):
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))

    def resize(self, columns, rows=None):
        """Only the size: what stands there is not wrapped anew, as on terminals without reflow."""
        self.columns, self.rows = columns, rows or self.rows
        self._set_size()

    def press(self, keys):
        os.write(self.descriptor, keys)

    def close(self):
        """The window is closed: a hangup for whoever runs in it."""
        os.close(self.descriptor)
        self.descriptor = None

    def read(self, seconds=0.05):
        """Takes in what was written; False at the end."""
        if not select.select([self.descriptor], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.descriptor, 65536)
        except OSError:
            return False
        self._show(data.decode(errors="replace"))
        self.frames.append(self.screen())
        return True

    def until(self, condition, seconds=60):
        until = time.monotonic() + seconds
        while not condition(self.screen()):
            assert time.monotonic() < until, f"not within {seconds} s:\n{self.screen()}"
            assert self.read() or condition(self.screen()), f"it has ended:\n{self.screen()}"

    def wait(self, seconds=60):
        """-> exit status, as subprocess gives it."""
        until = time.monotonic() + seconds
        while self.read():
            assert time.monotonic() < until, f"not ended within {seconds} s:\n{self.screen()}"
            if self.process.poll() is not None and not select.select([self.descriptor], [], [], 0)[0]:
                break
        return self.process.wait(max(0.1, until - time.monotonic()))

    def screen(self):
        return "\n".join(self.lines)

    def _show(self, text):
        self.raw += text
        text = self.unread + text
        self.unread = ""
        while text:
            if text[0] == "\x1b":
                found = SEQUENCE.match(text)
                if not found:
                    assert len(text) < 12, f"not understood: {text[:20]!r}"
                    self.unread = text
                    return
                self._move(found[1], found[2])
                text = text[found.end():]
                continue
            self._put(text[0])
            text = text[1:]

    def _move(self, number, letter):
        if letter == "m":
            return
        if letter == "A":
            self.row = max(0, self.row - int(number or 1))
        elif letter == "K":
            self.lines[self.row] = self.lines[self.row][:self.column]
        elif letter == "J":
            self.lines[self.row] = self.lines[self.row][:self.column]
            del self.lines[self.row + 1:]
        else:
            raise AssertionError(f"not understood: CSI {number}{letter}")

    def _down(self):
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append("")

    def _put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self._down()
        elif character >= " ":
            if self.column == self.columns:
                self._down()
                self.column = 0
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[:self.column] + character + line[self.column + 1:]
            self.column += 1
        else:
            raise AssertionError(f"not understood: {character!r}")
