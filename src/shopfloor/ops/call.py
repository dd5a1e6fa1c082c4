"""The single door: every request of every surface passes here.

In this order: decode, authorise, open the transaction (or savepoint), replay if the request was seen,
run, keep the answer beside the effect, commit, encode.  Nothing else opens a transaction for a
user.  A worker that is refused because it does not hold the run changes nothing, but the refusal is
written down: it is committed as an answer, which is safe because fencing comes before any write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from shopfloor.domain.caller import Caller, person, worker
from shopfloor.domain.errors import BoardError, Conflict, Forbidden, Invalid, Stale, from_dict
from shopfloor.domain.lifecycle import By
from shopfloor.domain.limits import BULK_MAX, KEY_CHARS_MAX
from shopfloor.domain.settings import Settings
from shopfloor.ops.context import Around, Context, Service
from shopfloor.ops.registry import Operation, find
from shopfloor.ops.schema import decode, encode
from shopfloor.store import events, requests, runs
from shopfloor.store.db import Tx


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request as it travels; `run` and `token` are a worker's credentials."""

    op: str
    args: msgspec.Raw = msgspec.Raw(b"{}")
    board: str | None = None
    request_id: str | None = None
    actor: str | None = None
    run: int | None = None
    token: str | None = None


class Failed(msgspec.Struct, frozen=True):
    """One of several ids that was refused."""

    id: int
    error: dict[str, Any]


Answer = bytes
RESULT = b'{"result":'


def call(service: Service, envelope: Envelope) -> Answer:
    """Carry out a request and answer with JSON: `{"result": …}` or the one error shape."""
    try:
        begun = Call(service, envelope)
        if begun.several is not None:
            return _many(service, envelope, begun)
        return begun.run()
    except BoardError as refused:
        return error_bytes(refused)


def of_home(envelope: Envelope) -> bool:
    """Whether a person asks for what needs no board's ledger; a worker is fenced by its board's."""
    return find(envelope.op).home and envelope.run is None


def may_be_left(envelope: Envelope) -> bool:
    """Whether a request may be left to another door, which carries it out in a transaction with others.

    It can be sent twice without harm.  Whether it is the work of one transaction is said for good by
    `Call.work`.
    """
    op = find(envelope.op)
    if op.kind == "around" and op.direct is None:
        return False
    return op.kind == "read" or envelope.request_id is not None


def error_bytes(refused: BoardError) -> Answer:
    """The one JSON shape of an error."""
    return encode(refused.as_dict())


class Call:
    """One request on its way through the door; `work` is what its transaction does."""

    __slots__ = (
        "_committed",
        "caller",
        "digest",
        "op",
        "req",
        "request_id",
        "service",
        "settings",
        "several",
    )

    def __init__(self, service: Service, envelope: Envelope) -> None:
        self.service = service
        self.op: Operation = find(envelope.op)
        self.caller: Caller = caller_of(envelope)
        authorise(self.op, self.caller, service)
        args = bytes(envelope.args)
        self.several = _several(self.op, args)
        if self.several is None:
            self.req = decode(args, self.op.request)
        self.settings: Settings = service.settings()
        self.request_id = envelope.request_id
        if self.request_id is not None and len(self.request_id) > KEY_CHARS_MAX:
            raise Invalid(f"a request id has at most {KEY_CHARS_MAX} characters")
        self._committed: tuple[Any, Answer] = (None, b"")
        self.digest = ""
        if self.request_id is not None:
            from hashlib import blake2b  # noqa: PLC0415 - who only reads hashes nothing

            whole = blake2b(args, digest_size=12)
            whole.update(f"{envelope.op} {self.caller.name} {envelope.token}".encode())
            self.digest = whole.hexdigest()

    def run(self) -> Answer:
        """Carry the request out in the calling thread."""
        if self.op.kind == "write":
            return self.service.database.write(self._work)
        if self.op.kind == "read":
            return self.service.database.read(self._answer)
        caller = self.caller
        if self.deputised:
            # Fenced before the work, which may be long and dear, and again in its one transaction.
            refused = self.service.database.write(lambda tx: self._fenced(tx, self._admit))
            if refused:
                return refused
            caller = person(caller.name)
        around = Around(caller, self.settings, self.service, self._commit, self._seen)
        result = self.op.run(around, self.req)
        if result is self._committed[0]:
            return self._committed[1]
        return RESULT + encode(result) + b"}"

    @property
    def work(self) -> Callable[[Tx], Answer] | None:
        """All of it as the work of one transaction, which may end in a Detour; None if that cannot be.

        After a Detour, or without such work, `call` carries the request out.
        """
        if self.several is not None:
            return None
        if self.op.kind == "read":
            return self._answer
        return None if self.op.kind == "around" and self.op.direct is None else self._work

    def _work(self, tx: Tx) -> Answer:
        return self._once(tx, self._answer)

    def _answer(self, tx: Tx) -> Answer:
        context = Context(tx, self._acting(tx), self.settings, self.service)
        carry_out = self.op.direct or self.op.run
        return RESULT + encode(carry_out(context, self.req)) + b"}"

    @property
    def deputised(self) -> bool:
        """Whether a worker asks for what only people may."""
        return self.caller.by is By.WORKER and self.op.role == "person"

    def _acting(self, tx: Tx) -> Caller:
        """Who is said to have done it."""
        if not self.deputised:
            return self.caller
        from shopfloor.ops.deputy import deputy  # noqa: PLC0415 - few requests are an orchestrator's

        return deputy(tx, self.caller, self.op, self.settings)

    def _admit(self, tx: Tx) -> Answer:
        self._acting(tx)
        return b""

    def _commit(self, inner: Callable[[Tx], Any]) -> Any:
        """What `inner` gave, after its commit; or what it gave when the request was carried out before."""
        given: list[Any] = []

        def encoded(tx: Tx) -> Answer:
            self._acting(tx)
            given.append(inner(tx))
            return RESULT + encode(given[0]) + b"}"

        def work(tx: Tx) -> Answer:
            given.clear()
            return self._once(tx, encoded)

        answer = self.service.database.write(work)
        if not given:
            return self._told(answer)
        if not answer.startswith(RESULT):
            raise from_dict(msgspec.json.decode(answer))
        self._committed = (given[0], answer)
        return given[0]

    def _seen(self) -> Any:
        """What the same request was answered before; None where it was not carried out."""
        request_id = self.request_id
        if request_id is None:
            return None
        row = self.service.database.read(lambda tx: requests.seen(tx, request_id))
        return None if row is None or row[0] != self.digest else self._told(row[1].encode())

    def _told(self, answer: Answer) -> Any:
        """A stored answer's result, which is answered as it was; the refusal that it was is raised."""
        if not answer.startswith(RESULT):
            raise from_dict(msgspec.json.decode(answer))
        result = msgspec.json.decode(answer[len(RESULT) : -1], type=self.op.result)
        self._committed = (result, answer)
        return result

    def _once(self, tx: Tx, inner: Callable[[Tx], Answer]) -> Answer:
        """Run what was not run before; a request with an id keeps its answer beside its effect."""
        if self.request_id is None:
            return self._fenced(tx, inner)
        if not requests.begin(tx, self.request_id, self.digest):
            return self._replayed(tx, self.request_id)
        answer = self._fenced(tx, inner)
        requests.keep(tx, self.request_id, answer.decode())
        return answer

    def _replayed(self, tx: Tx, request_id: str) -> Answer:
        seen = requests.seen(tx, request_id)
        assert seen is not None, "a request that is there is forgotten after a day"
        if seen[0] != self.digest:
            raise Conflict(
                f"the request id {request_id!r} was used for another request; take a new one"
            )
        return seen[1].encode()

    def _fenced(self, tx: Tx, inner: Callable[[Tx], Answer]) -> Answer:
        try:
            return inner(tx)
        except (Stale, Forbidden) as refused:
            if self.caller.by is not By.WORKER:
                raise
            record_refusal(tx, self.caller, self.op.name, refused)
            return error_bytes(refused)


