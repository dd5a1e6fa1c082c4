"""A board's files on this host: attachments, logs, run folders, scratch workspaces."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from shopfloor.config import environment
from shopfloor.domain.errors import GuardFailed, NotFound, Unavailable
from shopfloor.ops.context import Piece, Stored, Tail
from shopfloor.process import export_files, logs
from shopfloor.process.artifacts import collect
from shopfloor.process.files import claim_unique, safe_name, store_unique
from shopfloor.process.receipt_files import ReceiptFiles
from shopfloor.process.scratch import LeftAlone, remove_scratch

if TYPE_CHECKING:
    from shopfloor.process.download import Downloaded

    Download = Callable[[str, Path], Downloaded]


# No attachment's own name begins with a dot.
COMING = ".new-"


class BoardFiles:
    """The files below one board's folder; a path from outside is resolved and contained before use."""

    def __init__(self, board: Path) -> None:
        self._board = board
        self.download: Download = _download
        self._runs = board / "runs"
        self._logs = board / "logs"
        self._workspaces = board / "workspaces"
        self._receipts: ReceiptFiles | None = None

    @property
    def receipts(self) -> ReceiptFiles:
        """The receipts as files."""
        if self._receipts is None:
            self._receipts = ReceiptFiles(self._board / "receipts")
        return self._receipts

    def begin_export(self, fill: Callable[[Callable[[Iterable[str]], None]], None]) -> str:
        """Write lines into a file of their own, to be read in parts; answers its name."""
        return export_files.begin(self._board / "exports", fill)

    def read_export(self, name: str, offset: int, size: int) -> tuple[bytes, bool]:
        """A part of such a file in whole lines, and whether it was the last; then the file goes."""
        return export_files.read(self._board / "exports", name, offset, size)

    def run_folder(self, run_id: int) -> Path:
        return self._runs / str(run_id)

    def log_path(self, task_id: int) -> Path:
        return self._logs / f"{task_id}.log"

    def workspaces(self) -> Path:
        return self._workspaces

    def store(self, task_id: int, name: str, data: bytes, taken: Collection[str]) -> Stored:
        folder = self._attachments(task_id)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            place = store_unique(folder, name, data, taken)
        except OSError as wrong:
            raise Unavailable(f"{name!r} could not be stored: {wrong.strerror}") from None
        return Stored(place.name, len(data), hashlib.sha256(data).hexdigest())

    def store_from(
        self, task_id: int, url: str, name: str | None, taken: Collection[str]
    ) -> Stored:
        """Keep what is at an address of the web; without a name it gets the one that it has there."""
        folder = self._attachments(task_id)
        coming = folder / f"{COMING}{secrets.token_hex(8)}"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.download(url, coming)
            place = claim_unique(folder, name or found.name, taken)
            coming.replace(place)
        except OSError as wrong:
            raise Unavailable(f"what is at {url} could not be stored: {wrong.strerror}") from None
        finally:
            coming.unlink(missing_ok=True)
        return Stored(place.name, found.size, found.sha256)

    def drop_unfinished(self, before_ms: int) -> int:
        """Delete what somebody began to write for a task before a moment and was killed over; answers how many.

        Who writes longer than that keeps the file: each piece makes it new.  Should one go that is written
        after all, its writer fails and says so.
        """
        dropped = 0
        for path in self._board.glob(f"attachments/*/{COMING}*"):
            with suppress(FileNotFoundError):
                if path.lstat().st_mtime * 1000 < before_ms:
                    path.unlink()
                    dropped += 1
        return dropped

    def fetch(self, task_id: int, name: str) -> bytes:
        try:
            return self._contained(task_id, name).read_bytes()
        except FileNotFoundError:
            raise NotFound(
                f"the file {name!r} of #{task_id} is not on this host any more"
            ) from None

    def path(self, task_id: int, name: str) -> str:
        return str(self._attachments(task_id) / name)

    def remove(self, task_id: int, name: str) -> None:
        self._contained(task_id, name).unlink(missing_ok=True)

    def collect(
        self, task_id: int, workspace: str, names: list[str], taken: Collection[str]
    ) -> list[Stored]:
        """Keep declared artifacts; raises GuardFailed if one is missing, and then keeps none."""
        target = self._attachments(task_id)
        collected = collect(Path(workspace), names, target, taken=taken)
        if collected.missing:
            for kept in collected.stored:
                kept.path.unlink()
            first = collected.missing[0]
            raise GuardFailed(
                f"cannot complete #{task_id}: the declared artifact {first.name!r} was not taken: "
                f"{first.reason} Make it, or complete without it",
                detail={"missing": [one.name for one in collected.missing]},
            )
        return [
            Stored(kept.path.name, kept.size, hashlib.sha256(kept.path.read_bytes()).hexdigest())
            for kept in collected.stored
        ]

    def log_tail(self, task_id: int, limit_bytes: int) -> Tail:
        path = self.log_path(task_id)
        found = logs.tail(str(path), limit_bytes)
        return Tail(found.text, found.truncated, found.exists, found.size, str(path))

    def log_from(self, task_id: int, cursor: str | None, limit_bytes: int) -> Piece:
        return Piece(*logs.piece(str(self.log_path(task_id)), cursor, limit_bytes))

    def log_written(self, task_id: int) -> int | None:
        """When something was added to a task's log, in ms; None where this host has none."""
        try:
            return self.log_path(task_id).stat().st_mtime_ns // 1_000_000
        except OSError:
            return None

    def context(self, run_id: int) -> str | None:
        try:
            return (self.run_folder(run_id) / "context.md").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def forget_task(self, task_id: int) -> None:
        """Remove a deleted task's attachments, logs and scratch workspace."""
        shutil.rmtree(self._attachments(task_id), ignore_errors=True)
        self.drop_log(task_id)
        self.drop_scratch(task_id)

    def drop_output(self, task_id: int) -> None:
        """Remove the logs and the scratch workspace of an archived task; its attachments stay."""
        self.drop_log(task_id)
        self.drop_scratch(task_id)

    def drop_log(self, task_id: int) -> None:
        """Remove a task's logs."""
        log = self.log_path(task_id)
        for suffix in ("", logs.OLDER, logs.CUT):
            log.with_name(log.name + suffix).unlink(missing_ok=True)

    def has_scratch(self, task_id: int) -> bool:
        """Whether there is anything that `drop_scratch` would look at."""
        return os.path.exists(f"{self._board}/workspaces/{task_id}")  # noqa: PTH110 - at each completion

    def drop_scratch(self, task_id: int) -> str | None:
        """Remove a task's scratch workspace; answers a warning where it was left alone."""
        if not self.has_scratch(task_id):
            return None
        removed = remove_scratch(self._board, self._workspaces / str(task_id))
        return removed.warning if isinstance(removed, LeftAlone) else None

    def drop_logs(self, before_ms: int) -> int:
        """Delete logs that nobody has written since a moment; answers how many."""
        dropped = 0
        for path in self._logs.glob("*.log*"):
            if path.stat().st_mtime * 1000 < before_ms:
                path.unlink()
                dropped += 1
        return dropped

    def _attachments(self, task_id: int) -> Path:
        return self._board / "attachments" / str(task_id)

    def _contained(self, task_id: int, name: str) -> Path:
        if name != safe_name(name):
            raise NotFound(f"#{task_id} has no attachment {name!r}")
        return self._attachments(task_id) / name


def _download(url: str, into: Path) -> Downloaded:
    from shopfloor.process.fetch import fetched  # noqa: PLC0415 - few files come from the web

    return fetched(url, into, environment())
