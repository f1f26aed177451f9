#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of ipmasqd's control socket that no program of ours would be.

  clients.py SOCKET many N           N at once, each asks for the rules; prints how many were answered
  clients.py SOCKET half SECONDS     half a line, then nothing; prints what comes within the time
  clients.py SOCKET deaf             asks for more and more, and reads nothing; prints how it ends
  clients.py SOCKET send FILE        the bytes of a file, then an end; prints what comes
  clients.py SOCKET notify COMMAND.. listens as a service manager (SOCKET may be @abstract), runs the
                                     command, prints each datagram until READY=1, then goes on to
                                     print until the command ends
"""
import contextlib
import os
import select
import socket
import struct
import subprocess
import sys

SECONDS = 30  # for what has to come


def connect(path):
    """A socket with a time-out is non-blocking to Python, and the kernel refuses a non-blocking
    connect() while the listener's queue is full (EAGAIN) where a blocking one waits its turn."""
    client = socket.socket(socket.AF_UNIX)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SECONDS, 0))
    client.connect(path)
    client.settimeout(SECONDS)
    return client


def answer(client):
    data = b""
    while True:
        try:
            more = client.recv(65536)
        except ConnectionResetError:
            return data + b"(reset)"
        if not more:
            return data
        data += more


def many(path, number):
    clients = [connect(path) for _ in range(number)]
    for client in clients:
        with contextlib.suppress(OSError):  # too many: closed before it has spoken
            client.sendall(b"save\n")
    for client in clients:
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_WR)
    answers = [answer(client) for client in clients]
    print(sum(text.endswith(b"err 0\nend 0\n") for text in answers))


def half(path, seconds):
    client = connect(path)
    client.settimeout(seconds)
    client.sendall(b"flush")
    try:
        print(answer(client).decode(), end="")
    except TimeoutError:
        print("nothing")


def deaf(path):
    client = connect(path)
    client.setblocking(False)
    sent = 0
    waited = 0
    while waited < 60:
        try:
            sent += client.send(b"save\n" * 1000)
            waited = 0
        except BlockingIOError:
            select.select([], [client], [], 1)
            waited += 1
        except (BrokenPipeError, ConnectionResetError):
            print("closed")
            return
    print("still there after", sent)


def send(path, name):
    client = connect(path)
    with open(name, "rb") as file:
        data = file.read()
    try:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError):
        pass
    sys.stdout.buffer.write(answer(client))


def notify(name, command):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind("\0" + name[1:] if name[0] == "@" else name)
    manager.settimeout(0.2)
    process = subprocess.Popen(command, env=dict(os.environ, NOTIFY_SOCKET=name))
    while True:
        ended = process.poll() is not None
        try:
            print(manager.recv(4096).decode().replace("\n", " "), flush=True)
        except TimeoutError:
            if ended:
                break
    sys.exit(process.returncode)


if __name__ == "__main__":
    verb = sys.argv[2]
    if verb == "many":
        many(sys.argv[1], int(sys.argv[3]))
    elif verb == "half":
        half(sys.argv[1], float(sys.argv[3]))
    elif verb == "deaf":
        deaf(sys.argv[1])
    elif verb == "send":
        send(sys.argv[1], sys.argv[3])
    else:
        notify(sys.argv[1], sys.argv[3:])
