"""The files of the dashboard: read and compressed once, told apart by a hash of what is in them.

Whatever path the dashboard's own routes have, the page is the same one.  A file that has changed on the disk is
read again, so that who works on the pages sees them.
"""

from __future__ import annotations

import gzip
import mimetypes
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from shopfloor.surfaces.web.answers import PAGE

FOLDER = Path(__file__).with_name("static")
INDEX = "index.html"
COMPRESSED = ("text/", "application/json", "application/manifest+json", "image/svg+xml")
TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".webmanifest": "application/manifest+json",
}


class File(NamedTuple):
    """One file as it goes out."""

    stamp: tuple[int, int]
    kind: str
    etag: str
    plain: bytes
    packed: bytes | None


class Pages:
    """The files below one folder."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._root = folder.resolve()
        self._files: dict[str, File] = {}

    def answer(self, request: Request, name: str) -> Response | None:
        """The file of that name below the folder, or None where there is none."""
        found = self._file(name)
        if found is None:
            return None
        headers = {**PAGE, "ETag": found.etag, "Vary": "Accept-Encoding"}
        if found.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        data = found.plain
        if found.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            data = found.packed
            headers["Content-Encoding"] = "gzip"
        return Response(data, headers={**headers, "Content-Type": found.kind})

    def _file(self, name: str) -> File | None:
        place = self._place(name)
        if place is None:
            return None
        told = place.stat()
        stamp = (told.st_mtime_ns, told.st_size)
        known = self._files.get(name)
        if known is None or known.stamp != stamp:
            known = self._files[name] = _read(place, stamp)
        return known

    def _place(self, name: str) -> Path | None:
        """The file's path; None for what is not there, or would lead out of the folder."""
        if "\0" in name or name.startswith(".") or "/." in name:
            return None
        place = (self._root / name).resolve()
        if not place.is_relative_to(self._root) or not place.is_file():
            return None
        return None if place.suffix == ".md" else place


def _read(place: Path, stamp: tuple[int, int]) -> File:
    data = place.read_bytes()
    kind = TYPES.get(place.suffix) or mimetypes.guess_type(place.name)[0]
    kind = kind or "application/octet-stream"
    packed = None
    if kind.startswith(COMPRESSED):
        packed = gzip.compress(data, 9, mtime=0)
        kind += "; charset=utf-8" if kind.startswith("text/") else ""
    etag = f'"{blake2b(data, digest_size=12).hexdigest()}"'
    return File(stamp, kind, etag, data, packed)
