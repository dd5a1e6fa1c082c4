"""SHA-256 for supervisors: the interpreter's own small module, without OpenSSL.

`hashlib` loads OpenSSL, which costs each supervisor a megabyte that it would use for one hash.  The small
module is slower, and still hashes faster than any worker writes.
"""

from importlib import import_module
from typing import Any, Protocol


class Hash(Protocol):
    """A hash that takes its input in pieces."""

    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


def _maker() -> Any:
    # Python 3.12 put the small modules of this family into one.
    for name in ("_sha2", "_sha256", "hashlib"):
        try:
            return import_module(name).sha256
        except ImportError:
            continue
    raise ImportError("this interpreter has no SHA-256")


_sha256 = _maker()


def sha256() -> Hash:
    """A new hash."""
    made: Hash = _sha256()
    return made
