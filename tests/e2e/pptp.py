#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Both ends of PPTP as far as a NAT is concerned, for the end-to-end tests.

  server FIRST-NUMBER            numbers its calls from there, and sends GRE back; prints each call
  client ADDRESS NUMBER [TURNS]  a call with this number, and a GRE packet there and back in each turn

Control messages and GRE are laid out as RFC 2637 says; what GRE carries is of no account.
"""
import os
import select
import socket
import struct
import sys
import threading
import time

GRE = 47
PATIENCE = float(os.environ["PATIENCE"])
LENGTHS = {1: 156, 2: 156, 7: 168, 8: 32, 12: 16, 13: 148}


def message(kind, *numbers, result=None):
    body = struct.pack(f"!HHIHH{len(numbers)}H", LENGTHS[kind], 1, 0x1A2B3C4D, kind, 0, *numbers)
    body = body.ljust(LENGTHS[kind], b"\0")
    return body if result is None else body[:16] + bytes([result]) + body[17:]


def receive(stream):
    head = b""
    while len(head) < 12 or len(head) < struct.unpack("!H", head[:2])[0]:
        wanted = 12 if len(head) < 12 else struct.unpack("!H", head[:2])[0]
        part = stream.recv(wanted - len(head))
        if not part:
            raise OSError("the connection is closed")
        head += part
    return struct.unpack("!H", head[8:10])[0], *struct.unpack("!HH", head[12:16])


def gre(number, text):
    return struct.pack("!BBHHHI", 0x30, 1, 0x880B, len(text), number, 1) + text


def gre_parts(packet):
    packet = packet[(packet[0] & 15) * 4:]
    return struct.unpack("!H", packet[6:8])[0], packet[12:]


calls = {}  # the peer's address and its number, by ours


def carry(raw):
    """Sends back what comes, to the number of the other end of the call."""
    while True:
        packet, peer = raw.recvfrom(65536)
        number, text = gre_parts(packet)
        if number in calls and calls[number][0] == peer[0]:
            raw.sendto(gre(calls[number][1], text), (peer[0], 0))


def serve(stream, peer, number):
    try:
        while True:
            kind, first, _ = receive(stream)
            if kind == 1:
                stream.sendall(message(2))
            elif kind == 7:
                calls[number] = (peer[0], first)
                print("call", first, "from", peer[0], flush=True)
                stream.sendall(message(8, number, first, result=1))
            elif kind == 12:
                stream.sendall(message(13, number))
    except OSError:
        calls.pop(number, None)


def server(first):
    number = int(first)
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, GRE)  # before anybody can call
    threading.Thread(target=carry, args=(raw,), daemon=True).start()
    listener = socket.create_server(("", 1723))
    while True:
        stream, peer = listener.accept()
        threading.Thread(target=serve, args=(stream, peer, number), daemon=True).start()
        number += 1


def client(address, number, turns="1"):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, GRE)
    stream = socket.create_connection((address, 1723), PATIENCE)
    number = int(number)
    stream.sendall(message(1))
    assert receive(stream)[0] == 2
    stream.sendall(message(7, number))
    kind, theirs, ours = receive(stream)
    if (kind, ours) != (8, number):
        raise OSError(f"answer {kind} to call {ours}, not {number}")
    for turn in range(int(turns)):
        text = f"{socket.gethostname()} {number} {turn}".encode() + bytes(str(time.time()), "ascii")
        raw.sendto(gre(theirs, text), (address, 0))
        wait(raw, number, text)
        time.sleep(0.05)
    stream.sendall(message(12, number))
    assert receive(stream)[:2] == (13, theirs)
    print("done")


def wait(raw, number, text):
    end = time.time() + PATIENCE
    while select.select([raw], [], [], max(0, end - time.time()))[0]:
        got = gre_parts(raw.recv(65536))
        if got == (number, text):
            return
        if got[1] == text:
            raise OSError(f"GRE for number {got[0]}, not {number}")
    raise OSError("no GRE came back")


try:
    {"server": server, "client": client}[sys.argv[1]](*sys.argv[2:])
except (OSError, KeyboardInterrupt) as error:
    sys.exit(f"{' '.join(sys.argv[1:])}: {error}")
