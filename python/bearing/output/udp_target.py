# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that are sent as UDP datagrams, to one host or to a multicast group."""

import ipaddress
import socket


class udp_target:
    """Sends each text as one datagram.

    host, port: to whom; a name is looked up when something is sent. ttl: how many networks
    multicast may cross.
    """

    retries = False
    is_one_text = False

    def __init__(self, host, port, ttl=1):
        self.name = f"{f'[{host}]' if ':' in host else host}:{port}"
        self._host, self._port, self._ttl = host, port, ttl
        self._socket = self._address = None

    def write(self, text):
        """Raises OSError."""
        if self._socket is None:
            self._socket, self._address = self._open()
        try:
            # Not connected: that nobody listened a moment ago must not keep this one from going.
            self._socket.sendto(text.encode(), self._address)
        except OSError:
            # Addresses change; next time they are looked up again.
            self.close()
            raise

    def close(self):
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self):
        family, kind, protocol, _, address = socket.getaddrinfo(
            self._host, self._port, type=socket.SOCK_DGRAM
        )[0]
        new = socket.socket(family, kind, protocol)
        try:
            new.setblocking(False)
            if ipaddress.ip_address(address[0].partition("%")[0]).is_multicast:
                if family == socket.AF_INET6:
                    new.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, self._ttl)
                else:
                    new.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, self._ttl)
        except OSError:
            new.close()
            raise
        return new, address
