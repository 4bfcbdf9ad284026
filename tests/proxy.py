"""A TCP proxy between the service and its database whose connections can be broken."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType

CHUNK_SIZE = 65536


class Proxy:
    """A context manager that forwards connections from `port` to a server."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._trigger: bytes | None = None
        self._is_delivered = True
        self._is_thawed = threading.Event()
        self._is_thawed.set()
        self.cuts = 0

    def __enter__(self) -> Proxy:
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.port: int = self._listener.getsockname()[1]
        self._accept()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()

    def cut(self) -> None:
        """Break every connection and refuse new ones."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.interrupt()

    def restore(self) -> None:
        """Accept connections again, on the same port."""
        self._listener = socket.create_server(('127.0.0.1', self.port))
        self._accept()

    def interrupt(self) -> None:
        """Break the current connections; new ones are accepted."""
        with self._lock:
            sockets, self._sockets = self._sockets, set()
        for connection in sockets:
            _close(connection)

    def freeze(self) -> None:
        """Stop forwarding, but keep all connections open, like a hanging host."""
        self._is_thawed.clear()

    def thaw(self) -> None:
        """Resume forwarding, starting with the data received meanwhile."""
        self._is_thawed.set()

    def cut_when_sent(self, trigger: bytes, *, is_delivered: bool) -> None:
        """Break one connection when the client sends these bytes, before or after delivering them."""
        self._trigger, self._is_delivered = trigger, is_delivered

    def _accept(self) -> None:
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                try:
                    server = socket.create_connection(self._server)
                except OSError:
                    client.close()
                    continue
                with self._lock:
                    self._sockets |= {client, server}
                for source, target, is_client in ((client, server, True), (server, client, False)):
                    arguments = (source, target, is_client)
                    threading.Thread(target=self._forward, args=arguments, daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket, is_client: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK_SIZE):
                self._is_thawed.wait()
                if is_client and self._trigger and self._trigger in data:
                    self._trigger = None
                    self.cuts += 1
                    if self._is_delivered:
                        source.shutdown(socket.SHUT_RDWR)  # so that the response is lost
                        target.sendall(data)
                        target.recv(CHUNK_SIZE)
                    break
                target.sendall(data)
        _close(source)
        _close(target)


def _close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
