#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Serves a file as a disk over the NBD protocol, and holds back its discards as long as it is told.

usage: nbd-hold.py SOCKET FILE
Export 0 is the file; export 1 is for the machine to talk through: what is read there begins with the
number of discards that are held back, and a write that begins with "h" says that those to come are,
one with "s" that all are done now, and answered, and one with "r" that no more is held. Prints "ready" when it listens; ends when all
connections that were made have been closed.
"""
import ctypes
import os
import socket
import struct
import sys
import threading

OPT_ABORT, OPT_GO = 2, 7
REP_ACK, REP_INFO, REP_ERR_UNSUP = 1, 3, 0x80000001
FLAGS = 1 | 4 | 32                      # flags are there; flushes and discards are understood
CMD_READ, CMD_WRITE, CMD_DISC, CMD_FLUSH, CMD_TRIM = range(5)
KEEP_SIZE, PUNCH_HOLE = 1, 2            # of fallocate(2)
TALK_NBYTES = 4096

libc = ctypes.CDLL(None, use_errno=True)
libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]


class Disk:
    """The file, and the discards that wait."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR)
        self.nbytes = os.fstat(self.fd).st_size
        self.lock = threading.Lock()
        self.holds, self.held = False, []

    def discard(self, offset, nbytes, reply):
        with self.lock:
            if self.holds:
                self.held.append((offset, nbytes, reply))
                return
        self.punch(offset, nbytes, reply)

    def punch(self, offset, nbytes, reply):
        if libc.fallocate(self.fd, KEEP_SIZE | PUNCH_HOLE, offset, nbytes):
            raise OSError(ctypes.get_errno(), "fallocate")
        reply()

    def talk(self, word):
        if word not in (b"h", b"s", b"r"):
            return
        with self.lock:
            self.holds = word != b"r"
            held, self.held = ([], self.held) if word == b"h" else (self.held, [])
        for one in held:
            self.punch(*one)


class Connection:
    """One export to one machine, from the greeting on."""

    def __init__(self, sock, disk):
        self.sock, self.disk = sock, disk
        self.lock = threading.Lock()

    def get(self, nbytes):
        data = b""
        while len(data) < nbytes:
            more = self.sock.recv(nbytes - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def option(self, option, kind, data=b""):
        self.sock.sendall(struct.pack(">QIII", 0x3e889045565a9, option, kind, len(data)) + data)

    def greet(self):
        self.sock.sendall(b"NBDMAGICIHAVEOPT" + struct.pack(">H", 1 | 2))
        self.get(4)
        while True:
            _, option, nbytes = struct.unpack(">8sII", self.get(16))
            data = self.get(nbytes)
            if option == OPT_ABORT:
                raise EOFError
            if option == OPT_GO:
                break
            self.option(option, REP_ERR_UNSUP)
        (nbytes,) = struct.unpack(">I", data[:4])
        self.talks = data[4:4 + nbytes] == b"1"
        nbytes = TALK_NBYTES if self.talks else self.disk.nbytes
        self.option(OPT_GO, REP_INFO, struct.pack(">HQH", 0, nbytes, FLAGS))
        self.option(OPT_GO, REP_ACK)

    def reply(self, handle, data=b""):
        with self.lock:
            self.sock.sendall(struct.pack(">II8s", 0x67446698, 0, handle) + data)

    def request(self):
        _, _, kind, handle, offset, nbytes = struct.unpack(">IHH8sQI", self.get(28))
        data = self.get(nbytes) if kind == CMD_WRITE else b""
        if kind == CMD_DISC:
            raise EOFError
        if kind == CMD_READ and self.talks:
            data = (b"%d\n" % len(self.disk.held)).ljust(TALK_NBYTES)[offset:offset + nbytes]
        elif kind == CMD_READ:
            data = os.pread(self.disk.fd, nbytes, offset)
        elif kind == CMD_WRITE and self.talks:
            self.disk.talk(data[:1])
        elif kind == CMD_WRITE:
            os.pwrite(self.disk.fd, data, offset)
        elif kind == CMD_TRIM and not self.talks:
            self.disk.discard(offset, nbytes, lambda: self.reply(handle))
            return
        self.reply(handle, data if kind == CMD_READ else b"")

    def serve(self):
        try:
            self.greet()
            while True:
                self.request()
        except (EOFError, ConnectionError):
            self.sock.close()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    disk, threads = Disk(sys.argv[2]), []
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen()
    listener.settimeout(1)
    print("ready", flush=True)
    while not threads or any(t.is_alive() for t in threads):
        try:
            sock, _ = listener.accept()
        except TimeoutError:
            continue
        sock.settimeout(None)
        threads.append(threading.Thread(target=Connection(sock, disk).serve))
        threads[-1].start()


main()
