"""Asks the planner's process: what operations and the daemon call.

A question either has an answer of its type or raises: `GuardFailed` where no model is configured or the settings
are wrong (the sentence names the setting), `Unavailable` where asking again later may help, `Refused` where it
will not.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import msgspec

from shopfloor.domain.errors import BoardError, GuardFailed, LimitReached, Refused, Unavailable
from shopfloor.domain.planning import Idea, Judged, Specified, Split, Turn
from shopfloor.domain.settings import Planner
from shopfloor.planner.job import Code, Job, Model, Reply, Usage
from shopfloor.process import oneshot
from shopfloor.process.environment import worker_environment

START_S = 30.0
# A malformed answer goes back to the model once.
ASKED_MAX = 2
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")

_ERRORS: dict[Code, type[BoardError]] = {
    "settings": GuardFailed,
    "auth": GuardFailed,
    "rate_limited": LimitReached,
    "unavailable": Unavailable,
    "malformed": Refused,
    "refused": Refused,
}


class Asker:
    """The model of one board's settings; `used` is what all questions so far have cost."""

    def __init__(self, settings: Planner | None, base: Mapping[str, str]) -> None:
        self._settings = settings
        self._base = base
        self.used = Usage()

    @property
    def configured(self) -> bool:
        """Whether there is a model to ask."""
        return self._settings is not None

    def specify(self, idea: Idea) -> Specified:
        """The clear task that an idea asks for."""
        found = self._ask(Job("specify", self._model(), idea=idea)).specified
        assert found is not None, "the planner answers the question that was asked"
        return found

    def split(self, idea: Idea) -> Split:
        """The sub-tasks of an idea, or the idea as one clear task."""
        found = self._ask(Job("split", self._model(), idea=idea)).split
        assert found is not None, "the planner answers the question that was asked"
        return found

    def judge(self, turn: Turn) -> Judged:
        """Whether a goal is reached."""
        found = self._ask(Job("judge", self._model(), turn=turn)).judged
        assert found is not None, "the planner answers the question that was asked"
        return found

    def missing(self) -> GuardFailed:
        """What is said where there is no model to ask."""
        return GuardFailed(
            "no model is configured for planning: set provider and model under [planner] in the configuration"
        )

    def _model(self) -> Model:
        told = self._settings
        if told is None:
            raise self.missing()
        return Model(
            told.provider,
            told.model,
            told.base_url,
            told.api_key_env,
            told.max_tokens,
            told.timeout_ms / 1000,
        )

    def _ask(self, job: Job) -> Reply:
        variable = job.model.key_variable
        if variable is not None and not self._base.get(variable):
            raise GuardFailed(
                f"the planner's key is missing: [planner] api_key_env names {variable}, and it is not set"
                " where `shop` runs"
            )
        keys = _usual_keys(job.model.provider) if variable is None else (variable,)
        passed = {name: self._base[name] for name in (*PROXIES, *keys) if name in self._base}
        env = worker_environment(self._base, passed)
        printed = oneshot.run(
            [sys.executable, "-m", "shopfloor.planner.program"],
            msgspec.json.encode(job),
            env=env,
            timeout_s=job.model.timeout_s * ASKED_MAX + START_S,
        )
        reply = msgspec.json.decode(printed, type=Reply)
        self.used = Usage(
            self.used.input_tokens + reply.usage.input_tokens,
            self.used.output_tokens + reply.usage.output_tokens,
        )
        if reply.failure is not None:
            raise _ERRORS[reply.failure.code](reply.failure.sentence)
        return reply


def _usual_keys(provider: str) -> tuple[str, ...]:
    """The variables in which a provider's key usually is, as its own programs read them."""
    name = provider.partition("-")[0].upper()
    return ("GOOGLE_API_KEY", "GEMINI_API_KEY") if name == "GOOGLE" else (f"{name}_API_KEY",)
