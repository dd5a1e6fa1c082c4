"""How a setting's meaning stands beside it."""

from typing import NamedTuple


class Words(NamedTuple):
    """What a field means; `unset` says what holds where None is the default."""

    words: str
    unset: str | None = None