def caller_of(envelope: Envelope) -> Caller:
    """Who asks: a worker where it shows credentials, otherwise a person."""
    if envelope.run is None and envelope.token is None:
        return person(envelope.actor or "someone")
    if envelope.run is None or not envelope.token:
        raise Forbidden(
            "a worker's request needs both its run and its token; one of them is missing"
        )
    return worker(envelope.run, envelope.token)


def authorise(op: Operation, caller: Caller, service: Service) -> None:
    """Refuse what this caller may not ask."""
    if caller.by is not By.WORKER or op.role != "person":
        return
    if "orchestrator" in op.tools:
        settings = service.settings()
        from shopfloor.ops.deputy import deputise  # noqa: PLC0415 - few requests are an orchestrator's

        service.database.read(lambda tx: deputise(tx, caller, op, settings))
    else:
        raise Forbidden(
            f"{caller.name} may not use `{op.command or op.name}`; a worker reports with complete, block, comment "
            "and heartbeat"
        )


def record_refusal(tx: Tx, caller: Caller, op: str, refused: BoardError) -> None:
    """Write down that a worker tried to write what is not its own, or not any more."""
    run = runs.get(tx, caller.run_id) if caller.run_id is not None else None
    events.append(
        tx,
        "write_refused",
        task_id=None if run is None else run.task_id,
        run_id=caller.run_id,
        actor=caller.name,
        data={"operation": op, "code": refused.code},
    )


def _several(op: Operation, args: bytes) -> list[int] | None:
    """The ids of a request that names more than one task, where the operation takes several."""
    if not op.many or b'"ids"' not in args:
        return None
    given = decode(args, dict[str, Any])
    if "ids" not in given:
        return None
    ids = given["ids"]
    if not isinstance(ids, list) or not all(type(i) is int for i in ids) or "id" in given:
        raise Invalid("`ids` is a list of task numbers and stands instead of `id`")
    if not 1 <= len(ids) <= BULK_MAX:
        raise Invalid(f"`ids` names 1 to {BULK_MAX} tasks, not {len(ids)}")
    shared = [name for name in op.single if given.get(name)]
    if shared and len(ids) > 1:
        raise Invalid(
            f"`{shared[0]}` belongs to one task, and {len(ids)} are named; ask for each by itself, "
            "or leave it out"
        )
    return list(dict.fromkeys(ids))


def _many(service: Service, envelope: Envelope, begun: Call) -> Answer:
    """The same request for each id, each with an end of its own."""
    given = decode(bytes(envelope.args), dict[str, Any])
    del given["ids"]
    assert begun.several is not None
    answers = []
    for number in begun.several:
        one = msgspec.structs.replace(
            envelope,
            args=msgspec.Raw(encode({**given, "id": number})),
            request_id=envelope.request_id and f"{envelope.request_id}/{number}",
        )
        answer = call(service, one)
        body = msgspec.json.decode(answer)
        answers.append({"id": number, **body})
    return RESULT + encode(answers) + b"}"
