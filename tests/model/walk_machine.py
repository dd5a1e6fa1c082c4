"""A random walk over a board: what people, workers, dispatchers and the clock may do, in any order.

Each rule asks the real operation and knows by hand what it must answer where that is plain: a person
may complete any open task, a ready task that nothing holds can be claimed, an old worker is refused.
After each step `fsck` is asked, and the oracle.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shopfloor.domain.errors import Forbidden, Invalid, Refused, Stale
from shopfloor.domain.outcomes import Exit
from shopfloor.domain.settings import Dispatch, Profile, Settings
from shopfloor.kernel import sweep
from shopfloor.kernel.questions import expire
from tests.model.oracle import OPEN, Ledger
from tests.support.board import BoardHandle

PICK = st.integers(0, 40)
EXITS = st.sampled_from(
    [
        Exit(exit_code=0),
        Exit(exit_code=1),
        Exit(exit_code=75),
        Exit(signal=9),
        Exit(timed_out=True, signal=15),
        Exit(lost=True),
        Exit(never_started=True),
        Exit(stopped=True, signal=15),
        Exit(spawn_error="no such program"),
        Exit(guard_refused="not mine"),
    ]
)
CHILDREN = st.sampled_from(["wait", "cancel", "go-on"])
LOOKED_AT = ("task", "link", "run", "event")
CAP = 4
SETTINGS = Settings(
    dispatch=Dispatch(cap=CAP, reviewer="agent", quota_rounds_limit=3),
    profiles={
        "agent": Profile("agent", kind="cli", argv=("x",), cap=2, tokens_per_run=100),
        "coder": Profile("coder", argv=("x",), failure_limit=3),
    },
)


class Walk(RuleBasedStateMachine):
    """One board and what was done to it."""

    opened: Callable[[], BoardHandle]

    def __init__(self) -> None:
        super().__init__()
        self.board = type(self).opened()
        self.board.settings = SETTINGS
        self.beside = ExitStack()
        self.look = self.beside.enter_context(self.board.connection())
        self.made: list[int] = []
        self.workers: list[tuple[int, int, str]] = []  # task, run, token
        self.by_person = False
        self.before: dict[int, Any] = {}

    def teardown(self) -> None:
        self.beside.close()
        self.board.close()

    # What a rule stands on.

    def ask(self, op: str, *, must: bool = False, **args: Any) -> Any:
        """Ask as a person; a refusal is an answer too, unless it `must` work."""
        self.by_person = True
        try:
            return self.board.ask(op, **args)
        except Refused:
            assert not must, f"{op} {args} should work"
            return None

    def some(self, pick: int) -> int:
        return self.made[pick % len(self.made)]

    def worker(self, pick: int) -> tuple[int, int, str]:
        """Three times of four one that holds its run, if there is one; else any that ever did."""
        holding = [
            one for one in self.workers
            if one[0] in self.made and self.board.task(one[0]).current_run == one[1]
        ]  # fmt: skip
        pool = holding if holding and pick % 4 else self.workers
        return pool[pick // 4 % len(pool)]

    def status(self, task: int) -> str:
        return self.board.status(task)

    def add(self, created: Any) -> None:
        if created is not None:
            self.made.append(created.task.id)

    # People.

    @initialize()
    def first(self) -> None:
        self.add(self.ask("task.create", title="an order", command={"argv": ["x"]}))
        self.add(self.ask("task.create", title="its child", parents=self.made, assignee="coder"))
        self.add(self.ask("task.create", title="an agent's", assignee="agent"))
        self.add(self.ask("task.create", title="free", start_after="any", parents=self.made[:1]))

    @rule(
        parents=st.lists(PICK, max_size=2),
        who=st.sampled_from([None, "agent", "coder", "ghost"]),
        where=st.sampled_from([None, None, "triage", "blocked", "scheduled"]),
        more=st.sampled_from(
            [{}, {}, {"check": ["x"]}, {"start_after": "any"}, {"max_attempts": 1},
             {"backoff": {"base_ms": 1_000}, "command": {"argv": ["x"]}}]
        ),
    )  # fmt: skip
    def create(self, parents: list[int], who: str | None, where: str | None, more: Any) -> None:
        if len(self.made) < 12:
            above = list({self.some(pick) for pick in parents})
            made = self.ask(
                "task.create",
                must=True,
                title="t",
                parents=above,
                assignee=who,
                initial_status=where,
                **more,
            )
            self.add(made)

    @rule(parent=PICK, child=PICK)
    def link(self, parent: int, child: int) -> None:
        try:
            self.ask("task.link", parent=self.some(parent), child=self.some(child))
        except Invalid:
            assert self.some(parent) == self.some(child)

    @rule(parent=PICK, child=PICK)
    def unlink(self, parent: int, child: int) -> None:
        self.ask("task.unlink", parent=self.some(parent), child=self.some(child))

    @rule(pick=PICK)
    def complete_by_hand(self, pick: int) -> None:
        task = self.some(pick)
        self.ask("task.complete", id=task, must=self.status(task) in OPEN)

    @rule(pick=PICK, children=CHILDREN)
    def cancel(self, pick: int, children: str) -> None:
        task = self.some(pick)
        self.ask("task.cancel", id=task, children=children, must=self.status(task) in OPEN)

    @rule(pick=PICK)
    def reopen(self, pick: int) -> None:
        task = self.some(pick)
        self.ask("task.reopen", id=task, must=self.status(task) in ("done", "cancelled"))

    @rule(pick=PICK, children=CHILDREN)
    def archive(self, pick: int, children: str) -> None:
        task = self.some(pick)
        self.ask("task.archive", id=task, children=children, must=self.status(task) != "archived")

    @rule(pick=PICK)
    def unarchive(self, pick: int) -> None:
        task = self.some(pick)
        was = self.board.task(task)
        self.ask("task.unarchive", id=task, must=was.status == "archived")
        if was.archived_from in ("triage", "scheduled", "blocked", "done", "cancelled", "review"):
            assert self.status(task) == was.archived_from

    @precondition(lambda self: len(self.made) > 1)
    @rule(pick=PICK, children=CHILDREN)
    def delete(self, pick: int, children: str) -> None:
        task = self.some(pick)
        if self.ask("task.delete", id=task, children=children) is not None:
            self.made.remove(task)

    @rule(pick=PICK, kind=st.sampled_from(["needs_input", "capability", "dependency"]))
    def block(self, pick: int, kind: str) -> None:
        self.ask("task.block", id=self.some(pick), reason="r", kind=kind)

    @rule(pick=PICK, answer=st.booleans())
    def unblock(self, pick: int, answer: bool) -> None:  # noqa: FBT001 - hypothesis names it
        task = self.some(pick)
        if answer:
            self.ask("task.comment", id=task, body="because", must=True)
        self.ask("task.unblock", id=task, must=self.status(task) in ("blocked", "scheduled"))

    @rule(pick=PICK)
    def answer(self, pick: int) -> None:
        task = self.some(pick)
        waiting = self.board.ask("question.list", id=task)
        self.ask("task.answer", id=task, answer="this", must=len(waiting) == 1)
        if waiting:
            self.ask("task.answer", id=task, answer="that", question=waiting[-1].id)

    @rule()
    def an_account_is_cleared(self) -> None:
        for quota in self.board.ask("quota.list"):
            self.ask("quota.clear", account=quota.account, must=True)

    @rule(pick=PICK, wait_s=st.sampled_from([None, 1, 3_600]))
    def schedule(self, pick: int, wait_s: int | None) -> None:
        due = None
        if wait_s is not None:
            due = f"2027-01-15T{8 + wait_s // 3_600:02d}:00:{wait_s % 60:02d}Z"
        self.ask("task.schedule", id=self.some(pick), not_before=due)

    @rule(pick=PICK, force=st.booleans())
    def promote(self, pick: int, force: bool) -> None:  # noqa: FBT001 - hypothesis names it
        task = self.some(pick)
        may = self.status(task) in ("todo", "blocked", "scheduled")
        self.ask("task.promote", id=task, force=force, must=may and force)

    @rule(pick=PICK)
    def specify(self, pick: int) -> None:
        task = self.some(pick)
        self.ask("task.specify", id=task, must=self.status(task) == "triage")

    @rule(pick=PICK)
    def decompose(self, pick: int) -> None:
        if len(self.made) < 12:
            pieces = [{"title": "a"}, {"title": "b", "after": [0]}]
            made = self.ask("task.decompose", id=self.some(pick), pieces=pieces)
            self.made += [] if made is None else [piece.id for piece in made.pieces]

    @rule(pick=PICK, any_end=st.booleans())
    def edit(self, pick: int, any_end: bool) -> None:  # noqa: FBT001 - hypothesis names it
        self.ask("task.edit", id=self.some(pick), start_after="any" if any_end else "done")

    @rule(pick=PICK)
    def ask_for_changes(self, pick: int) -> None:
        task = self.some(pick)
        self.ask("task.request_changes", id=task, reason="r", must=self.status(task) == "review")

    @rule(pick=st.none() | PICK, stop=st.booleans())
    def pause(self, pick: int | None, stop: bool) -> None:  # noqa: FBT001 - hypothesis names it
        try:
            self.ask("dispatch.pause", ids=[] if pick is None else [self.some(pick)], stop=stop)
        except Invalid:
            assert pick is not None and self.status(self.some(pick)) not in OPEN

    @rule()
    def resume_all(self) -> None:
        for hold in self.board.ask("dispatch.holds"):
            if hold.code == "paused" and hold.scope == "board":
                self.ask("dispatch.resume", must=True)
            if (
                hold.code == "paused"
                and hold.scope == "task"
                and self.status(int(hold.name)) in OPEN
            ):
                self.ask("dispatch.resume", ids=[int(hold.name)], must=True)

    # Workers.

    @rule(pick=PICK)
    def claim_from_outside(self, pick: int) -> None:
        ready = [number for number in self.made if self.status(number) == "ready"]
        task = ready[pick % len(ready)] if ready and pick % 4 else self.some(pick)
        free = (
            self.status(task) == "ready"
            and not self.board.ask("dispatch.holds")
            and all(run.gone_at is not None for run in self.board.runs(task))
            and self.board.task(task).check_command is None
        )
        taken = self.ask("run.claim", id=task, must=free)
        if taken is not None:
            self.workers.append((task, taken.run, taken.token))

    @precondition(lambda self: self.workers)
    @rule(
        pick=PICK,
        does=st.sampled_from(
            [
                ("task.complete", {"summary": "s"}),
                ("task.complete", {"summary": "s"}),
                ("task.block", {"reason": "r"}),
                ("task.block", {"reason": "r", "kind": "transient"}),
                ("task.block", {"reason": "r", "kind": "dependency"}),
                ("task.request_review", {"summary": "s"}),
                ("task.request_changes", {"reason": "r"}),
                ("task.heartbeat", {"note": "n"}),
                ("task.create", {"title": "child"}),
                ("task.subtask", {"title": "piece", "wait": True}),
                ("task.ask", {"question": "which?"}),
                ("task.ask", {"question": "which?", "wait": True}),
                ("task.ask", {"question": "which?", "default": "this", "deadline_ms": 60_000}),
                ("run.progress", {"output": True, "usage": {"input_tokens": 40}}),
                ("run.progress", {"usage": {"input_tokens": 100}}),
            ]
        ),
        on=st.none() | PICK,
    )
    def a_worker_reports(self, pick: int, does: tuple[str, dict[str, Any]], on: int | None) -> None:
        task, run, token = self.worker(pick)
        op, args = does
        makes = op in ("task.create", "task.subtask")
        if task not in self.made or (makes and len(self.made) >= 12):
            return
        if args.get("kind") == "dependency" and on is not None:
            args = {**args, "on": self.some(on)}
        holds = self.board.task(task).current_run == run
        names = {} if makes or op == "run.progress" else {"id": task}
        try:
            answer = self.board.ask_as(run, token, op, **names, **args)
        except (Stale, Forbidden):
            assert not holds
        except (Refused, Invalid):
            assert holds or args.get("on") == task
        else:
            own_end = op == "run.progress" and answer.kind == "closed"
            assert holds or own_end, f"{op} by an old worker should be refused"
            if makes:
                self.made.append(answer.task.id if op == "task.create" else answer.id)

    # The board's own loops.

    @rule(most=st.integers(1, 5))
    def dispatch(self, most: int) -> None:
        claimed = self.board.start(most=most, host_cap=3)
        self.workers += [(one.task.id, one.run_id, one.token) for one in claimed]
        assert len(claimed) <= most
        held = [
            run for number in self.made for run in self.board.runs(number) if run.gone_at is None
        ]
        if claimed:
            assert len(held) <= CAP
            assert len([run for run in held if run.profile == "agent"]) <= 2

    @rule(turns=st.lists(st.tuples(PICK, EXITS, EXITS), min_size=1, max_size=4))
    def a_while_of_work(self, turns: list[tuple[int, Exit, Exit]]) -> None:
        """Passes and ends in turn, as on most days of a board."""
        for pick, seen, check in turns:
            self.dispatch(1 + pick % 3)
            if self.workers:
                self.a_worker_ends(pick, seen, check)
            self.the_board_is_in_order()

    @precondition(lambda self: self.workers)
    @rule(pick=PICK, seen=EXITS, check=EXITS)
    def a_worker_ends(self, pick: int, seen: Exit, check: Exit) -> None:
        task, run, _token = self.worker(pick)
        if task in self.made:
            settled = self.board.settle(run, seen)
            if settled.settlement == "check":
                self.board.settle_check(run, check)
            assert self.board.run(run).gone_at is not None

    @rule(ms=st.sampled_from([500, 60_000, 301_000, 901_000, 3_600_000]))
    def time_passes(self, ms: int) -> None:
        self.board.clock.advance(ms)
        due = [
            number
            for number in self.made
            if self.status(number) == "scheduled"
            and (self.board.task(number).not_before or 10**15) <= self.board.now
        ]
        assert sorted(self.board.write(sweep.come_due)) == sorted(due)
        # The default is the word of the worker that asked, and a person let it ask.
        self.by_person |= bool(self.board.write(expire))

    @rule()
    def leases_run_out(self) -> None:
        self.board.write(lambda tx: sweep.reclaim_expired(tx, SETTINGS, "there", shared=True))

    @rule()
    def the_sweep_finds_nothing_to_repair(self) -> None:
        assert self.board.write(lambda tx: sweep.repair_queues(tx, 0)) == ([], None)

    # After each step.

    @invariant()
    def the_board_is_in_order(self) -> None:
        if not self.made:
            return
        assert self.board.findings() == []
        ledger = Ledger({name: self.look(f"SELECT * FROM {name}") for name in LOOKED_AT})
        assert sorted(ledger.tasks) == sorted(self.made)
        ledger.check()
        if not self.by_person:
            self.nobody_but_a_person_did_this(ledger)
        self.before = ledger.tasks
        self.by_person = False

    def nobody_but_a_person_did_this(self, ledger: Ledger) -> None:
        """A block is sticky, an end is an end, and failures are forgotten by a success or a person only."""
        for number, was in self.before.items():
            now = ledger.tasks[number]
            if was.status in ("blocked", "triage", "done", "cancelled", "archived"):
                assert now.status == was.status
            if now.status != "done":
                assert now.failures_work >= was.failures_work
                assert now.failures_review >= was.failures_review
