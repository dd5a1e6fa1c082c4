"""The log of a `shop up` that nobody watches: standard output and error in a file that stays small."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Self

LOG_BYTES_MAX = 1024 * 1024


class UpLog:
    """Where this process and what it starts print while it serves; the file before is kept as `.1`.

    Without a path nothing is changed.  At its end the last error of this process goes there too.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def __enter__(self) -> Self:
        if self._path is not None:
            self._open(self._path)
        return self

    def __exit__(self, *_: object) -> None:
        sys.stderr.flush()

    def keep_small(self) -> None:
        """Begin the file anew when it has become long, or is gone."""
        if self._path is None:
            return
        try:
            is_long = self._path.stat().st_size > LOG_BYTES_MAX
        except FileNotFoundError:
            self._open(self._path)
            return
        if is_long:
            self._path.rename(self._path.with_name(f"{self._path.name}.1"))
            self._open(self._path)

    def _open(self, path: Path) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for standard in (1, 2):
            os.dup2(descriptor, standard)
        os.close(descriptor)
