"""The preloaded helper ("fork server"): a small process that forks one supervisor per run.

It is started by the launcher, loads what supervisors need once, and lives in a session of its own
without the terminal's signals.  It collects its supervisors and outlives the dispatcher until the
last one has gone: the end of its socket means that the dispatcher died or closed.

A living supervisor is the subreaper of its own worker.  So a child of the helper that is not a
living supervisor was left by a dead one: it is killed with all that is below it, and reported.
"""

import gc
import os
import select
import signal
import socket
import sys
from typing import Any, NoReturn

from shopfloor.process import identity, proc, supervisor, syscalls, tree, wire
from shopfloor.process.inbox import Inbox
from shopfloor.process.rehearsal import rehearse
from shopfloor.process.spec import WorkerSpec
from shopfloor.process.worker import DESCRIPTOR_NUMBER_MAX, FIRST_OWN_DESCRIPTOR

KILL_ROUND_MS = 50


def main() -> NoReturn:
    """Become the helper for the socket whose number is the first argument; never returns."""
    # The process that the launcher started ends at once: the dispatcher has no child to collect.
    if os.fork() != 0:
        os._exit(0)
    os.setsid()
    os.chdir("/")
    syscalls.show_name(b"shop-helper")
    syscalls.adopt_orphans()
    number = int(sys.argv[1])
    os.set_inheritable(number, False)
    helper = Helper(socket.socket(fileno=number))
    rehearse(helper.inbox)
    # What is here now is shared by all supervisors; a collection would copy it page by page.
    gc.collect()
    gc.freeze()
    gc.disable()
    helper.serve()
    os._exit(0)


class Helper:
    """The loop between the dispatcher's requests and the supervisors' ends."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.reader = wire.Reader(sock)
        self.inbox = Inbox()
        self.supervisors: set[int] = set()
        self.orphans = False
        self.unsent = bytearray()
        self.poll = select.poll()
        self.poll.register(self.inbox.fd, select.POLLIN)
        self.poll.register(sock, select.POLLIN)

    def serve(self) -> None:
        self.tell({"helper": tuple(identity.mine())})
        while not self.reader.ended or self.supervisors or self.orphans:
            ready = dict(self.poll.poll(KILL_ROUND_MS if self.orphans else None))
            if self.inbox.fd in ready:
                self.inbox.drain()
            if self.inbox.take(signal.SIGCHLD) or self.orphans:
                self.collect()
            if self.sock.fileno() in ready:
                self.flush()
                self.reader.fill()
                while (message := self.reader.take()) is not None:
                    self.spawn_all(message)
                if self.reader.ended:
                    self.part()

    def part(self) -> None:
        """The dispatcher is gone: take no more, keep nothing of it open."""
        self.poll.unregister(self.sock)
        for descriptor in self.reader.descriptors:
            os.close(descriptor)
        self.sock.close()

    def spawn_all(self, message: dict[str, Any]) -> None:
        """Answer one batch: for each worker the supervisor's pid and start time, or a sentence."""
        forked = [self.fork(told) for told in message["specs"]]
        # None can have been collected yet, so there is a start time, if it has already ended too.
        self.tell(
            {
                "answers": [
                    one if isinstance(one, str) else (one, proc.started(one, dead=True) or 0)
                    for one in forked
                ]
            }
        )

    def fork(self, told: dict[str, Any]) -> int | str:
        go_fd = self.reader.descriptors.popleft()
        try:
            return self.spawn(WorkerSpec(**told), go_fd)
        except (OSError, TypeError) as error:
            return f"No supervisor could be started: {error}."
        finally:
            os.close(go_fd)

    def spawn(self, spec: WorkerSpec, go_fd: int) -> int:
        """Fork a supervisor."""
        pid = os.fork()
        if pid == 0:
            os.closerange(FIRST_OWN_DESCRIPTOR, go_fd)
            os.closerange(go_fd + 1, DESCRIPTOR_NUMBER_MAX)
            supervisor.main(spec, go_fd, self.inbox)
        self.supervisors.add(pid)
        return pid

    def collect(self) -> None:
        """Take leave of supervisors that have ended and stop what dead ones left behind."""
        suspect = self.orphans
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            # A supervisor that ends well has seen the end of everything below it.
            suspect = suspect or status != 0 or pid not in self.supervisors
            self.supervisors.discard(pid)
        if suspect:
            self.stop_orphans()

    def stop_orphans(self) -> None:
        killed = tree.kill(os.getpid(), spare=frozenset(self.supervisors))
        self.orphans = bool(killed)
        if killed:
            boot = identity.boot_id()
            self.tell({"orphans": [(boot, found.pid, found.started) for found in killed]})

    def tell(self, message: dict[str, Any]) -> None:
        if not self.reader.ended:
            self.unsent += wire.pack(message)
            self.flush()

    def flush(self) -> None:
        """Send what the socket takes; the rest when it takes more, without waiting for it."""
        try:
            while self.unsent:
                del self.unsent[: self.sock.send(self.unsent)]
        except BlockingIOError:
            self.poll.modify(self.sock, select.POLLIN | select.POLLOUT)
            return
        except OSError:
            # The dispatcher is gone; the next read says so.
            self.unsent.clear()
        self.poll.modify(self.sock, select.POLLIN)
