"""The warm containers of one board: which attempt has which, which wait for the next, which must go.

An attempt has its container to itself, so that a stop, a limit or what it leaves behind concerns nobody
else.  What is remembered here can be lost: a container that waits for too long ends by itself (see
`process/container_scripts.py`), the run's folder names the container of an attempt, and `begin` removes
what no living attempt has.  A container is used again only if the last command's end left it empty.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from secrets import token_hex
from typing import NamedTuple

from shopfloor.daemon.board import DispatchBoard
from shopfloor.daemon.lane import Lane
from shopfloor.domain.errors import BoardError
from shopfloor.process import container
from shopfloor.process.container import Commands, Engine, Seat, Wanted
from shopfloor.process.container_client import CLEAN

# The file of a run's folder that names its container.
IN_RUN = "container"
# Elsewhere engines run in machines of their own, and a pipe with a name ends at their walls.
DOORS = sys.platform == "linux"
KEPT_SHARE = 0.75


class Kept(NamedTuple):
    """A container that waits for its next command, until it may have ended by itself."""

    name: str
    good_until: float


class Containers:
    """The containers of a board on this host; its methods may be called from any thread."""

    def __init__(self, board: DispatchBoard, lane: Lane) -> None:
        self._board = board
        self._lane = lane
        self._lanes: dict[str, Lane] = {}
        self._guard = threading.Lock()
        self._kept: dict[Wanted, list[Kept]] = {}
        self._taken: dict[int, tuple[Seat, Wanted | None]] = {}
        self._making: set[str] = set()
        self._doorless: set[str] = set()
        self._making_commands = Commands(board.base_environment)
        self._commands = Commands(board.base_environment)

    def begin(self, living: Iterable[int]) -> None:
        """Find the containers of living attempts again, and have all others removed."""
        folders = self._folder()
        if not folders.is_dir():
            return
        for run_id in living:
            with contextlib.suppress(FileNotFoundError, BoardError):
                seat = self._found(told_of(self._board.files.run_folder(run_id))["name"])
                with self._guard:
                    self._taken.setdefault(run_id, (seat, None))
        if any(folders.iterdir()):
            self._lane.put(self._clean)

    def lane_for(self, image: str) -> Lane:
        """Where containers of an image are made: a slow download holds up nobody else."""
        lane = self._lanes.get(image)
        if lane is None:
            lane = self._lanes[image] = self._lane.beside()
        return lane

    def take(self, run_id: int, wanted: Wanted) -> Seat:
        """A container for an attempt, warm if there is one; otherwise this waits for a new one."""
        seat = self._warm(wanted) or self._fresh(wanted)
        (seat.folder / CLEAN).unlink(missing_ok=True)
        with self._guard:
            self._taken[run_id] = (seat, wanted)
            self._making.discard(seat.name)
        return seat

    def is_warm(self, wanted: Wanted) -> bool:
        """Whether a container waits, so that taking one takes no time."""
        with self._guard:
            return any(one.good_until > time.monotonic() for one in self._kept.get(wanted, ()))

    def seat_of(self, run_id: int) -> Seat | None:
        """The container that an attempt has; its check goes there, too."""
        with self._guard:
            taken = self._taken.get(run_id)
        return None if taken is None else taken[0]

    def release(self, run_id: int) -> None:
        """An attempt is over and nothing of it lives: keep its container, or have it removed."""
        with self._guard:
            seat, wanted = self._taken.pop(run_id, (None, None))
            if seat is None:
                return
            idle_s = self._board.settings().runtime.idle_timeout_ms / 1000
            if wanted is not None and idle_s > 0 and (seat.folder / CLEAN).exists():
                kept = Kept(seat.name, time.monotonic() + idle_s * KEPT_SHARE)
                self._kept.setdefault(wanted, []).append(kept)
                return
        self._lane.put(lambda: self._remove(seat))

    def finish(self, *, cut_off: bool) -> None:
        """Wait for the containers that are being made; or cut that off, and their attempts are taken back."""
        if cut_off:
            self._making_commands.cut_off()
        for lane in self._lanes.values():
            lane.close()
        self._lanes.clear()

    def close(self) -> None:
        """Remove what nobody has; containers of living attempts stay for the next dispatcher."""
        with self._guard:
            self._kept.clear()
        if self._folder().is_dir() and any(self._folder().iterdir()):
            with contextlib.suppress(BoardError):
                self._clean()

    def _warm(self, wanted: Wanted) -> Seat | None:
        """The container that was used last: the others come to their end sooner."""
        with self._guard:
            waiting = self._kept.get(wanted, [])
            while waiting:
                one = waiting.pop()
                if one.good_until > time.monotonic():
                    return Seat(one.name, self._folder() / one.name, wanted.engine, fresh=False)
                shutil.rmtree(self._folder() / one.name, ignore_errors=True)
        return None

    def _fresh(self, wanted: Wanted) -> Seat:
        """A new container: with a door, unless nothing comes through the doors of this image's containers."""
        if DOORS and wanted.image not in self._doorless:
            seat = self._made(wanted, with_door=True)
            if seat is not None:
                return seat
            self._doorless.add(wanted.image)
        seat = self._made(wanted, with_door=False)
        assert seat is not None
        return seat

    def _made(self, wanted: Wanted, *, with_door: bool) -> Seat | None:
        """Make a container; None, and it is removed, if its keeper did not answer at its door."""
        digest = hashlib.sha256(repr(wanted).encode()).hexdigest()[:8]
        name = f"shopfloor-{self._board.slug}-{digest}-{token_hex(4)}"
        seat = Seat(name, self._folder() / name, wanted.engine, fresh=True)
        self._making.add(name)
        idle_s = -(-self._board.settings().runtime.idle_timeout_ms // 1000)
        answered = False
        try:
            answered = container.make(
                wanted,
                name,
                seat.folder,
                labels={**self._labels(), f"{container.LABEL}.container": digest},
                idle_s=idle_s,
                with_door=with_door,
                ask=self._making_commands,
            )
        finally:
            if not answered:
                self._making.discard(name)
                with contextlib.suppress(BoardError):
                    self._remove(seat)
        return seat if answered else None

    def _clean(self) -> None:
        """Remove every container of this board that no attempt has, and every folder without one."""
        with self._guard:
            used = {*self._making, *(seat.name for seat, _ in self._taken.values())}
            used |= {one.name for kept in self._kept.values() for one in kept}
        engines: dict[str, list[Path]] = {}
        for folder in self._folder().iterdir():
            if folder.name not in used:
                engines.setdefault(self._found(folder.name).engine.path, []).append(folder)
        for engine, folders in engines.items():
            there = container.labelled(engine, self._labels(), self._commands)
            container.remove(engine, [name for name in there if name not in used], self._commands)
            for folder in folders:
                shutil.rmtree(folder, ignore_errors=True)

    def _remove(self, seat: Seat) -> None:
        """Remove one container; if that cannot be now, its folder keeps it known, and the next start does it."""
        if seat.name in container.labelled(seat.engine.path, self._labels(), self._commands):
            container.remove(seat.engine.path, [seat.name], self._commands)
        shutil.rmtree(seat.folder, ignore_errors=True)

    def _found(self, name: str) -> Seat:
        """The seat of a container that an earlier dispatcher made."""
        folder = self._folder() / name
        try:
            path = (folder / container.ENGINE_FILE).read_text(encoding="utf-8")
        except FileNotFoundError:
            setting = self._board.settings().runtime.engine
            path = container.find_engine(setting, self._board.base_environment).path
        return Seat(name, folder, Engine(path, Path(path).name), fresh=False)

    def _folder(self) -> Path:
        return self._board.files.workspaces().parent / "containers"

    def _labels(self) -> dict[str, str]:
        return {
            f"{container.LABEL}.home": self._board.home_path,
            f"{container.LABEL}.board": self._board.slug,
        }


def tell(run_folder: Path, name: str, image: str) -> None:
    """Note in a run's folder which container its attempt has."""
    told = json.dumps({"name": name, "image": image})
    (run_folder / IN_RUN).write_text(told, encoding="utf-8")


def told_of(run_folder: Path) -> dict[str, str]:
    """The `name` and the `image` of an attempt's container; raises FileNotFoundError where it had none."""
    found: dict[str, str] = json.loads((run_folder / IN_RUN).read_text(encoding="utf-8"))
    return found
