"""The home's keys: files that only its user can read.

`environment.key` makes digests of workers' environments: equal digests mean equal variables, and who has a
digest but not the key cannot try out what a short value was.  It is made when it is first needed.
`receipts.key` signs receipts; a person makes it with `shop receipt keygen`, and `receipts.pub` beside it
is for those who check them.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from shopfloor.config import Home
from shopfloor.domain.errors import Conflict, Unavailable
from shopfloor.domain.settings import Settings
from shopfloor.ops import signatures
from shopfloor.ops.signatures import Signer
from shopfloor.process.files import write_atomic
from shopfloor.process.mask import LENGTH_LEAST
from shopfloor.process.spec import OWN_PREFIX
from shopfloor.runners import command

KEY_BYTES = 32
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class HomeKeys:
    """The keys of one home."""

    def __init__(self, home: Home) -> None:
        self._folder = home.keys
        self._signing_key = home.signing_key
        self._environment: tuple[bytes, str] | None = None
        self._signer: tuple[tuple[int, int], Signer] | None = None

    def environment_digest(self, env: Mapping[str, str]) -> str:
        """A keyed digest of the variables that the board has not set itself."""
        if self._environment is None:
            key = self._environment_key()
            self._environment = key, sha256(key).hexdigest()[:8]
        key, name = self._environment
        told = sorted(pair for pair in env.items() if not pair[0].startswith(OWN_PREFIX))
        digest = hmac.digest(key, _encode(told).encode(errors="surrogateescape"), "sha256")
        return f"hmac-sha256:{name}:{digest.hex()}"

    def secrets(self, settings: Settings, base: Mapping[str, str]) -> tuple[str, ...]:
        """The values that no receipt may hold, the longest first."""
        found = {
            value
            for profile in settings.profiles.values()
            for value in command.secrets(profile, base)
        }
        found.update(settings.notify.secrets.values())
        long = (value for value in found if len(value) >= LENGTH_LEAST)
        return tuple(sorted(long, key=len, reverse=True))

    def signer(self) -> Signer | None:
        """Who signs receipts; None where nobody made a key."""
        path = self._signing_key
        try:
            seen = path.stat()
        except FileNotFoundError:
            return None
        stamp = (seen.st_ino, seen.st_mtime_ns)
        if self._signer is None or self._signer[0] != stamp:
            self._signer = stamp, Signer(path.read_bytes())
        return self._signer[1]

    def make_signer(self) -> tuple[str, str]:
        """Make the key that signs receipts; answers with the public key and the path of its file."""
        path = self._signing_key
        if path.exists():
            raise Conflict(
                f"there is a key in {path} already; move it away to make another, and keep its public key, "
                "which what it signed is checked with"
            )
        made = signatures.generate()
        if not self._put_new(path, made.private_pem):
            raise Conflict(f"somebody else made {path} at the same moment; try again")
        beside = self._folder / "receipts.pub"
        write_atomic(beside, made.public_pem)
        return made.public, str(beside)

    def _environment_key(self) -> bytes:
        path = self._folder / "environment.key"
        if not path.exists():
            self._put_new(path, secrets.token_bytes(KEY_BYTES).hex().encode() + b"\n")
        try:
            return bytes.fromhex(path.read_text(encoding="ascii"))
        except (OSError, ValueError) as wrong:
            raise Unavailable(f"the key {path} cannot be used: {wrong}") from None

    def _put_new(self, path: Path, content: bytes) -> bool:
        """Write a new file whole; false: there is one already, which stays."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
        try:
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - a descriptor
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            # A link and no renaming: of two who come at once, one has made the key.
            os.link(fresh, path)
        except FileExistsError:
            return False
        except OSError as wrong:
            raise Unavailable(f"the key {path} cannot be written: {wrong.strerror}") from None
        finally:
            fresh.unlink(missing_ok=True)
        return True
