"""What a model reads: the answer of a tool as text, and a refusal with what to do next.

Every refusal has the same three parts: the code for programs, the board's sentence, and one step that
works.  An answer is bounded, because a model pays for each byte of it.
"""

from __future__ import annotations

import json
from typing import Any

from mcp.types import CallToolResult, TextContent

from shopfloor.domain.errors import BoardError

ANSWER_BYTES_MAX = 64 * 1024

NEXT = {
    "invalid": "Correct the arguments and call the tool again.",
    "not_found": "Look at what there is (task_show), and name that.",
    "wrong_status": "Look at the task (task_show): it is in another state than you think.",
    "guard_failed": "Do what the message names first, or say in task_block what stands in the way.",
    "stale": "Stop now and end your turn: this run is over, and nothing that you do still counts.",
    "conflict": "Look at the task (task_show) before you try anything again: somebody was first.",
    "forbidden": "Leave it. Write what should be done into a comment on your own task (task_comment).",
    "limit_reached": "Send less: keep long text in a file and attach that (task_attach).",
    "unavailable": "Nothing was changed. Wait a few seconds, then call the tool again as it was.",
}
OTHERWISE = "Go on with your work and try again later; if it stays so, end your turn and say it."
NEWS = "new comment: call task_inbox"
SEVERAL_NEWS = "new comments: call task_inbox"


def answer(result: bytes, *, text: str | None, unread: int) -> CallToolResult:
    """A tool's answer; `text` names the field that is shown as it is."""
    value = json.loads(result)
    shown = value[text] if text is not None else _compact(value)
    shown = bounded(shown)
    if unread:
        shown += f"\n\n({unread} {NEWS if unread == 1 else SEVERAL_NEWS})"
    return CallToolResult(content=[TextContent(type="text", text=shown)])


def refusal(refused: BoardError) -> CallToolResult:
    """A refusal that tells the model what to do."""
    told = {
        "code": refused.code,
        "message": refused.message,
        "next": str(refused.detail.get("next") or NEXT.get(refused.code, OTHERWISE)),
    }
    return CallToolResult(
        content=[TextContent(type="text", text=_compact(told))],
        structured_content=told,
        is_error=True,
    )


def bounded(text: str) -> str:
    """A text of at most so many bytes, which says what was left out."""
    data = text.encode()
    if len(data) <= ANSWER_BYTES_MAX:
        return text
    kept = data[:ANSWER_BYTES_MAX].decode(errors="ignore")
    left = len(data) - ANSWER_BYTES_MAX
    return f"{kept}\n\n(cut here: {left} of {len(data)} bytes are left out; ask for less at once)"


def _compact(value: Any) -> str:
    return json.dumps(_said(value), ensure_ascii=False, separators=(",", ":"))


def _said(value: Any) -> Any:
    """The value without what is not there: a model need not read that something is null."""
    if isinstance(value, dict):
        return {name: _said(one) for name, one in value.items() if one not in (None, [], {})}
    if isinstance(value, list):
        return [_said(one) for one in value]
    return value
