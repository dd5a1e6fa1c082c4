"""Files that are whole or not there, and names from outside that cannot lead out of a folder."""

import os
import tempfile
import unicodedata
from collections.abc import Collection
from pathlib import Path

# Most file systems take 255 bytes; the rest is for the suffix of a name that is taken.
NAME_BYTES_MAX = 200
SUFFIX_CHARACTERS_MAX = 20
SAME_NAME_MAX = 10_000
UNNAMED = "file"


def write_atomic(path: Path, data: bytes) -> None:
    """Put these bytes at this path: readers see the old file or the new one, also after a crash."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:
        temporary = Path(file.name)
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink()
            raise


def safe_name(name: str) -> str:
    """Return a name for one file in one folder, made from a name that somebody sent.

    Folders in front, control characters and leading dots go; what is left empty is called "file".
    """
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    kept = "".join(
        "_" if character in '<>:"|?*' else character
        for character in unicodedata.normalize("NFC", last)
        if unicodedata.category(character)[0] != "C"
    )
    trimmed = kept.strip().lstrip(".").strip()
    return _shortened(trimmed) or UNNAMED


def store_unique(folder: Path, name: str, data: bytes, taken: Collection[str] = ()) -> Path:
    """Write a new file under this name, made safe; with a number behind it where it is taken."""
    place = claim_unique(folder, name, taken)
    write_atomic(place, data)
    return place


def claim_unique(folder: Path, name: str, taken: Collection[str] = ()) -> Path:
    """An empty new file under this name, made safe; with a number behind it where it is taken.

    `taken` are names that are taken although there may be no such file any more.
    """
    safe = safe_name(name)
    path = Path(safe)
    stem, suffix = path.stem, path.suffix
    for number in range(1, SAME_NAME_MAX):
        place = folder / (safe if number == 1 else f"{stem}-{number}{suffix}")
        if place.name not in taken and _claim(place):
            return place
    raise FileExistsError(f"There are {SAME_NAME_MAX} files named {safe} in {folder} already.")


def _claim(place: Path) -> bool:
    """Take a name nobody has; of two who ask at once, one gets it."""
    try:
        os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return False
    return True


def _shortened(name: str) -> str:
    """Cut a name to what file systems take, in whole characters, its ending kept."""
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > SUFFIX_CHARACTERS_MAX:
        stem, dot, ending = name, "", ""
    room = NAME_BYTES_MAX - len((dot + ending).encode("utf-8", errors="replace"))
    short = stem.encode("utf-8", errors="replace")[:room].decode("utf-8", errors="ignore")
    return short + dot + ending
