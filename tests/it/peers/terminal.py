"""Runs a program on a pseudo-terminal that misbehaves, and says how it ended.

    terminal.py ROWS COLUMNS (read|ignore) [--resize ROWS COLUMNS] [--interrupt SECONDS] -- PROGRAM ARGUMENT...

With `ignore` nobody reads what the terminal is sent, nor answers what it is asked. A resize comes half a second after
the start, an interrupt when it is said. Prints the exit code, or `still running` when it had to be killed after
twenty seconds.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

LIMIT = 20.0


def resize(terminal, rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def main(words):
    options, program = words[: words.index("--")], words[words.index("--") + 1 :]
    rows, columns, reads = int(options[0]), int(options[1]), options[2] == "read"
    later = options.index("--resize") + 1 if "--resize" in options else None
    interrupt = float(options[options.index("--interrupt") + 1]) if "--interrupt" in options else LIMIT
    ours, theirs = pty.openpty()
    resize(theirs, rows, columns)
    child = os.fork()
    if child == 0:
        os.close(ours)
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
        for stream in range(3):
            os.dup2(theirs, stream)
        os.execv(program[0], program)
    os.close(theirs)
    began = time.monotonic()
    while time.monotonic() - began < LIMIT:
        if reads and select.select([ours], [], [], 0.05)[0]:
            try:
                os.read(ours, 65536)
            except OSError:
                pass
        elif not reads:
            time.sleep(0.05)
        since = time.monotonic() - began
        if later and since > 0.5:
            resize(ours, int(options[later]), int(options[later + 1]))
            later = None
        if since > interrupt:
            os.kill(child, signal.SIGINT)
            interrupt = LIMIT
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            print(os.waitstatus_to_exitcode(status))
            return
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    print("still running")


main(sys.argv[1:])
