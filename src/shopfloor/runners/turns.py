"""The turns of a run: say something, look whether the agent gave its verdict, and decide what is next.

A run is done when the agent *said* so with the run's token; only the ledger knows.  What the turn left
behind classifies why not: a failure of the program or its provider, a limit that is over soon, or a turn
without a word, after which the agent is asked again in the same session.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from shopfloor.domain import limits
from shopfloor.domain.errors import BoardError
from shopfloor.runners import judge, prompts, report
from shopfloor.runners.brief import Brief, Goal
from shopfloor.runners.conversation import Conversation, Surroundings, Turned, clock
from shopfloor.runners.judge import Judgement, NoJudge
from shopfloor.runners.ledger import Ledger
from shopfloor.runners.report import Failure, Report, Usage
from shopfloor.runners.signs import Sign, failure

FOR_EVER_S = float("inf")
FLUSH_S = 10.0
WAITING = frozenset({"rate_limited", "quota", "busy"})
BUSY_PAUSE_S = 15.0
# A provider's clock and ours differ a little.
RESET_MARGIN_S = 1.0
FRESH_SESSIONS_MAX = 1


class Say(NamedTuple):
    """What is said next: whole, and as it may stand in an argument list."""

    prompt: str
    pointer: str


# What comes after a turn with which the run is over.
OVER: Say | None = None


class Turns:
    """One run's turns, from the first prompt to its report."""

    def __init__(
        self,
        brief: Brief,
        agent: Conversation,
        ledger: Ledger,
        around: Surroundings,
        *,
        mask: Callable[[str], str] = str,
    ) -> None:
        self._brief = brief
        self._agent = agent
        self._ledger = ledger
        self._around = around
        self._mask = mask
        self._limited_since: int | None = None
        self._fresh = 0
        self._denied: tuple[str, ...] = ()
        self.report = Report(session_id=brief.session, model=brief.model)

    def run(self) -> None:
        """Take turns until the run has its verdict or its ending; leaves the report."""
        say: Say | None = self._first()
        while say is not None:
            turned = self._agent.turn(say.prompt, say.pointer)
            self._note(turned)
            say = None if turned.cut_off else self._next(turned)
        self._around.pulse.close()

    def _first(self) -> Say:
        """The first prompt: the task, or the news for a session that goes on."""
        brief = self._brief
        if brief.session is not None and brief.news:
            return Say(brief.news, brief.news)
        return self._whole(brief.news)

    def _whole(self, news: str | None = None) -> Say:
        """The whole task, for an agent that knows nothing of it."""
        with open(self._brief.context, encoding="utf-8") as file:  # noqa: PTH123 - no pathlib in runners
            context = file.read()
        more = prompts.skills(self._brief)
        if self._brief.goal is not None:
            more += prompts.goal(self._brief)
        if news:
            more += f"\n\n{news}"
        return Say(context + more, prompts.pointer(self._brief) + more)

    def _note(self, turned: Turned) -> None:
        """Keep what the turn left, for the ledger and for the report."""
        around = self._around
        around.spent = around.spent.plus(turned.usage)
        self._denied = turned.denied or self._denied
        self._save(
            turns=self.report.turns + 1,
            text=self._mask(turned.text) or self.report.text,
            session_id=turned.session or self.report.session_id,
            model=turned.model or self.report.model,
            usage=around.spent,
            session_usage=turned.total,
        )
        around.pulse.session(turned.session, turned.model)
        around.pulse.used(around.spent)
        around.pulse.flush(FLUSH_S)

    def _next(self, turned: Turned) -> Say | None:
        """What to say now; None where the run is over."""
        if self._has_verdict():
            return None
        if turned.failure is not None:
            return self._after_failure(turned.failure, turned.usage)
        self._limited_since = None
        if self._brief.goal is not None:
            return self._towards_the_goal(self._brief.goal, turned)
        if self._brief.preset.get("verdict") == "turn" and self._brief.role == "worker":
            return self._tell("task.complete", summary=self._summary(turned))
        return self._reminded()

    def _has_verdict(self) -> bool:
        """Whether the ledger takes nothing more for this run: it ended, or waits for its check."""
        try:
            answer = self._ledger.ask("run.guard", {}, tries_s=FOR_EVER_S, write=False)
        except BoardError:
            return True
        return not answer["open"] or bool(answer.get("pending"))

    def _after_failure(self, failed: Failure, used: Usage) -> Say | None:
        if failed.ending == "session_lost" and self._fresh < FRESH_SESSIONS_MAX:
            self._fresh += 1
            self._agent.begin_anew()
            self._around.show("… the session is not there any more; a new one begins")
            return self._whole(self._brief.news)
        if used.output_tokens or self._limited_since is None:
            self._limited_since = clock()
        wait_s = self._wait_s(failed, self._limited_since)
        if wait_s is None:
            ending = "failed" if failed.ending == "session_lost" else failed.ending
            return self._end(failed._replace(ending=ending))
        self._around.show(f"… {self._mask(failed.sentence)}; going on in {wait_s:.0f} s")
        time.sleep(wait_s)
        return Say(prompts.GO_ON, prompts.GO_ON) if self._goes_on() else self._whole()

    def _goes_on(self) -> bool:
        """Whether there is a session that knows of the task."""
        return self.report.session_id is not None

    def _wait_s(self, failed: Failure, since: int) -> float | None:
        """How long to wait inside the run; None where it should give its slot back instead."""
        if failed.ending not in WAITING:
            return None
        if failed.reset_at is not None:
            wait_s = max((failed.reset_at - clock()) / 1000, 0) + RESET_MARGIN_S
        elif failed.ending == "busy":
            wait_s = BUSY_PAUSE_S
        else:
            return None
        waited_s = (clock() - since) / 1000
        return wait_s if waited_s + wait_s <= self._brief.quota_wait_s else None

    def _reminded(self) -> Say | None:
        """Ask for the verdict, if it may be asked for again."""
        if self.report.reminders < self._brief.profile.reminders:
            self._save(reminders=self.report.reminders + 1)
            self._around.show("… the turn ended without a verdict; the agent is asked for one")
            words = prompts.reminder(self._brief)
            if self._goes_on():
                return Say(words, words)
            return self._whole(words)
        if self._denied:
            names = ", ".join(sorted(set(self._denied)))
            return self._end(
                failure("permission_refused", Sign(message=f"it refused {names}"), None)
            )
        asked = self.report.reminders
        times = "" if not asked else f", asked {asked} times"
        return self._end(
            Failure("no_verdict", f"the agent ended without saying how the task ended{times}")
        )

    def _towards_the_goal(self, goal: Goal, turned: Turned) -> Say | None:
        """Let the judge decide between done, impossible and one more turn."""
        found = self._judged(goal, turned)
        if isinstance(found, NoJudge):
            return self._tell("task.block", reason=self._mask(found.sentence), kind="transient")
        if found.verdict == "done":
            return self._tell("task.complete", summary=self._summary(turned, found.reason))
        if found.verdict == "impossible":
            return self._tell("task.block", reason=self._mask(found.reason), kind="capability")
        if self.report.turns >= goal.turns:
            words = f"all {goal.turns} turns were used and the goal is not reached: {found.reason}"
            return self._end(Failure("goal_budget_spent", words))
        self._around.show(f"… turn {self.report.turns} of {goal.turns}: {found.reason}")
        words = prompts.next_turn(found.reason, found.next)
        return Say(words, words) if self._goes_on() else self._whole(words)

    def _summary(self, turned: Turned, otherwise: str = "") -> str:
        """The handoff of a task that is completed in the agent's place: its last words."""
        words = turned.text or otherwise or "the agent ended its turn without a failure"
        return report.cut(self._mask(words), limits.FINAL_TEXT_BYTES_MAX)

    def _judged(self, goal: Goal, turned: Turned) -> Judgement | NoJudge:
        """What the judge finds; where none is configured, the agent itself says when it is done."""
        found = judge.ask(
            self._ledger,
            self._brief.task,
            self._mask(turned.text),
            turn=self.report.turns,
            turns=goal.turns,
        )
        if isinstance(found, NoJudge) and not found.trouble:
            return Judgement("continue", found.sentence, prompts.reminder(self._brief))
        return found

    def _tell(self, op: str, **args: Any) -> Say | None:
        """Give the verdict in the agent's place; a refusal means that the run is not open any more."""
        try:
            self._ledger.ask(op, {"id": self._brief.task, **args}, tries_s=FOR_EVER_S)
        except BoardError as refused:
            self._around.show(f"! {op} was refused: {refused.message}")
        return OVER

    def _end(self, failed: Failure) -> Say | None:
        sentence = self._mask(failed.sentence)
        step = failed.next
        if step is None and failed.ending in ("auth_failed", "permission_refused"):
            step = f"shop profile check {self._brief.profile.name}"
        if failed.ending == "auth_failed" and self._brief.preset.get("login"):
            sentence = f"{sentence}; {self._brief.preset['login']}"
        self._around.show(f"! {sentence}")
        self._save(ending=failed.ending, sentence=sentence, reset_at=failed.reset_at, next=step)
        return OVER

    def _save(self, **changes: Any) -> None:
        self.report = self.report._replace(**changes)
        report.write(self._brief.folder, self.report)
