#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A stream of messages that a helper makes longer, as fast as TCP takes them.

  loss.py take PROTOCOL ADDRESS NUMBER   listens, prints "ready", and succeeds if it gets that many
                                         messages, all with this address in them
  loss.py give PROTOCOL ADDRESS NUMBER SERVER   sends them; ADDRESS is its own

PROTOCOL is ftp (PORT commands, others between them) or sip (requests, several to a segment).
"""
import os
import socket
import sys

SECONDS = 4 * float(os.environ.get("PATIENCE", 30))  # what is lost is sent again, later and later
FROM = 10000


def ftp(address, number):
    return f"PORT {address.replace('.', ',')},16,1\r\n" if number % 3 else "NOOP\r\n"


def sip(address, number):
    return (f"OPTIONS sip:b@example.net SIP/2.0\r\nVia: SIP/2.0/TCP {address}:{FROM + 5060};branch={number}\r\n"
            "Content-Length: 0\r\n\r\n")


def take(port, expected):
    server = socket.create_server(("", port))
    server.settimeout(SECONDS)
    print("ready", flush=True)
    connection, _ = server.accept()
    connection.settimeout(SECONDS)
    got = b""
    while more := connection.recv(65536):
        got += more
    if got == expected:
        return
    place = len(os.path.commonprefix([got, expected]))
    sys.exit(f"{len(got)} bytes for {len(expected)}; at {place}: {got[place - 40:place + 40]!r}")


def give(port, server, text):
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    connection.settimeout(SECONDS)
    connection.bind((sys.argv[3], FROM + port))
    connection.connect((server, port))
    connection.sendall(text)
    connection.shutdown(socket.SHUT_WR)
    connection.recv(1)


port, message = {"ftp": (21, ftp), "sip": (5060, sip)}[sys.argv[2]]
everything = "".join(message(sys.argv[3], number) for number in range(int(sys.argv[4]))).encode()
if sys.argv[1] == "take":
    take(port, everything)
else:
    give(port, sys.argv[5], everything)
