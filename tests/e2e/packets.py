#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets for the end-to-end tests that no ordinary program sends at will.

  udp-server NAME PORT        answers every datagram, IPv4 and IPv6, with NAME
  udp ADDRESS PORT [SPORT [SOURCE]]   sends one datagram, prints the answer or fails
  fragments ADDRESS PORT ORDER   sends one in three fragments, such as 210, prints the answer
  flows ADDRESS NUMBER        sends so many datagrams, each of another flow
  sctp-server 4|6             answers every SCTP INIT with an INIT ACK, prints the port
  sctp ADDRESS PORT SPORT     sends an SCTP INIT, prints the address that sends the INIT ACK
  hold-queue NUMBER           has this NFQUEUE until standard input ends

An answer is waited for as long as $PATIENCE says, in seconds.

A kernel without SCTP sockets still translates SCTP, so raw sockets carry it here (RFC 9260).
"""
import os
import socket
import struct
import sys

PATIENCE = float(os.environ["PATIENCE"])
SCTP = 132
INIT, INIT_ACK = 1, 2


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def sctp_packet(sport, dport, tag, kind):
    init = struct.pack("!BBHIIHHI", kind, 0, 20, 0x01020304, 65536, 1, 1, 1)
    header = struct.pack("!HHI", sport, dport, tag)
    checksum = crc32c(header + b"\0\0\0\0" + init)
    return header + struct.pack("<I", checksum) + init


def sctp_payload(packet, family):
    """The SCTP part of what a raw socket received, or None when it is damaged."""
    if family == socket.AF_INET:
        packet = packet[(packet[0] & 15) * 4:]
    checksum = struct.unpack("<I", packet[8:12])[0]
    whole = packet[:8] + b"\0\0\0\0" + packet[12:]
    return packet if crc32c(whole) == checksum else None


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def udp_server(name, port):
    server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    server.bind(("::", int(port)))
    while True:  # the answer comes from the address that was asked
        _, where, _, peer = server.recvmsg(65536, 256)
        server.sendmsg([name.encode()], where, 0, peer)


def udp(address, port, sport=0, source=""):
    client = socket.socket(family_of(address), socket.SOCK_DGRAM)
    client.settimeout(PATIENCE)
    client.bind((source, int(sport)))
    client.connect((address, int(port)))
    client.send(b"hello")
    print(client.recv(65536).decode())


def internet_checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF or 0xFFFF


def fragments(address, port, order):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(PATIENCE)
    client.connect((address, int(port)))
    source, sport = client.getsockname()
    ends = socket.inet_aton(source) + socket.inet_aton(address)
    data = bytes(range(250)) * 10
    udp_header = struct.pack("!HHHH", sport, int(port), 8 + len(data), 0)
    pseudo = ends + struct.pack("!BBH", 0, socket.IPPROTO_UDP, 8 + len(data))
    check = internet_checksum(pseudo + udp_header + data)
    datagram = udp_header[:6] + struct.pack("!H", check) + data
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    size, ident = 1000, sport
    for number in map(int, order):
        part = datagram[number * size:(number + 1) * size]
        more = 0x2000 if (number + 1) * size < len(datagram) else 0
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(part), ident, number * size // 8 | more,
                             64, socket.IPPROTO_UDP, 0)
        raw.sendto(header + ends + part, (address, 0))
    print(client.recv(65536).decode())


def flows(address, number):
    """Ports from 10000 on at both ends; empty datagrams without a checksum."""
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
    for n in range(int(number)):
        raw.sendto(struct.pack("!HHHH", 10000 + n % 50000, 10000 + n // 50000, 8, 0), (address, 0))


def sctp_server(family_name):
    family = socket.AF_INET6 if family_name == "6" else socket.AF_INET
    server = socket.socket(family, socket.SOCK_RAW, SCTP)
    print("ready", flush=True)
    while True:
        packet, peer = server.recvfrom(65536)
        packet = sctp_payload(packet, family)
        if packet and packet[12] == INIT:
            sport, dport = struct.unpack("!HH", packet[:4])
            tag = struct.unpack("!I", packet[16:20])[0]
            print("INIT to port", dport, flush=True)
            server.sendto(sctp_packet(dport, sport, tag, INIT_ACK), (peer[0], 0))


def sctp(address, port, sport):
    family = family_of(address)
    client = socket.socket(family, socket.SOCK_RAW, SCTP)
    client.settimeout(PATIENCE)
    client.sendto(sctp_packet(int(sport), int(port), 0, INIT), (address, 0))
    while True:
        packet, peer = client.recvfrom(65536)
        packet = sctp_payload(packet, family)
        if packet and packet[12] == INIT_ACK:
            print(peer[0], struct.unpack("!H", packet[:2])[0])
            return


def hold_queue(number):
    """Binds an NFQUEUE as any program may, until standard input ends."""
    bind = struct.pack("=HHBxH", 8, 1, 1, 0)  # NFQA_CFG_CMD: NFQNL_CFG_CMD_BIND
    config = struct.pack("=IHHII", 20 + len(bind), 3 << 8 | 2, 5, 1, 0)  # NFQNL_MSG_CONFIG, with ACK
    holder = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)  # NETLINK_NETFILTER
    holder.send(config + struct.pack("!BBH", 0, 0, int(number)) + bind)
    holder.recv(4096)
    print("held", flush=True)
    sys.stdin.read()


COMMANDS = {"udp-server": udp_server, "udp": udp, "fragments": fragments, "flows": flows,
            "sctp-server": sctp_server, "sctp": sctp, "hold-queue": hold_queue}

try:
    COMMANDS[sys.argv[1]](*sys.argv[2:])
except (OSError, KeyboardInterrupt) as error:
    sys.exit(f"{' '.join(sys.argv[1:])}: {error}")
