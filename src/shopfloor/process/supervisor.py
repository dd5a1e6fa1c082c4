"""One supervisor: the process that owns one worker from before its start until nothing of it lives.

It is forked by the helper, is the subreaper of all that the worker starts, and sleeps in one poll:
signals, the worker's output, deadlines.  It leaves exactly one exit record behind, written last.
Nothing here reads a database, a setting or the clock of another machine; whatever must be known
is in the `WorkerSpec`.

    waiting ──go──► running ──main process ended──► clearing ──nobody below──► record
       │               └──stop, time, verdict, fence──► ladder ──┘
       └──pipe closed, SIGTERM──► record (never started)
"""

import os
import select
import signal
import sys
import time
import traceback
from typing import Any, NoReturn

from shopfloor.process import identity, syscalls, tree, worker
from shopfloor.process.fence import Fence
from shopfloor.process.folder import RunFolder
from shopfloor.process.hashing import Hash, sha256
from shopfloor.process.inbox import Inbox
from shopfloor.process.ladder import Ladder
from shopfloor.process.logs import LogWriter
from shopfloor.process.mask import Mask
from shopfloor.process.record import ExitRecord
from shopfloor.process.spec import GO, OWN_PREFIX, WorkerSpec

PIECE_BYTES = 65_536
# A pipe holds at most 1 MiB, so this many pieces empty it; who writes on is not one of ours.
LAST_PIECES_MAX = 16
# What outlives the main process gets less time: nobody waits for its answer any more.
LEFTOVER_GRACE_S = 2.0
ACTIVITY_PAUSE_S = 5.0
CPU_SAMPLE_PAUSE_S = 30.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
# macOS tells the largest memory in bytes, Linux in KiB.
RSS_SHIFT = 10 if sys.platform == "darwin" else 0
REAPED_PER_TURN_MAX = 1000


def main(spec: WorkerSpec, go_fd: int, inbox: Inbox) -> NoReturn:
    """Supervise one worker in this freshly forked process and leave it; never returns.

    The inbox is the helper's, and its own signals are still held back.
    """
    status = 1
    try:
        os.setsid()
        syscalls.show_name(f"shop-run-{spec.run}".encode())
        syscalls.adopt_orphans()
        inbox.renew()
        Supervisor(spec, go_fd, inbox).run()
        status = 0
    except BaseException:  # noqa: BLE001 - the outermost frame of a process: the reason goes to a file
        RunFolder(spec.run_dir).note_fault(traceback.format_exc())
    finally:
        # The worker, should it still live, is killed by the kernel with this process.
        os._exit(status)


