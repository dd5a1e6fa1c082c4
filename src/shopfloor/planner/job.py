"""The job that the planner's process reads from its standard input, and what it prints: two JSON lines.

Both sides of the pipe use these types, so that neither trusts the other's spelling.  The key of the
provider is in neither: it comes in the environment, under the name that the job says.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from shopfloor.domain.planning import Idea, Judged, Specified, Split, Turn

Verb = Literal["specify", "split", "judge"]
Code = Literal["settings", "auth", "rate_limited", "unavailable", "malformed", "refused"]


class Model(Struct, frozen=True, forbid_unknown_fields=True):
    """Which model is asked, where, and how much it may say."""

    provider: str
    name: str
    base_url: str | None = None
    key_variable: str | None = None
    tokens_max: int = 4_000
    timeout_s: float = 120.0


class Job(Struct, frozen=True, forbid_unknown_fields=True):
    """One question."""

    verb: Verb
    model: Model
    idea: Idea | None = None
    turn: Turn | None = None


class Usage(Struct, frozen=True):
    """What the question cost, in tokens; a retry is counted in."""

    input_tokens: int = 0
    output_tokens: int = 0


class Failure(Struct, frozen=True):
    """Why there is no answer: what kind of trouble it is, and one sentence."""

    code: Code
    sentence: str


class Reply(Struct, frozen=True):
    """The answer of the model, in the field of the question's verb, or the failure."""

    specified: Specified | None = None
    split: Split | None = None
    judged: Judged | None = None
    failure: Failure | None = None
    usage: Usage = Usage()
