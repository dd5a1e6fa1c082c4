"""Keeps secrets out of a log: each value that must not be told is written as `***`.

Output comes in pieces, so the end of a piece that may be the beginning of a secret is held back until
the next one tells.
"""

SHOWN = b"***"
# Shorter values stand in too many places that are no secret.
LENGTH_LEAST = 4


class Mask:
    """Replaces some values in a stream of bytes."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        values = {secret.encode() for secret in secrets if len(secret) >= LENGTH_LEAST}
        # The longest first, so that a secret inside another leaves nothing of it over.
        self._secrets = sorted(values, key=len, reverse=True)
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """What may be written now of this piece and what was held back before it."""
        if not self._secrets:
            return piece
        data = self._held + piece
        for secret in self._secrets:
            data = data.replace(secret, SHOWN)
        kept = self._beginning(data)
        self._held = data[len(data) - kept :]
        return data[: len(data) - kept]

    def rest(self) -> bytes:
        """What is held back when nothing more comes: the beginning of a secret is none."""
        held, self._held = self._held, b""
        return held

    def _beginning(self, data: bytes) -> int:
        """How many bytes at the end may be the beginning of a secret."""
        if not self._secrets:
            return 0
        for length in range(min(len(self._secrets[0]) - 1, len(data)), 0, -1):
            end = data[-length:]
            if any(secret.startswith(end) for secret in self._secrets if len(secret) > length):
                return length
        return 0
