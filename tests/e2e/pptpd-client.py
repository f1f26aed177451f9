#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A PPTP client (RFC 2637) whose call has a number of the caller's choice, since Debian's has not.

  pptpd-client.py ADDRESS NUMBER TEXT SECONDS [pause]
      calls, sends frames with TEXT, and succeeds once all are back from Debian's pptpd, within that
      time; with "pause" it then says "ready", waits for a line, does so once more, and says "over"
"""
import socket
import struct
import sys
import time

FRAMES = 20
MAGIC = 0x1A2B3C4D
START_REQUEST, START_REPLY, CALL_REQUEST, CALL_REPLY = 1, 2, 7, 8
GRE_HEADER = struct.Struct("!HHHHI")  # flags and version, PPP, length, call, sequence number
KEY_SEQUENCE_1, ACKNOWLEDGED, PPP = 0x3001, 0x0080, 0x880B


def message(kind, body):
    return struct.pack("!HHIHH", 12 + len(body), 1, MAGIC, kind, 0) + body


def receive(control, kind):
    head = control.recv(12, socket.MSG_WAITALL)
    length, _, magic, got, _ = struct.unpack("!HHIHH", head)
    body = control.recv(length - 12, socket.MSG_WAITALL)
    if magic != MAGIC or got != kind:
        sys.exit(f"message {got}, not {kind}")
    return body


def call(control, number):
    """The server's number of the call."""
    control.sendall(message(START_REQUEST, struct.pack("!HHIIHH64s64s", 0x100, 0, 3, 3, 1, 1, b"here", b"test")))
    receive(control, START_REPLY)
    control.sendall(message(CALL_REQUEST, struct.pack("!HHIIIIHHHH64s64s", number, 1, 2400, 10000000, 3, 3, 64, 0,
                                                      0, 0, b"", b"")))
    servers, mine, result = struct.unpack("!HHB", receive(control, CALL_REPLY)[:5])
    if (mine, result) != (number, 1):
        sys.exit(f"the reply is to call {mine}, with result {result}")
    return servers


def frame_of(packet, number):
    """The text of a frame that came for the call; None: it has none, or is another's."""
    gre = packet[(packet[0] & 15) * 4:]
    flags, kind, length, to, _ = GRE_HEADER.unpack(gre[:12])
    if kind != PPP or not flags & 0x1000:
        return None
    if to != number:
        sys.exit(f"a frame to call {to}")
    at = 16 if flags & ACKNOWLEDGED else 12
    frame = gre[at:at + length]
    return frame[2 + 2 * frame.startswith(b"\xff\x03"):].decode()


def exchange(gre, number, servers, text, seconds, sequence):
    """Frames go there and back; the next sequence number."""
    waited = {f"{text} {i}" for i in range(FRAMES)}
    end = time.monotonic() + seconds
    while waited and time.monotonic() < end:
        for words in sorted(waited):
            frame = b"\xff\x03\xc0\x21" + words.encode()
            gre.send(GRE_HEADER.pack(KEY_SEQUENCE_1, PPP, len(frame), servers, sequence) + frame)
            sequence += 1
        try:
            while waited:
                words = frame_of(gre.recv(65536), number)
                if words and not words.startswith(text):
                    sys.exit(f"somebody else's frame: {words}")
                waited.discard(words)
        except socket.timeout:
            pass
    try:  # what comes when nobody listens any more makes errors, that would end other calls of this server
        while gre.recv(65536):
            pass
    except socket.timeout:
        pass
    if waited:
        sys.exit(f"{len(waited)} frames have not come back")
    return sequence


def main(address, number, text, seconds, pause=None):
    number, seconds = int(number), float(seconds)
    control = socket.create_connection((address, 1723), seconds)
    gre = socket.socket(socket.AF_INET, socket.SOCK_RAW, 47)
    gre.connect((address, 0))
    gre.settimeout(1)
    servers = call(control, number)
    sequence = exchange(gre, number, servers, text, seconds, 0)
    if not pause:
        return
    print("ready", flush=True)
    sys.stdin.readline()
    exchange(gre, number, servers, text + " again", seconds, sequence)
    print("over", flush=True)


main(*sys.argv[1:])
