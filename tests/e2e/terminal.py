# SPDX-License-Identifier: GPL-2.0-or-later
"""terminal.py KEY COMMAND...: a command on a terminal of its own, until KEY is typed at its second
frame; it has to leave with status 0, the screen and the terminal as they were."""
import fcntl
import os
import pty
import sys
import termios
import time

key, command = sys.argv[1], sys.argv[2:]
controller, terminal = pty.openpty()
before = termios.tcgetattr(terminal)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(terminal, fd)
    os.execv(command[0], command)
os.set_blocking(controller, False)
seen, status, typed, deadline = b"", None, False, time.monotonic() + float(os.environ["PATIENCE"])
while time.monotonic() < deadline:
    try:
        seen += os.read(controller, 65536)
    except BlockingIOError:
        time.sleep(0.02)
    if not typed and seen.count(b"\x1b[H\x1b[J") >= 2:
        os.write(controller, key.encode())
        typed = True
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        break
else:
    sys.exit(f"it does not end; it showed: {seen!r}")
try:
    seen += os.read(controller, 65536)
except (BlockingIOError, OSError):
    pass
assert status == 0, f"status {status}, it showed: {seen!r}"
assert seen.startswith(b"\x1b[?1049h\x1b[?25l"), seen
assert seen.rstrip().endswith(b"\x1b[?25h\x1b[?1049l"), seen
assert b"198.51.100.1" in seen, seen
assert termios.tcgetattr(terminal) == before, "the terminal is not as it was"
