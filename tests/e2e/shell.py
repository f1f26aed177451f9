#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The shell of ipmasqadm on a terminal: shell.py CASE DIRECTORY

Each case types into a pseudo-terminal, as somebody at a console would, and reads what appears.  The
rules are those of the network namespace that it runs in, which shell.sh has made; DIRECTORY is an
empty one for the history and other files.
"""
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time

PROGRAM = os.environ["IPMASQADM"]
PATIENCE = float(os.environ["PATIENCE"])
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\x07")
PROMPT = r"ipmasqadm(?: transaction)?(?: \(exit \d+\))?> "
CTRL_C, CTRL_D, UP, TAB, ENTER = "\x03", "\x04", "\x1b[A", "\t", "\r"
FORWARD = "portfw -A -P tcp -L 198.51.100.10 8080 -R 10.0.0.11 80"
OTHER = "portfw -A -P tcp -L 198.51.100.10 8081 -R 10.0.0.11 80"


class Terminal:
    """A shell on a terminal of its own, at its first prompt."""

    def __init__(self, directory, *arguments):
        self.text = ""
        self.child, self.fd = pty.fork()
        if self.child == 0:
            os.environ.update(TERM="xterm", XDG_STATE_HOME=directory, INPUTRC="/dev/null")
            os.execv(PROGRAM, [PROGRAM, *arguments])
        self.expect(PROMPT + "$")

    def read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # the other end is closed
            data = b""
        self.text = ESCAPES.sub("", self.text + data.decode(errors="replace"))
        return bool(data)

    def expect(self, pattern):
        """Reads on until what has not been read yet matches; what was before that, and the match."""
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.text)):
            if time.monotonic() > end or (not self.read(0.2) and self.gone()):
                raise AssertionError(f"waited for {pattern!r}, got {self.text!r}")
        before, self.text = self.text[:found.start()], self.text[found.end():]
        return before + found.group()

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def run(self, line, prompt=PROMPT):
        """Types a line; what appears below it, up to the prompt, which must be like this."""
        self.type(line + ENTER)
        self.expect(r"\r\n")
        return self.expect(prompt + "$").lstrip("\r")

    def gone(self):
        """Whether the shell has ended, without waiting for it."""
        return os.waitid(os.P_PID, self.child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def end(self):
        """Reads to the end; the exit status, and that the terminal is as it was."""
        end = time.monotonic() + PATIENCE
        while not self.gone():
            assert time.monotonic() < end, "it does not leave"
            self.read(0.1)
        while self.read(0):
            pass
        flags = termios.tcgetattr(self.fd)[3]
        assert flags & termios.ICANON and flags & termios.ECHO, "the terminal is not as it was"
        return os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])

    def expect_hanging(self):
        """A command that was typed runs, since readline has given the terminal back, and says nothing."""
        end = time.monotonic() + PATIENCE
        while not termios.tcgetattr(self.fd)[3] & termios.ICANON:
            assert time.monotonic() < end, "no command runs"
            time.sleep(0.02)
        time.sleep(0.5)
        self.read(0)
        expect_equal(self.text.strip(), "")

    def leave(self):
        self.type(CTRL_D)
        return self.end()


def saved():
    """The rules of the kernel, as another process sees them."""
    text = subprocess.run([PROGRAM, "save"], capture_output=True, text=True, check=True).stdout
    return [line for line in text.splitlines() if not line.startswith("#")]


def adm(*words):
    subprocess.run([PROGRAM, *words], check=True)


def expect_equal(got, wanted):
    assert got == wanted, f"got {got!r}, not {wanted!r}"


def completion(directory):
    shell = Terminal(directory)
    shell.run(f"portf{TAB}-A -P t{TAB}-L 198.51.100.10{TAB} 8080 -R 10.0.0.11 htt{TAB}-alt")
    expect_equal(saved(), ["portfw -A -P tcp -L 198.51.100.10 8080 -R 10.0.0.11 8080"])
    shell.run(f"portfw -D -P {TAB}-L 1{TAB}{TAB}")  # all of it from the rule that is there
    expect_equal(saved(), [])
    shell.run(f"masq -A -S 10.0.0.0/24 -o outs{TAB}")
    expect_equal(saved(), ["masq -A -S 10.0.0.0/24 -o outside"])
    shell.run(f"flu{TAB}")
    shell.run(f"beg{TAB}", "ipmasqadm transaction> ")
    shell.run(f"abo{TAB}", "ipmasqadm> ")
    shell.type("portfw -" + TAB + TAB)
    assert "--dry-run" in shell.expect("-R"), "no list of options"
    shell.type(CTRL_C)
    shell.expect(PROMPT + "$")
    with open(f"{directory}/only.rules", "w", encoding="ascii") as file:
        file.write(FORWARD + "\n")
    shell.run(f"restore {directory}/onl{TAB}")
    expect_equal(saved(), [FORWARD])
    expect_equal(shell.leave(), 0)


def history(directory):
    shell = Terminal(directory)
    shell.run(FORWARD)
    shell.run("portfw -F")
    shell.run(UP + UP)
    expect_equal(saved(), [FORWARD])
    shell.leave()
    file = f"{directory}/ipmasqadm/history"
    expect_equal(oct(os.stat(file).st_mode), "0o100600")
    with open(file, encoding="ascii") as lines:
        expect_equal(lines.read().splitlines(), [FORWARD, "portfw -F", FORWARD])
    shell = Terminal(directory)
    shell.run(UP + UP)  # of the session before
    expect_equal(saved(), [])
    shell.leave()


def history_link(directory):
    """A history that is a link, of either kind, is left alone; the shell works without."""
    os.mkdir(f"{directory}/ipmasqadm")
    with open(f"{directory}/precious", "w", encoding="ascii") as file:
        file.write("precious\n")
    for link in os.symlink, os.link:
        link(f"{directory}/precious", f"{directory}/ipmasqadm/history")
        shell = Terminal(directory)
        shell.run(FORWARD)
        shell.leave()
        os.unlink(f"{directory}/ipmasqadm/history")
        with open(f"{directory}/precious", encoding="ascii") as file:
            expect_equal(file.read(), "precious\n")
        expect_equal(saved(), [FORWARD])


def transaction(directory):
    adm(*FORWARD.split())
    shell = Terminal(directory)
    shell.run("begin", "ipmasqadm transaction> ")
    shell.run("portfw -F", "ipmasqadm transaction> ")
    shell.run(OTHER, "ipmasqadm transaction> ")
    shell.run("masq -A -S 10.0.0.0/99", r"ipmasqadm transaction \(exit 2\)> ")
    listing = shell.run("portfw -L -n")
    assert " 8081 " in listing and " 8080 " not in listing, f"not as if done: {listing}"
    expect_equal(saved(), [FORWARD])
    pending = shell.run("show")
    assert f"- {FORWARD}\r\n" in pending and f"+ {OTHER}\r\n" in pending, pending
    shell.run("commit", "ipmasqadm> ")
    expect_equal(saved(), [OTHER])
    shell.run("begin", "ipmasqadm transaction> ")
    shell.run("flush", "ipmasqadm transaction> ")
    expect_equal(shell.run("save", "ipmasqadm transaction> ").count("portfw"), 0)
    shell.run("abort", "ipmasqadm> ")
    expect_equal(saved(), [OTHER])
    assert "no transaction is open" in shell.run("commit", r"ipmasqadm \(exit 1\)> ")
    expect_equal(shell.leave(), 1)


def between(directory):
    """Another writer comes between: nothing of either is lost."""
    shell = Terminal(directory)
    shell.run("begin")
    shell.run(OTHER)
    adm(*FORWARD.split())
    shell.run("masq -A -S 10.0.0.0/24")
    adm("helper", "-A", "ftp", "ports=21")
    shell.run("commit", "ipmasqadm> ")
    expect_equal(sorted(saved()), sorted([FORWARD, OTHER, "masq -A -S 10.0.0.0/24",
                                          "helper -A ftp ports=21"]))
    shell.leave()


def failing_commit(directory):
    """What cannot be committed is not half done, and is still there to be dealt with."""
    adm(*FORWARD.split())
    shell = Terminal(directory)
    shell.run("begin")
    shell.run("masq -A -S 10.0.0.0/24")
    shell.run("portfw -D -P tcp -L 198.51.100.10 8080")
    adm("portfw", "-F")
    assert "still open" in shell.run("commit", r"ipmasqadm transaction \(exit 1\)> ")
    expect_equal(saved(), [])
    adm(*FORWARD.split())
    shell.run("commit", "ipmasqadm> ")
    expect_equal(saved(), ["masq -A -S 10.0.0.0/24"])
    shell.leave()


def interrupt_line(directory):
    shell = Terminal(directory)
    shell.run("begin")
    shell.run(FORWARD)
    shell.type("portfw -F")
    shell.expect("portfw -F")
    shell.type(CTRL_C)
    shell.expect(r"\^C\r\nipmasqadm transaction> $")
    shell.run("commit", "ipmasqadm> ")
    expect_equal(saved(), [FORWARD])
    shell.leave()


def interrupt_command(directory):
    """A command that hangs ends, the shell and the transaction do not."""
    pipe = f"{directory}/pipe"
    os.mkfifo(pipe)
    shell = Terminal(directory)
    shell.run("begin")
    shell.run(FORWARD)
    for line in (f"restore {pipe}", f"save {pipe}"):
        shell.type(line + ENTER)
        shell.expect(r"\r\n")
        shell.expect_hanging()
        shell.type(CTRL_C)
        shell.expect(r"ipmasqadm transaction \(exit 130\)> $")
    pending = shell.run("show", "ipmasqadm transaction> ")
    assert pending.startswith(f"+ {FORWARD}\r\n"), pending
    shell.run("commit", "ipmasqadm> ")
    expect_equal(saved(), [FORWARD])
    shell.type("restore -" + ENTER)
    shell.expect(r"\r\n")
    shell.expect_hanging()
    shell.type(CTRL_C)
    shell.expect(r"ipmasqadm \(exit 130\)> $")
    expect_equal(saved(), [FORWARD])
    expect_equal(shell.leave(), 130)


def paste(directory):
    def pasted(*lines):
        return "\x1b[200~" + "\n".join(lines) + "\x1b[201~"

    shell = Terminal(directory)
    shell.run(pasted(FORWARD, "# a comment", "", OTHER + "\n"), PROMPT)
    expect_equal(saved(), [FORWARD, OTHER])
    shell.run(pasted("flush", "portfw -X", FORWARD), r"(?s).*line 2 was not run\r\nipmasqadm \(exit 2\)> ")
    expect_equal(saved(), [])
    shell.type(FORWARD + ENTER + OTHER + ENTER)  # without the terminal's telling
    shell.expect(f"(?s){re.escape(OTHER)}.*ipmasqadm> $")
    expect_equal(saved(), [FORWARD, OTHER])
    shell.leave()


def prompt(directory):
    shell = Terminal(directory)
    shell.run("portfw -X", r"ipmasqadm \(exit 2\)> ")
    shell.run("", r"ipmasqadm \(exit 2\)> ")
    shell.run("portfw -D -P tcp -L 198.51.100.10 1", r"ipmasqadm \(exit 1\)> ")
    shell.run("portfw -L", "ipmasqadm> ")
    shell.run("shell", r"ipmasqadm \(exit 2\)> ")
    expect_equal(shell.leave(), 2)


def leaving(directory):
    for word in ("exit", "quit"):
        shell = Terminal(directory)
        shell.type(word + ENTER)
        expect_equal(shell.end(), 0)
    shell = Terminal(directory)
    shell.run("begin")
    shell.run(FORWARD)
    expect_equal(shell.leave(), 0)
    assert "not committed" in shell.text, shell.text
    shell = Terminal(directory, "shell")
    shell.run("begin")
    os.kill(shell.child, signal.SIGTERM)
    expect_equal(shell.end(), 0)
    expect_equal(saved(), [])


def flags(directory):
    adm(*FORWARD.split())
    shell = Terminal(directory, "--json", "--dry-run")
    assert '"lport": 8080' in shell.run("portfw -L")
    assert f"- {FORWARD}" in shell.run("flush")
    shell.run("begin")
    expect_equal(shell.run("flush"), "ipmasqadm transaction> ")  # commit shows
    assert f"- {FORWARD}" in shell.run("commit", "ipmasqadm> ")
    expect_equal(saved(), [FORWARD])
    shell.leave()
    shell = Terminal(directory)
    assert f"- {FORWARD}" in shell.run("flush --dry-run")
    shell.run("flush")  # the flag was that line's
    expect_equal(saved(), [])
    shell.leave()


def helping(directory):
    shell = Terminal(directory)
    text = shell.run("help")
    for word in ("begin", "commit", "abort", "show", "portfw", "restore"):
        assert f"  {word} " in text, f"{word} is not in the help"
    assert "-P PROTO" in shell.run("help portfw")
    assert "restore [-a]" in shell.run("help restore")
    assert "open a transaction" in shell.run("help begin")
    shell.run("help nosuch", r"ipmasqadm \(exit 2\)> ")
    shell.run("help two words", r"ipmasqadm \(exit 2\)> ")
    shell.leave()


def remote(directory):
    """The rules are in an ipmasqd, which IPMASQADM_ENGINE names: lines, completion and a refusal."""
    shell = Terminal(directory)
    shell.run(FORWARD)
    expect_equal(saved(), [FORWARD])
    shell.run(f"portfw -D -P {TAB}-L 1{TAB}{TAB}")
    expect_equal(saved(), [])
    shell.run("portfw -X", r"ipmasqadm \(exit 2\)> ")
    assert "restore -a" in shell.run("begin", r"ipmasqadm \(exit 1\)> ")
    shell.leave()


CASES = (completion, history, history_link, transaction, between, failing_commit, interrupt_line,
         interrupt_command, paste, prompt, leaving, flags, helping, remote)

if __name__ == "__main__":
    case = next(case for case in CASES if case.__name__ == sys.argv[1])
    try:
        case(sys.argv[2])
    except AssertionError as error:
        sys.exit(f"{case.__name__}, line {error.__traceback__.tb_next.tb_lineno}: {error}")
