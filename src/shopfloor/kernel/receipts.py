"""Write receipts: what an attempt was asked, by whom, how it ended and what it made, in a chain of hashes.

Receipts follow the ends of attempts instead of being written with them, so that ending an attempt costs
what it did; `missing` finds what a dead process left out, so none is forgotten.  A receipt waits until
no process of its attempt lives: only then is everything known.

No value that a profile calls secret gets into one, and no plain hash of one: such values are masked
before anything is written or hashed.  Of variables there are the names, and a digest with the home's key.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from shopfloor.domain.model import Receipt
from shopfloor.domain.receipts import VERSION, canonical, digest, moment
from shopfloor.store import receipts
from shopfloor.store.db import Tx
from shopfloor.store.receipts import Artifact, Head, Material

ERROR_CHARS_MAX = 2_000
MASKED = "***"
EMPTY_SHA256 = sha256(b"").hexdigest()


class Maker(NamedTuple):
    """What goes into receipts beside the ledger's rows: the board, what is masked, and who signs."""

    board: str
    secrets: tuple[str, ...] = ()
    sign: Callable[[str], tuple[str, str]] | None = None


def write(tx: Tx, maker: Maker, run_ids: Sequence[int]) -> int:
    """Write the receipts of those attempts that are over and have none; the last one is signed.

    One signature is enough for all, because each receipt names the hash of the one before it.
    """
    if not run_ids:
        return 0
    head = receipts.hold_head(tx)
    over = receipts.material(tx, run_ids)
    if over:
        _append(tx, maker, head, over)
    return len(over)


def write_for_task(tx: Tx, maker: Maker, task_id: int) -> None:
    """Write what is missing of a task that is about to be deleted."""
    write(tx, maker, receipts.missing_of_task(tx, task_id))


def _append(tx: Tx, maker: Maker, head: Head, over: Sequence[Material]) -> None:
    kept = receipts.artifacts(tx, [one.task_id for one in over])
    seq, previous = head.seq, head.hash
    for one in over:
        seq += 1
        told = _told(maker, one, [file for file in kept if _is_of(file, one)])
        told |= {
            "version": VERSION,
            "board": maker.board,
            "seq": seq,
            "previous": previous,
            "written": moment(tx.now),
        }
        body = canonical(told)
        named, previous = previous, digest(body)
        sign = maker.sign if one is over[-1] else None
        key, signature = (None, None) if sign is None else sign(previous)
        receipts.add(
            tx,
            Receipt(seq, one.run_id, one.task_id, tx.now, named, previous, body, key, signature),
        )
    receipts.move_head(tx, seq, previous)


def _is_of(file: Artifact, one: Material) -> bool:
    """Whether an attempt made a file; what the board took at the attempt's end names no attempt."""
    if file.task_id != one.task_id:
        return False
    if file.run_id is None:
        return file.created_at == one.ended_at
    return file.run_id == one.run_id


def _told(maker: Maker, one: Material, files: Sequence[Artifact]) -> dict[str, Any]:
    def shown(text: str | None) -> str | None:
        return None if text is None else masked(text, maker.secrets)

    record: dict[str, Any] = {} if one.exit_record is None else json.loads(one.exit_record)
    command: dict[str, Any] = {} if one.command is None else json.loads(one.command)
    check = None if one.check_command is None else json.loads(one.check_command)
    return {
        "task": {
            "id": one.task_id,
            "revision": one.rev,
            "title": shown(one.title),
            "body_sha256": sha256(masked(one.body, maker.secrets).encode()).hexdigest(),
            "creator": one.creator,
            "tenant": one.tenant,
            "created": moment(one.created_at),
        },
        "run": {"id": one.run_id, "attempt": one.attempt, "role": one.role},
        "asked": {
            "command": _words(command.get("argv"), shown),
            "directory": shown(command.get("cwd")),
            "check": _words(check, shown),
        },
        "worker": {
            "profile": one.profile,
            "host": one.host,
            "runtime": record.get("runtime"),
            "container": record.get("container"),
            "workspace": one.workspace,
            "session": one.session_id,
        },
        "environment": {
            "digest": record.get("environment"),
            "names": (record.get("variables") or "").split(),
        },
        "times": {
            "claimed": moment(one.claimed_at),
            "started": moment(one.started_at),
            "ended": moment(one.ended_at),
            "gone": moment(one.gone_at),
            "process_started": moment(record.get("started_at")),
            "process_ended": moment(record.get("ended_at")),
        },
        "end": {
            "outcome": one.outcome,
            "by": one.closed_by,
            "error": (shown(one.error) or "")[:ERROR_CHARS_MAX] or None,
            "exit_code": one.exit_code,
            "signal": one.exit_signal,
        },
        "used": _used(one, record),
        "output": _output(record),
        "artifacts": [
            {"name": shown(file.name), "size": file.size, "sha256": file.sha256} for file in files
        ],
    }


def _words(argv: Any, shown: Callable[[str], str | None]) -> list[str | None] | None:
    return None if argv is None else [shown(word) for word in argv]


def _used(one: Material, record: dict[str, Any]) -> dict[str, Any]:
    # Of a command in a container the supervisor measured its own end of the pipes only.
    measured = record if record.get("container") is None else {}
    return {
        "model": one.model,
        "input_tokens": one.input_tokens,
        "output_tokens": one.output_tokens,
        "cache_read_tokens": one.cache_read_tokens,
        "cache_write_tokens": one.cache_write_tokens,
        "cost_micros": one.cost_micros,
        "user_ms": measured.get("user_ms"),
        "system_ms": measured.get("system_ms"),
        "max_rss_kb": measured.get("max_rss_kb"),
    }


def _output(record: dict[str, Any]) -> dict[str, Any] | None:
    """What the worker wrote; None where no supervisor saw it."""
    if "output_bytes" not in record:
        return None
    written = record["output_bytes"]
    hashed = record.get("output_sha256") or (EMPTY_SHA256 if written == 0 else None)
    return {"bytes": written, "sha256": hashed}


def masked(text: str, secrets: Sequence[str]) -> str:
    """The text without the values that must not be told."""
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, MASKED)
    return text
