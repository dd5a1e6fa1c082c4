"""Files that an export is written to as a whole, and handed out from in parts.

They are below the board's own folder, for its user alone.  Each goes with its last part; one that nobody
came for is removed when the next is begun, a day later or more.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from shopfloor.domain.errors import NotFound, Unavailable

KEPT_S = 24 * 3600
_NAME = re.compile("[0-9a-f]{16}")


def begin(folder: Path, fill: Callable[[Callable[[Iterable[str]], None]], None]) -> str:
    """Have a new file filled with lines; what was begun again begins the file again."""
    name = secrets.token_hex(8)
    path = folder / f"{name}.jsonl"

    def write(lines: Iterable[str]) -> None:
        with path.open("w", encoding="utf-8") as file:
            for line in lines:
                file.write(f"{line}\n")

    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _tidy(folder)
        fill(write)
    except OSError as wrong:
        path.unlink(missing_ok=True)
        raise Unavailable(f"the export could not be written to {path}: {wrong.strerror}") from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return name


def read(folder: Path, name: str, offset: int, size: int) -> tuple[bytes, bool]:
    """Whole lines from an offset on, about so many bytes, and whether they are the last."""
    path = folder / f"{name}.jsonl"
    if not _NAME.fullmatch(name) or not path.exists():
        raise NotFound(f"there is no export {name!r} any more; begin with a new one")
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read(size)
        if not data.endswith(b"\n"):
            data += file.readline()
        over = not file.read(1)
    if over:
        path.unlink(missing_ok=True)
    return data, over


def _tidy(folder: Path) -> None:
    for path in folder.glob("*.jsonl"):
        # The file's time and this machine's clock: nothing of the ledger depends on it.
        if time.time_ns() / 1e9 - path.stat().st_mtime > KEPT_S:
            path.unlink(missing_ok=True)
