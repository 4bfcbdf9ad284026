"""A TCP proxy between the service and its database whose connections can be broken."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType

BYTES = 65536


class Proxy:
    """Forwards connections to `port` to a server, for the duration of a block."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._ends: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._word: bytes | None = None
        self._delivers = True
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
            ends, self._ends = self._ends, set()
        for end in ends:
            _break(end)

    def freeze(self) -> None:
        """Stop forwarding, but keep all connections open, like a hanging host."""
        self._is_thawed.clear()

    def thaw(self) -> None:
        """Forward again, first the data received meanwhile."""
        self._is_thawed.set()

    def cut_at(self, word: bytes, *, delivers: bool) -> None:
        """Break a connection, once, when the client sends the word: before or after delivering it."""
        self._word, self._delivers = word, delivers

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
                    self._ends |= {client, server}
                for one, other, is_client in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass, args=(one, other, is_client), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket, is_client: bool) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(BYTES):
                self._is_thawed.wait()
                if is_client and self._word and self._word in data:
                    self._word = None
                    self.cuts += 1
                    if self._delivers:
                        one.shutdown(socket.SHUT_RDWR)  # so that the response is lost
                        other.sendall(data)
                        other.recv(BYTES)
                    break
                other.sendall(data)
        _break(one)
        _break(other)


def _break(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
