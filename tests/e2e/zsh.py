#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What zsh makes of a line with contrib/completion: zsh.py LINE ADDED

Types the line and Tab into a zsh on a pseudo-terminal, which must add that.
"""
import os
import pty
import re
import select
import signal
import sys
import time

PATIENCE = float(os.environ["PATIENCE"])
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\x07")


def start():
    program = os.environ["IPMASQADM"]
    functions = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../contrib/completion")
    child, fd = pty.fork()
    if child == 0:
        os.environ.update(TERM="dumb", PATH=f"{os.path.dirname(program)}:{os.environ['PATH']}")
        os.execvp("zsh", ["zsh", "-f"])
    os.write(fd, f"PS1='' fpath=({functions} $fpath); autoload -U compinit; compinit -u -D; "
                 "echo rea''dy\r".encode())
    return child, fd


def read_until(fd, what):
    text = ""
    end = time.monotonic() + PATIENCE
    while what not in text:
        if time.monotonic() > end:
            sys.exit(f"waited for {what!r}, got {text!r}")
        if select.select([fd], [], [], 0.2)[0]:
            text = ESCAPES.sub("", text + os.read(fd, 65536).decode(errors="replace"))


def main():
    child, fd = start()
    try:
        read_until(fd, "ready")
        os.write(fd, sys.argv[1].encode())
        read_until(fd, sys.argv[1][-4:])
        os.write(fd, b"\t")
        read_until(fd, sys.argv[2])
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


main()
