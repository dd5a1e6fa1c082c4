"""Requests and results as typed structures, and their JSON: the only file that knows the decoder.

A request refuses unknown fields; a result's times are ISO 8601 in UTC.  `Arg` describes a field once,
for the command line's help, the JSON Schema and the tools that are made from it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from shopfloor.domain.errors import Invalid
from shopfloor.domain.moments import moment_ms

T = TypeVar("T")


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of what is asked."""


class Result(msgspec.Struct, frozen=True):
    """Base of what is answered."""


def Arg(  # noqa: N802 - it stands where a type's annotation stands, and reads as one
    words: str,
    *,
    positional: bool = False,
    leading: bool = False,
    flag: str | None = None,
    metavar: str | None = None,
    unit: str | None = None,
    rest: bool = False,
    json: bool = False,
    paging: bool = False,
    **bounds: Any,
) -> msgspec.Meta:
    """What a field means, and how a command line takes it.

    A `leading` one is positional and goes before those that are only that.  `unit="ms"` lets a command
    line take a duration such as `10m`; `rest` takes all words after `--`; `json` takes JSON text, or
    `@FILE`; `paging` fields are the command line's own to fill in.
    """
    cli = {
        "positional": positional or leading,
        "leading": leading,
        "flag": flag,
        "metavar": metavar,
        "unit": unit,
        "rest": rest,
        "json": json,
        "paging": paging,
    }
    return msgspec.Meta(description=words, extra={"cli": cli}, **bounds)


_BOUND = re.compile(r"^Expected `(int|float|str|array)`(?: of length)? (>=|<=|>|<) ([\d.+e-]+)")
_SIGNS = {">=": "of at least", "<=": "of at most", ">": "above", "<": "below"}
_encoder = msgspec.json.Encoder()
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def encode(value: object) -> bytes:
    """The value as compact JSON."""
    return _encoder.encode(value)


def text(value: object) -> str:
    """The value as JSON text, for a column."""
    return _encoder.encode(value).decode()


def decode(data: bytes | str, kind: type[T]) -> T:
    """Read JSON into a type; raises Invalid with the path of what is wrong."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    try:
        found: T = decoder.decode(data)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise Invalid(f"the request cannot be read: {_plain(wrong)}") from None
    return found


def convert(value: object, kind: type[T]) -> T:
    """Turn plain values into a type; raises Invalid with the path of what is wrong."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as wrong:
        raise Invalid(f"the request cannot be read: {_plain(wrong)}") from None


def _plain(wrong: Exception) -> str:
    words = _BOUND.sub(_in_words, str(wrong))
    return words[:1].lower() + words[1:]


def _in_words(bound: re.Match[str]) -> str:
    """A bound that was not kept, for people."""
    kind, sign, most = bound.groups()
    if kind in ("int", "float"):
        number = "a whole number" if kind == "int" else "a number"
        return f"expected {number} {_SIGNS[sign]} {most}"
    things = "characters" if kind == "str" else "items"
    if sign == ">=":
        return (
            "expected something, and it is empty"
            if most == "1"
            else f"expected at least {most} {things}"
        )
    return f"expected at most {most} {things}"


def schema(kind: Any) -> dict[str, Any]:
    """The JSON Schema of a request or result."""
    return msgspec.json.schema(kind)


def moment(ms: int | None) -> datetime | None:
    """A stored time as the reader gets it."""
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)


def always(ms: int) -> datetime:
    """A stored time that is always there."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def milliseconds(when: datetime | None) -> int | None:
    """A time from outside as it is stored; without a zone it is UTC.  Raises Invalid at the calendar's ends."""
    if when is None:
        return None
    return moment_ms(when if when.tzinfo is not None else when.replace(tzinfo=UTC))
