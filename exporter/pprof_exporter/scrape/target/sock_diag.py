"""The TCP sockets of this machine that listen, on Linux: asked from the kernel as `ss` does.

The request names the state, so the kernel walks the listening sockets alone (net/ipv4/inet_diag.c,
inet_diag_dump_icsk). Reading `/proc/net/tcp6` for them walks the connections of both families: 20 ms with 20,000. Both
are of the network namespace of this process, to which its loopback addresses belong too.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

from pprof_exporter.scrape.target.local_address import Endpoint, unmapped

# linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h, net/tcp_states.h
_AF_NETLINK = 16
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_REQUEST_DUMP = 0x301
_TCP_LISTEN = 10

_HEADER = struct.Struct("=IHHII")
# inet_diag_req_v2: family, protocol, extensions, padding, states, and a socket that is not named.
_REQUEST = struct.Struct("=BBBBI48x")
# inet_diag_msg: family, state, timer, retransmissions, the port in network order, that of the other side, the address.
_PORT, _PORT_AT, _ADDRESS_AT = struct.Struct(">H"), 4, 8
_INODE, _INODE_AT = struct.Struct("=I"), 68
_ERROR = struct.Struct("=i")
_REPLY_BYTES = 65536
# Seconds. The kernel answers within the call.
_PATIENCE = 1.0

_ADDRESS_BYTES = {socket.AF_INET: 4, socket.AF_INET6: 16}

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LISTENING = b"0A"


def listening_sockets() -> dict[Endpoint, list[int]]:
    """Inodes of the listening sockets by what they are bound to. Raises `OSError` if the system shows none."""
    try:
        found = [*_ask(socket.AF_INET), *_ask(socket.AF_INET6)]
    except OSError:
        # The kernel lacks inet_diag (so does gVisor), or the sandbox of the service has no netlink sockets.
        found = [pair for table in _TABLES for pair in _read(table)]
    bound: dict[Endpoint, list[int]] = {}
    for endpoint, inode in found:
        bound.setdefault(endpoint, []).append(inode)
    return bound


def _ask(family: socket.AddressFamily) -> Iterator[tuple[Endpoint, int]]:
    """Endpoint and inode of each listening socket of a family."""
    length_of_address = _ADDRESS_BYTES.get(family, 0)
    body = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, 1 << _TCP_LISTEN)
    with socket.socket(_AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(_PATIENCE)
        kernel.send(_HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 0, 0) + body)
        while True:
            reply = kernel.recv(_REPLY_BYTES)
            at = 0
            while at < len(reply):
                length, kind, *_ = _HEADER.unpack_from(reply, at)
                message = at + _HEADER.size
                if kind == _NLMSG_DONE:
                    return
                if kind == _NLMSG_ERROR:
                    raise OSError(-_ERROR.unpack_from(reply, message)[0], "no socket diagnostics")
                address = reply[message + _ADDRESS_AT : message + _ADDRESS_AT + length_of_address]
                endpoint = unmapped(address), _PORT.unpack_from(reply, message + _PORT_AT)[0]
                yield endpoint, _INODE.unpack_from(reply, message + _INODE_AT)[0]
                # Messages are aligned to four bytes.
                at += (length + 3) & ~3


def _read(table: Path) -> Iterator[tuple[Endpoint, int]]:
    """The same from a table of all sockets. Without IPv6 there is no table of it."""
    with contextlib.suppress(FileNotFoundError), table.open("rb") as lines:
        next(lines, None)
        for line in lines:
            # sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
            fields = line.split(None, 10)
            if len(fields) > 9 and fields[3] == _LISTENING:
                address, _, port = fields[1].partition(b":")
                yield (unmapped(_in_network_order(address)), int(port, 16)), int(fields[9])


def _in_network_order(address: bytes) -> bytes:
    """An address from its hexadecimal digits: each four bytes are a number of the machine."""
    words = struct.iter_unpack(">I", bytes.fromhex(address.decode()))
    return b"".join(struct.pack("=I", *word) for word in words)
