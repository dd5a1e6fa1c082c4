"""The keys of a home: `access.json`, readable by its user alone, which holds hashes and no secret.

Several processes read and change it: the door for `shop token`, `shop up` for its login link, the
process of the web for sessions.  Each change is made under a file lock and replaces the file as a
whole; a reader looks at the file's stamp for each question, so that a key that was revoked opens nothing from
that moment on.  What happens is added to `audit.jsonl`, which nobody rewrites.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from shopfloor.app.web_address import kept
from shopfloor.config import Home
from shopfloor.domain.access import LINK_MS, TOKEN_PREFIX, Entry, Key, KeyKind, LoginLink, Role
from shopfloor.domain.errors import Conflict, NotFound, Unavailable
from shopfloor.process.files import write_atomic

SECRET_BYTES = 32
ID_BYTES = 6
# The interpreter's own small module: `hashlib` would bring OpenSSL into processes that need nothing of it.
_sha256 = import_module("_sha2" if sys.version_info >= (3, 12) else "_sha256").sha256

Stamp = tuple[int, int, int]


def digest(secret: str) -> str:
    """What is kept of a secret.  It is random and long, so that one round of hashing is enough."""
    return str(_sha256(secret.encode(errors="surrogatepass")).hexdigest())


def _clock() -> int:
    return time.time_ns() // 1_000_000


class HomeAccess:
    """The keys of one home and its audit log; may be used from any thread."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._stamp: Stamp | None = None
        self._keys: dict[str, Key] = {}
        self._name = ""

    # Looking.

    def find(self, secret: str) -> Key | None:
        """The key that this secret is, while it is good."""
        self._refresh()
        found = self._keys.get(digest(secret))
        return None if found is None or found.expired(_clock()) else found

    def still(self, key: Key) -> bool:
        """Whether a key that was found is good now."""
        self._refresh()
        return self._keys.get(key.hash) == key and not key.expired(_clock())

    def version(self) -> object:
        """Something that is another thing when any key has changed."""
        self._refresh()
        return self._stamp

    def now(self) -> int:
        """The time by which keys expire."""
        return _clock()

    def home_name(self) -> str:
        """A short random name of this home, so that the cookies of two homes on one machine differ."""
        self._refresh()
        if not self._name:
            with self._changing():
                pass
        return self._name

    def tokens(self) -> list[Key]:
        """The tokens that were made by name, in the order of their making."""
        self._refresh()
        found = [key for key in self._keys.values() if key.kind == "token"]
        return sorted(found, key=lambda key: key.created_at)

    # Changing.

    def create(
        self, name: str, role: Role, *, expires_at: int | None, creator: str
    ) -> tuple[Key, str]:
        """A new token and its secret, which nobody can ask for again; raises Conflict for a name in use."""
        with self._changing() as keys:
            if any(key.kind == "token" and key.name == name for key in keys.values()):
                raise Conflict(
                    f"there is a token {name!r} already; revoke it first, or take another name"
                )
            made = _made("token", name, role, expires_at=expires_at, creator=creator)
            keys[made[0].hash] = made[0]
        self.note(creator, "token_created", role=role, detail=f"{name}, {role}")
        return made

    def revoke(self, name: str, *, actor: str) -> Key:
        """Let a token and the sessions that it opened open nothing any more; raises NotFound."""
        with self._changing() as keys:
            found = next((k for k in keys.values() if k.kind == "token" and k.name == name), None)
            if found is None:
                raise NotFound(f"there is no token {name!r}; `shop token list` shows what there is")
            for key in list(keys.values()):
                if found.id in (key.id, key.parent):
                    del keys[key.hash]
        self.note(actor, "token_revoked", detail=name)
        return found

    def link(self, name: str) -> LoginLink:
        """A new login link for the administrator of this home, good for an hour; raises Unavailable."""
        found = kept(self._home)
        if found is None:
            raise Unavailable("there is no dashboard to log in at; `shop up` starts it")
        with self._changing() as keys:
            key, secret = _made("link", name, "admin", expires_at=_clock() + LINK_MS, creator=name)
            keys[key.hash] = key
        self.note(name, "link_made")
        return LoginLink(f"{found.url}/login#token={secret}", _clock() + LINK_MS)

    def open_session(self, key: Key, lasts_ms: int) -> tuple[Key, str]:
        """A session of who has shown this key; it ends with its token, a link's goes on by itself."""
        expires_at = _clock() + lasts_ms
        if key.kind == "token" and key.expires_at is not None:
            expires_at = min(expires_at, key.expires_at)
        with self._changing() as keys:
            made, secret = _made(
                "session", key.name, key.role, expires_at=expires_at, creator=key.name
            )
            made = made._replace(parent=key.id if key.kind == "token" else None)
            keys[made.hash] = made
        return made, secret

    def renew(self, session: Key, lasts_ms: int) -> None:
        """Let a session that is used go on."""
        with self._changing() as keys:
            parent = next((k for k in keys.values() if k.id == session.parent), None)
            ends = [_clock() + lasts_ms, *([parent.expires_at] if parent else [])]
            if session.hash in keys:
                until = min(end for end in ends if end is not None)
                keys[session.hash] = session._replace(expires_at=until)

    def close_session(self, session: Key) -> None:
        """End a session."""
        with self._changing() as keys:
            keys.pop(session.hash, None)

    # The audit log.

    def note(
        self,
        who: str,
        what: str,
        *,
        role: str | None = None,
        address: str | None = None,
        detail: str = "",
    ) -> None:
        """Add a line to the audit log: who did what."""
        told: dict[str, Any] = {"at": _clock(), "who": who, "what": what}
        told |= {"role": role, "address": address, "detail": detail}
        line = json.dumps({name: value for name, value in told.items() if value}) + "\n"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            descriptor = os.open(self._home.audit, flags, 0o600)
            try:
                os.write(descriptor, line.encode())
            finally:
                os.close(descriptor)
        except OSError as wrong:
            raise Unavailable(f"{self._home.audit} cannot be written: {wrong.strerror}") from None

    def audit(self, *, after: int | None, limit: int) -> list[Entry]:
        """Lines of the audit log by their numbers, oldest first: those after a number, or the newest."""
        try:
            lines = self._home.audit.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        begin = max(len(lines) - limit, 0) if after is None else after
        numbered = enumerate(lines[begin : begin + limit], begin + 1)
        return [entry for number, line in numbered if (entry := _entry(number, line))]

    # The file.

    def _refresh(self) -> None:
        """Read the file if it is another one than before."""
        try:
            found = self._home.access.stat()
        except FileNotFoundError:
            self._stamp, self._keys = None, {}
            return
        stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        if stamp != self._stamp:
            self._name, self._keys = _read(self._home)
            self._stamp = stamp

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Key]]:
        """The keys to change: what is there at the end is kept, without what has expired."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        lock = os.open(self._home.access.with_suffix(".lock"), flags, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            name, keys = _read(self._home)
            yield keys
            name = name or os.urandom(ID_BYTES).hex()
            now = _clock()
            kept = {hashed: key for hashed, key in keys.items() if not key.expired(now)}
            told = {"home": name, "keys": [key._asdict() for key in kept.values()]}
            write_atomic(self._home.access, json.dumps(told, indent=1).encode() + b"\n")
            self._stamp = None
            self._name = name
        except OSError as wrong:
            raise Unavailable(f"{self._home.access} cannot be changed: {wrong.strerror}") from None
        finally:
            os.close(lock)


def _made(
    kind: KeyKind, name: str, role: Role, *, expires_at: int | None, creator: str
) -> tuple[Key, str]:
    secret = TOKEN_PREFIX + urlsafe_b64encode(os.urandom(SECRET_BYTES)).decode().rstrip("=")
    key = Key(
        os.urandom(ID_BYTES).hex(), kind, name, role, digest(secret), _clock(), expires_at, creator
    )
    return key, secret


def _read(home: Home) -> tuple[str, dict[str, Key]]:
    """The home's name and its keys by their hashes; raises Unavailable for a file that is none."""
    try:
        told = json.loads(home.access.read_text(encoding="utf-8"))
        keys = [Key(**one) for one in told["keys"]]
        return str(told["home"]), {key.hash: key for key in keys}
    except FileNotFoundError:
        return "", {}
    except (OSError, ValueError, TypeError, KeyError) as wrong:
        raise Unavailable(
            f"{home.access} cannot be read: {wrong!r}; move it away, and all must log in anew"
        ) from None


def _entry(number: int, line: str) -> Entry | None:
    """A line of the audit log; None for one that a full disk has cut."""
    try:
        told = json.loads(line)
        return Entry(
            number,
            int(told["at"]),
            str(told["who"]),
            str(told["what"]),
            told.get("role"),
            told.get("address"),
            str(told.get("detail", "")),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
