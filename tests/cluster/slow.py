"""Slow clients: connections that send a byte at a time, and reconnect when they are closed."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

PAUSE_SECONDS = 0.5
PEERS = 200
HEADER = b'GET /api HTTP/1.1\r\nHost: halcyon.test\r\nX-Slow: '
BODY = (
    b'POST /api/users HTTP/1.1\r\nHost: halcyon.test\r\nContent-Type: application/json\r\n'
    b'Content-Length: 60000\r\n\r\n{"username": "'
)


class SlowClients:
    """Keeps PEERS connections to a port open for the duration of a block, each with an endless request."""

    def __init__(self, port: int, beginning: bytes) -> None:
        self.port = port
        self.beginning = beginning
        self.opened = 0
        self._peers: list[socket.socket] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send_bytes)

    def __enter__(self) -> SlowClients:
        self._peers = [self._begin() for _ in range(PEERS)]
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()
        for peer in self._peers:
            peer.close()

    def _begin(self) -> socket.socket:
        peer = socket.create_connection(('127.0.0.1', self.port), timeout=10)
        peer.sendall(self.beginning)
        peer.setblocking(False)
        self.opened += 1
        return peer

    def _send_bytes(self) -> None:
        while not self._stop.wait(PAUSE_SECONDS):
            for index, peer in enumerate(self._peers):
                try:
                    peer.send(b'a')
                    with suppress(BlockingIOError):
                        if peer.recv(65536):
                            raise ConnectionError('a response was received')
                        raise ConnectionError('the connection was closed')
                except ConnectionError:
                    peer.close()
                    self._peers[index] = self._begin()
