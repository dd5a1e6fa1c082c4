"""Asks the model: the only file that knows the client library, loaded in the planner's own process.

The answer's shape is given to the model as a tool that it must call.  The answer is validated here, and one
that does not fit goes back to the model once, with what is wrong with it; a second one is a failure.
"""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field
from pydantic_ai import Agent, exceptions
from pydantic_ai.models import Model as AnyModel
from pydantic_ai.models import infer_model
from pydantic_ai.providers import Provider, infer_provider_class
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RunUsage

from shopfloor.domain.limits import DECOMPOSE_MAX, TITLE_CHARS_MAX
from shopfloor.domain.planning import Idea, Judged, Part, Specified, Split, Turn
from shopfloor.planner import prompts
from shopfloor.planner.job import Code, Failure, Job, Model, Reply, Usage

RETRIES = 1
# What other servers imitate is OpenAI's chat completions; its newer interface is asked under its own name.
COMPATIBLE, CHAT = "openai-compatible", "openai-chat"
Shape = TypeVar("Shape", bound=BaseModel)


class ClearTask(BaseModel):
    """A clear task."""

    title: str = Field(min_length=1, max_length=TITLE_CHARS_MAX)
    body: str
    assignee: str | None = Field(
        None, description="One of the given profiles, if one plainly fits."
    )

    def value(self) -> Specified:
        return Specified(self.title, self.body, self.assignee)


class SubTask(ClearTask):
    """One of several parts."""

    after: list[int] = Field(
        default_factory=list, description="Positions (from 0) of earlier parts that it needs."
    )


class Parts(BaseModel):
    """The parts of a piece of work; none of them, and the whole, where splitting does not help."""

    parts: list[SubTask] = Field(max_length=DECOMPOSE_MAX)
    whole: ClearTask | None = None

    def value(self) -> Split:
        """The parts; raises ModelRetry where they make no graph, so that the model is told."""
        for position, part in enumerate(self.parts):
            if any(not 0 <= other < position for other in part.after):
                raise exceptions.ModelRetry(
                    f"part {position} has after={part.after}; only 0 to {position - 1} are earlier parts"
                )
        if not self.parts and self.whole is None:
            raise exceptions.ModelRetry("there are neither parts nor a whole; give one of them")
        parts = tuple(Part(p.title, p.body, p.assignee, tuple(p.after)) for p in self.parts)
        return Split(parts, self.whole.value() if self.whole is not None and not parts else None)


class Verdict(BaseModel):
    """Whether the goal is reached."""

    verdict: Literal["done", "continue", "impossible"]
    reason: str = Field(min_length=1, max_length=2_000)
    next: str = Field("", max_length=4_000, description="What to do next, for `continue`.")

    def value(self) -> Judged:
        return Judged(self.verdict, self.reason, self.next)


def ask(job: Job, key: str | None) -> Reply:
    """The model's answer to a job, or why there is none; never raises for what a provider does."""
    usage = RunUsage()
    try:
        model = _model(job.model, key)
        return _question(job, model, usage)
    except exceptions.AgentRunError as failed:
        return Reply(failure=_failure(failed), usage=_spent(usage))
    except (exceptions.UserError, ImportError, ValueError) as wrong:
        sentence = f"the planner's model cannot be used: {_line(wrong)}"
        return Reply(failure=Failure("settings", sentence))


def _question(job: Job, model: AnyModel, usage: RunUsage) -> Reply:
    if job.verb == "specify":
        agent = _agent(job, model, ClearTask, prompts.SPECIFY)
        clear = agent.run_sync(prompts.idea(_idea(job)), usage=usage).output
        return Reply(specified=clear.value(), usage=_spent(usage))
    if job.verb == "split":
        splitter = _agent(job, model, Parts, prompts.SPLIT)
        splitter.output_validator(_graph)
        parts = splitter.run_sync(prompts.idea(_idea(job)), usage=usage).output
        return Reply(split=parts.value(), usage=_spent(usage))
    judge = _agent(job, model, Verdict, prompts.JUDGE)
    verdict = judge.run_sync(prompts.turn(_turn(job)), usage=usage).output
    return Reply(judged=verdict.value(), usage=_spent(usage))


def _agent(
    job: Job, model: AnyModel, shape: type[Shape], instructions: str
) -> Agent[object, Shape]:
    settings = ModelSettings(max_tokens=job.model.tokens_max, timeout=job.model.timeout_s)
    return Agent(
        model,
        output_type=shape,
        instructions=instructions,
        retries=RETRIES,
        model_settings=settings,
    )


def _graph(found: Parts) -> Parts:
    """Refuse what makes no graph while the model can still be told."""
    found.value()
    return found


def _idea(job: Job) -> Idea:
    assert job.idea is not None, f"a job to {job.verb} brings an idea"
    return job.idea


def _turn(job: Job) -> Turn:
    assert job.turn is not None, "a job to judge brings a turn"
    return job.turn


def _model(told: Model, key: str | None) -> AnyModel:
    def provider(name: str) -> Provider[Any]:
        given = {"base_url": told.base_url, "api_key": key}
        made = infer_provider_class(name)(**{k: v for k, v in given.items() if v is not None})
        # A limit is told at once: waiting for its end here would keep whoever asked.
        if hasattr(made.client, "max_retries"):
            made.client.max_retries = 0
        return made

    kind = CHAT if told.provider == COMPATIBLE else told.provider
    return infer_model(f"{kind}:{told.name}", provider)


# The first kind that a failure is an instance of says what it means for who asked.
_CODES: tuple[tuple[type[Exception], Code], ...] = (
    (exceptions.ModelAuthenticationError, "auth"),
    (exceptions.ModelRateLimitError, "rate_limited"),
    (exceptions.ModelQuotaExceededError, "rate_limited"),
    (exceptions.ModelNotFoundError, "settings"),
    (exceptions.ModelRequestRejectedError, "refused"),
    (exceptions.ContentFilterError, "refused"),
    (exceptions.UnexpectedModelBehavior, "malformed"),
)


def _failure(failed: exceptions.AgentRunError) -> Failure:
    fallback: Code = "unavailable"
    code = next((code for kind, code in _CODES if isinstance(failed, kind)), fallback)
    words: dict[Code, str] = {
        "auth": "the provider refused the planner's key",
        "rate_limited": "the provider's limit is reached",
        "settings": "the provider does not know the planner's model",
        "refused": "the provider refused the question",
        "malformed": "the model gave no usable answer, also when it was asked again",
        "unavailable": "the provider could not be reached",
    }
    return Failure(code, f"{words[code]}: {_line(failed)}")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _spent(usage: RunUsage) -> Usage:
    return Usage(usage.input_tokens or 0, usage.output_tokens or 0)
