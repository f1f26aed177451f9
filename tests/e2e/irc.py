#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An IRC client (RFC 2812) that makes and takes offers of direct connections (DCC).

  irc.py SOURCE SERVER PORT NICK accept FILE        prints "ready", takes the first offer: what comes of a
                                                    file goes to FILE, behind what it has (RESUME)
  irc.py SOURCE SERVER PORT NICK send PEER FILE     offers PEER the file and sends it
  irc.py SOURCE SERVER PORT NICK resume PEER FILE   the same, and PEER must ask for the rest of it only
  irc.py SOURCE SERVER PORT NICK chat PEER          offers a conversation of one line each way

SOURCE is the client's address, or 0.0.0.0.  The exit status is 0 when all of it was said and done.
"""
import os
import socket
import struct
import sys

PATIENCE = float(os.environ["PATIENCE"])


class Irc:
    def __init__(self, source, server, port, nick):
        self.source = source
        self.sock = socket.create_connection((server, int(port)), PATIENCE, (source, 0))
        self.lines = self.sock.makefile("r", encoding="latin-1", newline="\r\n")
        self.sock.settimeout(PATIENCE * 2)
        self.say(f"NICK {nick}")
        self.say(f"USER {nick} 0 * :{nick}")
        self.wait(" 001 ")

    def say(self, line):
        self.sock.sendall(f"{line}\r\n".encode("latin-1"))

    def wait(self, text):
        for line in self.lines:
            print(line.strip().replace("\001", "^A"), flush=True)
            if line.startswith("PING"):
                self.say(line.strip().replace("PING", "PONG", 1))
            if text in line:
                return line.strip()
        sys.exit("the server has closed the connection")

    def dcc(self, peer, words):
        self.say(f"PRIVMSG {peer} :\001DCC {words}\001")

    def wait_dcc(self):
        """Who sent it, and its words."""
        line = self.wait("\001DCC ")
        return line[1:line.index("!")], line[line.index("\001"):].strip("\001").split()[1:]


def own_address(irc):
    """As a decimal number."""
    return struct.unpack("!I", socket.inet_aton(irc.sock.getsockname()[0]))[0]


def listen():
    listener = socket.socket()
    listener.bind(("", 0))
    listener.listen()
    listener.settimeout(PATIENCE)
    return listener, listener.getsockname()[1]


def offer_file(irc, peer, path, resume):
    listener, port = listen()
    data = open(path, "rb").read()
    irc.dcc(peer, f"SEND {os.path.basename(path)} {own_address(irc)} {port} {len(data)}")
    start = 0
    if resume:
        _, words = irc.wait_dcc()
        if words[0] != "RESUME" or int(words[2]) != port:
            sys.exit(f"not a RESUME with port {port}: {words}")
        start = int(words[3])
        irc.dcc(peer, f"ACCEPT {words[1]} {port} {start}")
    sock, _ = listener.accept()
    sock.settimeout(PATIENCE)
    sock.sendall(data[start:])
    received = 0
    while received < len(data) - start:  # the last acknowledgment counts
        answer = sock.recv(4, socket.MSG_WAITALL)
        if len(answer) < 4:
            sys.exit(f"closed after {received} bytes")
        received = struct.unpack("!I", answer)[0]


def offer_chat(irc, peer):
    listener, port = listen()
    irc.dcc(peer, f"CHAT chat {own_address(irc)} {port}")
    sock, _ = listener.accept()
    sock.settimeout(PATIENCE)
    sock.sendall(b"how are you?\n")
    if sock.makefile("rb").readline() != b"well\n":
        sys.exit("no answer in the conversation")


def connect(irc, words):
    address = socket.inet_ntoa(struct.pack("!I", int(words[2])))
    return socket.create_connection((address, int(words[3])), PATIENCE, (irc.source, 0))


def accept_file(irc, peer, words, path):
    size, start = int(words[4]), os.path.getsize(path)
    if start:
        irc.dcc(peer, f"RESUME {words[1]} {words[3]} {start}")
        _, answer = irc.wait_dcc()
        if answer != ["ACCEPT", words[1], words[3], str(start)]:
            sys.exit(f"not the ACCEPT of port {words[3]}: {answer}")
    sock, received = connect(irc, words), 0
    with open(path, "ab") as out:
        while start + received < size:
            data = sock.recv(65536)
            if not data:
                sys.exit(f"closed after {received} bytes")
            out.write(data)
            received += len(data)
            sock.sendall(struct.pack("!I", received))


def accept(irc, path):
    print("ready", flush=True)
    peer, words = irc.wait_dcc()
    if words[0] == "SEND":
        accept_file(irc, peer, words, path)
        return
    sock = connect(irc, words)
    if sock.makefile("rb").readline() != b"how are you?\n":
        sys.exit("nothing was said in the conversation")
    sock.sendall(b"well\n")


def main(source, server, port, nick, command, *words):
    irc = Irc(source, server, port, nick)
    if command == "accept":
        accept(irc, *words)
    elif command == "chat":
        offer_chat(irc, words[0])
    else:
        offer_file(irc, words[0], words[1], command == "resume")
    irc.say("QUIT")


main(*sys.argv[1:])
