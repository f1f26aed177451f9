#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Stands in the place of pppd behind Debian's pptp and pptpd, since it needs no PPP in the kernel.

  ppp.py echo                        what pptpd starts: each frame goes back to who has sent it
  ppp.py call ADDRESS TEXT SECONDS   starts pptp, sends frames with TEXT, and succeeds once all are
                                     back, within that time

Frames are those of RFC 1662 (asynchronous HDLC); pptp and pptpd check their sums.
"""
import os
import select
import socket
import subprocess
import sys
import time
import tty

FLAG, ESCAPE = 0x7E, 0x7D
FRAMES = 20


def fcs(data):
    sum = 0xFFFF
    for byte in data:
        sum ^= byte
        for _ in range(8):
            sum = sum >> 1 ^ (0x8408 if sum & 1 else 0)
    return sum ^ 0xFFFF


def frame(payload):
    body = b"\xff\x03\xc0\x21" + payload
    body += fcs(body).to_bytes(2, "little")
    escaped = b"".join(bytes((ESCAPE, byte ^ 0x20)) if byte < 0x20 or byte in (FLAG, ESCAPE) else bytes((byte,))
                       for byte in body)
    return bytes((FLAG,)) + escaped + bytes((FLAG,))


def payload(body):
    """Of what was between flags; None: the sum is wrong."""
    plain, at = bytearray(), 0
    while at < len(body):
        escape = body[at] == ESCAPE
        at += escape
        if at < len(body):
            plain.append(body[at] ^ (0x20 if escape else 0))
        at += 1
    if len(plain) < 6 or fcs(plain[:-2]) != int.from_bytes(plain[-2:], "little"):
        return None
    return bytes(plain[4:-2]) if plain[:2] == b"\xff\x03" else bytes(plain[2:-2])


def echo():
    tty.setraw(0)
    os.write(1, frame(b""))  # pptpd reads no GRE before pppd has said something
    while True:
        try:
            os.write(1, os.read(0, 65536))
        except OSError:  # the call is over
            return


def call(address, text, seconds):
    line, theirs = socket.socketpair()
    pptp = subprocess.Popen(["pptp", address, "--nolaunchpppd"], stdin=theirs, stdout=theirs)
    theirs.close()
    waited = {f"{text} {i}".encode() for i in range(FRAMES)}
    end, data, sent = time.monotonic() + float(seconds), b"", 0
    while waited and time.monotonic() < end:
        if time.monotonic() > sent + 1:  # frames that came too early are lost, and GRE may lose some
            sent = time.monotonic()
            line.sendall(b"".join(map(frame, sorted(waited))))
        if not select.select([line], [], [], 0.1)[0]:
            continue
        more = line.recv(65536)
        if not more:
            break
        *bodies, data = (data + more).split(bytes((FLAG,)))
        for body in bodies:
            got = payload(body)
            waited.discard(got)
            if got and not got.startswith(text.encode()):
                sys.exit(f"somebody else's frame: {got}")
    # What comes when nobody listens any more makes errors, that would end other calls of this server.
    while select.select([line], [], [], 0.5)[0] and line.recv(65536):
        pass
    pptp.terminate()
    pptp.wait(5)
    if waited:
        sys.exit(f"{len(waited)} frames have not come back")


if sys.argv[1] == "echo":
    echo()
else:
    call(*sys.argv[2:])
