"""A leader/follower variant of gunicorn's gthread worker."""

import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import lru_cache, partial
from queue import Empty, SimpleQueue
from selectors import EVENT_READ
from types import FrameType
from typing import Any

from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

PATIENCE_SECONDS = 0.005  # with one request, until another thread waits for the others
LINGER_SECONDS = 2  # for the client's end of a connection whose own end is closed


class _Relieved(Exception):
    """Another thread leads by now."""


class LeaderWorker(ThreadWorker):
    """Answers requests in the thread that waits for them, and in more threads where one takes long.

    gthread passes each request from the thread that waits to one of a pool, and back: they wake each other
    and contend for the interpreter, which for a small request costs as much as its answer. Here one thread of
    the pool leads: it waits, and answers what comes. While it answers it lays the baton down, and goes on
    leading if the baton is still there afterwards. The main thread looks every few milliseconds: where the
    leader is still at the same request, be it that it waits for a password's hash, for a database or for a
    client who sends slowly, the next thread gets the baton. Who finds it gone has been relieved: it leaves
    its connection to the new leader, and is one of the pool again.
    (Leader/Followers: Schmidt et al., Pattern-Oriented Software Architecture, volume 2.)

    No thread waits for a client who has sent nothing yet, or nothing more: the leader waits for all of them.

    Only who has the baton touches what gthread keeps of its connections. The main thread takes it for what
    gthread does beside waiting: the heartbeat, the limits, the timeouts, the end.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._baton: threading.Lock  # of who leads; locked while somebody has it, free while it lies there
        self._leading: Future[None]
        self._is_wanted = False  # the baton, by the main thread
        self._begun = 0  # requests
        self._late: deque[Callable[[], None]] = deque()  # what the leader shall do before it waits again
        self._ending: deque[TConn] = deque()  # connections that wait for the client's end
        self._failure: BaseException | None = None
        self._calls: SimpleQueue[None] = SimpleQueue()  # for the main thread
        self._is_called = self._is_asleep = False
        self._is_busy = False  # with other than requests

    # What the main thread does.

    def run(self) -> None:
        """Run until it is told to stop."""
        try:
            super().run()
        except BaseException:
            self._want()  # else the leader would wait, and the process for the leader
            raise

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Let the threads wait and answer for so many seconds, or until they call."""
        self._is_wanted = False
        self._give()
        until = time.monotonic() + timeout
        while not self._is_called and (left := until - time.monotonic()) > 0:
            self._watch(left)
        self._is_called = False
        self._take()

    def _give(self) -> None:
        self._baton = threading.Lock()  # a new one, so that none who was relieved takes it up
        self._baton.acquire()
        self._leading = self.tpool.submit(self._lead, self._baton)

    def _watch(self, seconds: float) -> None:
        begun = self._begun
        self._sleep(min(seconds, PATIENCE_SECONDS))
        if self._begun != begun:
            return
        if self._baton.acquire(blocking=False):
            self._give()
            return
        self._is_asleep = True  # nothing is to be answered, or no thread is left to do it
        if self._begun == begun and not self._is_called:
            self._sleep(seconds)
        self._is_asleep = False

    def _sleep(self, seconds: float) -> None:
        with suppress(Empty):
            self._calls.get(timeout=seconds)

    def _take(self) -> None:
        if not self._leading.cancel():  # else none has it yet, for instance as all threads are busy
            self._want()
            self._baton.acquire()
        if self._failure:
            raise self._failure

    def _want(self) -> None:
        self._is_wanted = True
        self._wake_leader()

    def murder_pending(self) -> None:
        """Close the connections whose clients have had their time."""
        super().murder_pending()
        while self._ending and self._ending[0].timeout <= time.monotonic():
            conn = self._ending.popleft()
            self.poller.unregister(conn.sock)
            self._forget(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """Begin to end: wait until then for who may be sending, and let other workers have who comes new."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)
        self._is_busy = True
        for listener in self.sockets:
            previous = -1
            while previous != self.nr_conns:  # who has connected already is answered
                previous = self.nr_conns
                self.accept(listener)
            listener.close()  # else the system would go on giving it connections
        self._is_busy = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop (SIGTERM)."""
        super().handle_exit(sig, frame)
        self._call()

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """Stop at once (SIGQUIT, SIGINT)."""
        super(ThreadWorker, self).handle_quit(sig, frame)  # gthread's needs a lock that may be held here

    def _call(self) -> None:
        self._is_called = True
        self._calls.put(None)  # which a handler of a signal may do

    # What the leader does.

    def _wake_leader(self) -> None:
        self.method_queue.defer(_nothing)

    def _lead(self, baton: threading.Lock) -> None:
        try:
            while not self._is_wanted:
                super().wait_for_and_dispatch_events(0 if self._late else None)
                if self._late:
                    self._late.popleft()()
        except _Relieved:
            return
        except BaseException as failure:
            self._failure = failure
            self._call()
        baton.release()

    def accept(self, listener: Any) -> None:
        """Accept a connection, unless there are as many as there may be."""
        if self.nr_conns < self.worker_connections:
            super().accept(listener)
        else:
            self._call()

    def enqueue_req(self, conn: TConn) -> None:
        """Answer what has come on a connection."""
        if self._is_busy:
            self._late.append(partial(self.enqueue_req, conn))
            return
        self._begun += 1
        if self._is_asleep:
            self._is_asleep = False
            self._calls.put(None)
        outcome: Any = False
        baton = self._baton
        baton.release()
        try:
            outcome = self.handle(conn)
        finally:
            if not baton.acquire(blocking=False):
                self._late.append(partial(self._go_on, conn, outcome))
                self._wake_leader()
                raise _Relieved
        self._go_on(conn, outcome)

    def handle(self, conn: TConn) -> Any:
        """Answer one request, or say that a new connection has none yet."""
        if self.alive and not conn.data_ready:
            if not _has_sent(conn.sock):
                return _DEFER
            conn.data_ready = True
        return super().handle(conn)

    def _go_on(self, conn: TConn, outcome: Any) -> None:
        """Wait for more on the connection, or answer what came with the last request (RFC 9112 §9.3.2)."""
        if not outcome:
            self._end(conn)
            return
        self._is_busy = True
        self.finish_request(conn, _done(outcome))
        self._is_busy = False

    def _end(self, conn: TConn) -> None:
        """Close our end, and all once the client has read it and does the same (RFC 9112 §9.6)."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._forget(conn)
            return
        conn.timeout = time.monotonic() + LINGER_SECONDS
        self._ending.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self._read_on, conn))

    def _read_on(self, conn: TConn, client: socket.socket) -> None:
        with suppress(OSError):
            if client.recv(65536):
                return
        self._ending.remove(conn)
        self.poller.unregister(client)
        self._forget(conn)

    def _forget(self, conn: TConn) -> None:
        conn.close()
        self.nr_conns -= 1
        if not self.alive or not self._accepting:
            self._call()


def _has_sent(client: socket.socket) -> bool:
    try:
        client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        pass  # who reads will see
    return True


def _nothing() -> None:
    pass


@lru_cache
def _done(outcome: Any) -> Future[Any]:
    done: Future[Any] = Future()
    done.set_result(outcome)
    return done
