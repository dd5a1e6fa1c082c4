"""Ed25519 over the hashes of receipts: the only file that knows the library, which is an extra.

What is signed is a receipt's hash, and each receipt names the hash of the one before it, so one signature
covers everything up to its receipt.  A key is told as the 64 hexadecimal digits of its public half.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from shopfloor.domain.errors import Invalid, Unavailable

PREFIX = "shopfloor receipt "
_PUBLIC = re.compile("[0-9a-f]{64}")


class Generated(NamedTuple):
    """A new key: both halves as PEM, and the public one as it is told."""

    private_pem: bytes
    public_pem: bytes
    public: str


class Signer:
    """One private key, given as PEM."""

    def __init__(self, pem: bytes) -> None:
        _, serialization = _library()
        try:
            self._key = serialization.load_pem_private_key(pem, password=None)
            self.public: str = self._key.public_key().public_bytes_raw().hex()
        except (ValueError, TypeError, AttributeError) as wrong:
            raise Unavailable(
                f"the key that signs receipts is no Ed25519 key as PEM without a password: {wrong}"
            ) from None

    def sign(self, digest: str) -> tuple[str, str]:
        """The public key and the signature of a receipt's hash, both in hexadecimal digits."""
        return self.public, self._key.sign(message(digest)).hex()


def generate() -> Generated:
    """Make a key."""
    ed25519, serialization = _library()
    private = ed25519.Ed25519PrivateKey.generate()
    pem = serialization.Encoding.PEM
    return Generated(
        private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        private.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo),
        private.public_key().public_bytes_raw().hex(),
    )


def verify(key: str, digest: str, signature: str) -> bool:
    """Whether a signature of a receipt's hash was made with this key."""
    ed25519, _ = _library()
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra

    try:
        public = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public.verify(bytes.fromhex(signature), message(digest))
    except (InvalidSignature, ValueError):
        return False
    return True


def available() -> bool:
    """Whether signatures can be made and checked here."""
    try:
        _library()
    except Unavailable:
        return False
    return True


def checked_key(key: str) -> str:
    """A public key as it is told; raises Invalid."""
    plain = key.strip().lower()
    if not _PUBLIC.fullmatch(plain):
        raise Invalid(
            "a key is the 64 hexadecimal digits that `shop receipt keygen` prints, and this is something else"
        )
    return plain


def message(digest: str) -> bytes:
    """The bytes that are signed for a hash."""
    return f"{PREFIX}{digest}".encode()


def _library() -> tuple[Any, Any]:
    try:
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - 30 ms and an extra
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - the same
    except ImportError:
        raise Unavailable(
            "signatures need the package cryptography; install shopfloor[sign]"
        ) from None
    return ed25519, serialization
