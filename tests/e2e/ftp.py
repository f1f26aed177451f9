#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""As much FTP (RFC 959) as a helper has to understand, for the end-to-end tests.

  active-server PORT           waits for PORT, prints it, connects there and sends "data"
  active-client ADDRESS PORT   says PORT, waits for the connection, prints what comes and whence
  passive-server PORT          answers PASV with its own address, sends "data" there
  passive-client ADDRESS PORT  says PASV, prints the answer, connects there, prints what comes
  session ADDRESS FILE         of a real server gets the file actively, says "ready", waits for a line,
                               and gets it once more; prints its sum each time
"""
import ftplib
import hashlib
import os
import re
import socket
import sys

PATIENCE = float(os.environ["PATIENCE"])


def listen(port, address=""):
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.settimeout(PATIENCE)
    server.bind((address, port))
    server.listen()
    return server


def words(address, port):
    return ",".join(address.split(".") + [str(port >> 8), str(port & 255)])


def place(text):
    numbers = re.search(r"(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)", text).groups()
    return ".".join(numbers[:4]), int(numbers[4]) * 256 + int(numbers[5])


def accept_control(port):
    server = listen(port)
    print("ready", flush=True)
    control = server.accept()[0]
    control.settimeout(PATIENCE)
    control.send(b"220 ready\r\n")
    control.recv(1024)
    control.send(b"230 logged in\r\n")
    return control


def connect_control(address, port):
    control = socket.create_connection((address, port), PATIENCE)
    control.recv(1024)
    control.send(b"USER anonymous\r\n")
    control.recv(1024)
    return control


def active_server(port):
    control = accept_control(int(port))
    line = control.recv(1024).decode().strip()
    print(line, flush=True)
    socket.create_connection(place(line), PATIENCE).send(b"data")
    control.close()


def active_client(address, port):
    control = connect_control(address, int(port))
    own = control.getsockname()[0]
    data = listen(0, own)
    control.send(f"PORT {words(own, data.getsockname()[1])}\r\n".encode())
    connection, peer = data.accept()
    connection.settimeout(PATIENCE)
    print(connection.recv(1024).decode(), "from", peer[0])


def passive_server(port):
    control = accept_control(int(port))
    control.recv(1024)
    own = control.getsockname()[0]
    data = listen(0, own)
    answer = words(own, data.getsockname()[1])
    control.send(f"227 Entering Passive Mode ({answer}).\r\n".encode())
    data.accept()[0].send(b"data")
    control.close()


def passive_client(address, port):
    control = connect_control(address, int(port))
    control.send(b"PASV\r\n")
    line = control.recv(1024).decode().strip()
    print(line)
    connection = socket.create_connection(place(line), PATIENCE)
    connection.settimeout(PATIENCE)
    print(connection.recv(1024).decode())


def session(address, name):
    with ftplib.FTP(address, "anonymous", "test@", timeout=PATIENCE) as ftp:
        ftp.set_pasv(False)
        ftp.voidcmd("TYPE I")
        for again in (False, True):
            with ftp.transfercmd("RETR " + name) as data, data.makefile("rb") as stream:
                print(hashlib.sha256(stream.read()).hexdigest(), flush=True)
            ftp.voidresp()
            if not again:
                print("ready", flush=True)
                sys.stdin.readline()


COMMANDS = {"active-server": active_server, "active-client": active_client,
            "passive-server": passive_server, "passive-client": passive_client, "session": session}

try:
    COMMANDS[sys.argv[1]](*sys.argv[2:])
except (OSError, ftplib.Error) as error:
    sys.exit(f"{' '.join(sys.argv[1:])}: {error}")