class Supervisor:
    """The life of one worker."""

    def __init__(self, spec: WorkerSpec, go_fd: int, inbox: Inbox) -> None:
        self.spec = spec
        self.inbox = inbox
        self.facts: dict[str, Any] = {}
        self.folder = RunFolder(spec.run_dir)
        self.ladder = Ladder()
        self.log = LogWriter(spec.log_path, spec.log_limit_bytes)
        self.mask = Mask(spec.secrets)
        self.fence: Fence | None = None
        if spec.fence_path is not None and spec.fence_ms is not None:
            self.fence = Fence(spec.fence_path, spec.fence_ms)
        self.go_fd = go_fd
        self.worker: worker.Started | None = None
        self.output_open = False
        self.main_ended = False
        self.clearing = False
        self.cause: str | None = None
        self.leave_at: float | None = None
        self.overdue_at: float | None = None
        self.sample_at: float | None = None
        self.touched_at = -ACTIVITY_PAUSE_S
        self.ticks = 0
        self.user_s = 0.0
        self.system_s = 0.0
        self.max_rss_kb = 0
        self.output_bytes = 0
        self.output_hash: Hash | None = None
        self.poll = select.poll()
        self.poll.register(self.inbox.fd, select.POLLIN)
        if self.fence is not None and self.fence.fd is not None:
            self.poll.register(self.fence.fd, select.POLLIN)

    def run(self) -> None:
        if self.wait_for_go() and self.start():
            self.watch()
        self.finish()

    def wait_for_go(self) -> bool:
        """Wait at the go-pipe; False when nothing may be started any more."""
        self.poll.register(self.go_fd, select.POLLIN)
        while True:
            self.heed_verdict(time.monotonic())
            if self.inbox.take(signal.SIGTERM):
                self.note(stopped=True)
                break
            if self.fence is not None and self.fence.expired():
                self.note(fenced=True)
                break
            ready = dict(self.poll.poll())
            if self.inbox.fd in ready:
                self.inbox.drain()
            elif self.go_fd in ready:
                if os.read(self.go_fd, 1) == GO:
                    break
                self.note(never_started=True)
                break
        self.poll.unregister(self.go_fd)
        os.close(self.go_fd)
        if self.facts:
            self.note(never_started=True)
        return not self.facts

    def start(self) -> bool:
        """Start the worker; False, with the reason in the record, when there is none."""
        now = time.monotonic()
        self.note(started_at=wall_ms())
        try:
            self.worker = worker.start(self.spec)
        except worker.NotStartedError as reason:
            self.note(spawn_error=str(reason))
            return False
        if self.spec.container is not None:
            self.ladder.asks = self.worker.pid
        self.folder.note_worker(identity.of(self.worker.pid))
        if self.spec.max_runtime_ms is not None:
            self.overdue_at = now + self.spec.max_runtime_ms / 1000
        self.sample_at = now + CPU_SAMPLE_PAUSE_S
        self.output_open = True
        self.poll.register(self.worker.output, select.POLLIN)
        return True

    def watch(self) -> None:
        """Sleep and act until nobody is left below this process."""
        gone = False
        while not gone:
            now = time.monotonic()
            # First of all, also after a freeze: whoever lost the lease must not work on.
            if self.fence is not None and self.fence.expired():
                self.drop_fence()
                self.stop("fenced", now, 0)
            self.heed_verdict(now)
            if self.inbox.take(signal.SIGTERM):
                self.stop("stopped", now, self.spec.grace_ms / 1000)
            if self.inbox.take(signal.SIGCHLD):
                gone = self.collect(now)
            if not gone:
                self.keep_deadlines(now)
                self.sleep()

    def heed_verdict(self, now: float) -> None:
        if self.inbox.take(signal.SIGUSR1) and self.leave_at is None:
            self.leave_at = now + self.spec.leave_grace_ms / 1000

    def drop_fence(self) -> None:
        """What has run out rings for ever: stop listening to it."""
        if self.fence is not None and self.fence.fd is not None:
            self.poll.unregister(self.fence.fd)
            os.close(self.fence.fd)
        self.fence = None

    def stop(self, cause: str, now: float, grace_s: float) -> None:
        """Begin the ladder for this cause; the first cause is the one recorded.

        The fence is recorded in any case.  Once the main process has ended by itself, nothing
        changes how it ended; that it has is looked for here, because its end and the cause may be
        heard of at the same moment.
        """
        if not self.main_ended:
            self.collect(now)
        if not self.main_ended and (self.cause is None or cause == "fenced"):
            self.cause = cause
            self.note(**{cause: True})
        if not self.ladder.begun or grace_s == 0:
            self.ladder.begin(now, grace_s)

    def keep_deadlines(self, now: float) -> None:
        grace_s = self.spec.grace_ms / 1000
        if self.overdue_at is not None and now >= self.overdue_at:
            self.overdue_at = None
            self.stop("timed_out", now, grace_s)
        if self.leave_at is not None and now >= self.leave_at and not self.ladder.begun:
            self.stop("left_late", now, grace_s)
        if self.sample_at is not None and now >= self.sample_at:
            self.sample_at = now + CPU_SAMPLE_PAUSE_S
            self.sample(now)
        self.ladder.step(now)

    def sleep(self) -> None:
        """Sleep until a signal, output, or the next deadline, and take the output."""
        now = time.monotonic()
        moments = [self.overdue_at, self.sample_at, self.ladder.due()]
        if not self.ladder.begun:
            moments.append(self.leave_at)
        if self.fence is not None and self.fence.fd is None:
            moments.append(now + self.fence.left_s())
        nearest = min((moment for moment in moments if moment is not None), default=None)
        wait_ms = None if nearest is None else max(nearest - now, 0) * 1000 + 1
        for fd, _ in self.poll.poll(wait_ms):
            if fd == self.inbox.fd:
                self.inbox.drain()
            elif self.worker is not None and fd == self.worker.output:
                self.pump()

    def pump(self) -> bool:
        """Move one piece of output to the log; False when there is nothing more now."""
        if self.worker is None or not self.output_open:
            return False
        try:
            piece = os.read(self.worker.output, PIECE_BYTES)
        except BlockingIOError:
            return False
        if not piece:
            self.output_open = False
            self.poll.unregister(self.worker.output)
            return False
        self.write_log(self.mask.feed(piece))
        self.output_bytes += len(piece)
        now = time.monotonic()
        if now - self.touched_at >= ACTIVITY_PAUSE_S:
            self.touched_at = now
            self.folder.touch_activity()
        return True

    def sample(self, now: float) -> None:
        """A worker that computes in silence is active, too."""
        ticks = tree.cpu_ticks(os.getpid()) + int((self.user_s + self.system_s) * TICKS_PER_S)
        if ticks > self.ticks:
            self.touched_at = now
            self.folder.touch_activity()
        self.ticks = ticks

    def collect(self, now: float) -> bool:
        """Take leave of what has ended; True when nobody is left."""
        assert self.worker is not None
        for _ in range(REAPED_PER_TURN_MAX):
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                break
            self.user_s += usage.ru_utime
            self.system_s += usage.ru_stime
            self.max_rss_kb = max(self.max_rss_kb, usage.ru_maxrss >> RSS_SHIFT)
            if pid == self.worker.pid:
                self.note_end(status)
        else:
            # More have ended than one turn takes: come back after the other duties.
            self.inbox.hear_again(signal.SIGCHLD)
        if self.main_ended and not self.clearing:
            self.clear_leftovers(now)
        return False

    def note_end(self, status: int) -> None:
        """The main process has ended: write down how."""
        assert self.worker is not None
        self.main_ended = True
        self.overdue_at = self.leave_at = None
        self.note(ended_at=wall_ms())
        if os.WIFSIGNALED(status):
            self.note(signal=os.WTERMSIG(status))
        else:
            self.note(exit_code=os.WEXITSTATUS(status))

    def clear_leftovers(self, now: float) -> None:
        """Stop what the main process left behind."""
        self.clearing = True
        if self.spec.container is None:
            self.note(leftovers=len(tree.living(os.getpid())))
        grace_s = min(LEFTOVER_GRACE_S, self.spec.grace_ms / 1000)
        if not self.ladder.begun:
            self.ladder.begin(now, grace_s)
        else:
            self.ladder.shorten(now + grace_s)

    def finish(self) -> None:
        """Nobody is left: empty the pipe, close the log, write the record."""
        if self.worker is not None:
            for _ in range(LAST_PIECES_MAX):
                if not self.pump():
                    break
        self.write_log(self.mask.rest())
        self.log.close()
        now_ms = wall_ms()
        self.note(
            killed=self.ladder.killed,
            ended_at=self.facts.get("ended_at", now_ms),
            gone_at=now_ms,
            user_ms=round(self.user_s * 1000),
            system_ms=round(self.system_s * 1000),
            max_rss_kb=self.max_rss_kb,
            output_bytes=self.output_bytes,
            output_sha256=None if self.output_hash is None else self.output_hash.hexdigest(),
            environment=self.spec.environment,
            variables=own_names(self.spec.env),
            guard_refused=self.folder.guard_refused(),
            runtime=self.spec.runtime,
            container=self.spec.container,
        )
        if self.spec.container is not None:
            self.note(**self.folder.begin_failed())
        self.folder.write_record(self.spec.record, ExitRecord(self.spec.run, **self.facts))

    def close(self) -> None:
        """Close what the end of the process closes, for one who goes on."""
        self.folder.close()
        if self.worker is not None:
            for descriptor in (self.worker.output, *self.worker.tied):
                os.close(descriptor)

    def write_log(self, shown: bytes) -> None:
        """Write what may be shown, and hash it; a worker without output has no log."""
        if shown:
            if self.output_hash is None:
                self.output_hash = sha256()
            self.output_hash.update(shown)
            self.log.write(shown)

    def note(self, **changes: Any) -> None:
        self.facts.update(changes)


def own_names(env: dict[str, str]) -> str:
    """The names of a worker's variables, without those that the board sets itself."""
    return " ".join(sorted(name for name in env if not name.startswith(OWN_PREFIX)))


def wall_ms() -> int:
    """The time of the record, for people and the ledger; no decision here depends on it."""
    return time.time_ns() // 1_000_000
