"""What the readers make of output that real agent programs wrote, and of what is damaged or mean.

Each file of `recorded` holds a program's lines as it wrote them against a scripted model, with its exit
status: done, refused (HTTP 401), limited (HTTP 429) and overflow (a context too long).
"""

import json
from pathlib import Path

import pytest

from shopfloor.runners import preset
from shopfloor.runners.reader import Reader
from shopfloor.runners.report import Failure, Usage
from shopfloor.runners.signs import Meaning

RECORDED = Path(__file__).parent / "recorded"
NOW = 1_800_000_000_000
NO_OWN = Path("/nonexistent")


def output_of(name):
    return preset.load(name, NO_OWN)["output"]


def read(name):
    """The reader after a recorded output, and the failure that its end means."""
    program, _, _ = name.partition("-")
    told = json.loads((RECORDED / f"{name}.json").read_text())
    output = output_of(program)
    reader = Reader(output, lambda: NOW)
    for stream, line in told["lines"]:
        reader.feed(stream, line)
    reader.finish(failed=told["exit"] != 0)
    by_exit = Meaning(output).of_exit(told["exit"], "") if told["exit"] >= 0 else None
    return reader, reader.failure or by_exit


@pytest.mark.parametrize("program", ["claude", "codex", "opencode", "gemini", "cline"])
def test_the_last_words_and_the_usage_of_a_good_run_are_read(program):
    reader, failure = read(f"{program}-done")
    assert failure is None
    assert reader.text.strip() == "All done: task completed."
    assert reader.usage.input_tokens > 0 and reader.usage.output_tokens > 0
    assert reader.spoke


def test_the_figures_of_a_run_are_those_that_its_provider_sent():
    assert read("claude-done")[0].usage == Usage(5000, 250, 1000, 0, 19_050)
    assert read("codex-done")[0].usage == Usage(3200, 200, 800, 0, None)
    assert read("opencode-done")[0].usage == Usage(4000, 200, 1000, 0, 16_050)
    assert read("gemini-done")[0].usage == Usage(4000, 250, 1000, 0, None)


@pytest.mark.parametrize("program", ["claude", "codex", "opencode", "gemini", "vibe", "hermes"])
def test_the_session_is_read_where_the_program_names_it(program):
    names = [path.stem for path in RECORDED.glob(f"{program}-*.json")]
    assert all(read(name)[0].session for name in names)


@pytest.mark.parametrize(
    "program",
    ["claude", "codex", "opencode", "gemini", "pi", "cline", "copilot", "hermes", "aider"],
)
def test_a_refused_login_is_known_whatever_the_program_exits_with(program):
    assert read(f"{program}-refused")[1].ending == "auth_failed"


@pytest.mark.parametrize("program", ["claude", "codex", "opencode"])
def test_a_limit_that_ended_the_program_is_known(program):
    assert read(f"{program}-limited")[1].ending == "rate_limited"


def test_the_time_that_the_provider_named_is_taken_from_its_header():
    assert read("opencode-limited")[1].reset_at == NOW + 2_000


@pytest.mark.parametrize("program", ["codex", "opencode", "gemini"])
def test_a_full_context_is_known(program):
    assert read(f"{program}-overflow")[1].ending == "context_overflow"


def test_a_program_that_tries_again_says_so_and_has_not_failed():
    reader, _ = read("gemini-limited")
    assert reader.failure is None
    assert reader.retry is not None and reader.retry.status == 429


CLAUDE = "claude"


def event(**fields):
    return json.dumps(fields)


def test_an_agent_that_talks_of_limits_has_not_hit_one():
    reader = Reader(output_of(CLAUDE), lambda: NOW)
    words = "The server answered 429 Too Many Requests; authentication_error, quota exceeded."
    content = [{"type": "text", "text": words}]
    reader.feed("stdout", event(type="assistant", message={"content": content}))
    reader.feed("stdout", event(type="result", subtype="success", is_error=False, result=words))
    reader.finish()
    assert reader.failure is None
    assert reader.text == words


def test_what_an_agent_prints_in_plain_text_is_no_sign_before_its_program_failed():
    reader = Reader(output_of("hermes"), lambda: NOW)
    reader.feed("stdout", "HTTP 401: invalid key, said the log that I looked at")
    reader.finish(failed=False)
    assert reader.failure is None


def test_a_failure_after_which_the_agent_goes_on_was_none():
    reader = Reader(output_of("opencode"), lambda: NOW)
    reader.feed(
        "stdout", event(type="error", error={"name": "APIError", "data": {"statusCode": 429}})
    )
    assert reader.failure is not None
    reader.feed("stdout", event(type="text", part={"text": "Going on."}))
    assert reader.failure is None


def test_the_reset_that_was_told_before_belongs_to_the_limit_that_follows():
    reader = Reader(output_of(CLAUDE), lambda: NOW)
    limit = {"status": "rejected", "resetsAt": 1_800_003_600}
    reader.feed("stdout", event(type="rate_limit_event", rate_limit_info=limit))
    assert reader.failure is None
    failed = event(
        type="result", subtype="success", is_error=True, api_error_status=429, result="limit"
    )
    reader.feed("stdout", failed)
    assert reader.failure == Failure(
        "rate_limited",
        "the provider's rate limit was reached (HTTP 429): limit",
        1_800_003_600_000,
    )


def test_one_answer_in_several_events_is_counted_once():
    reader = Reader(output_of(CLAUDE), lambda: NOW)
    used = {"input_tokens": 10, "output_tokens": 2}
    for text in ("a", "b"):
        message = {"id": "m1", "usage": used, "content": [{"type": "text", "text": text}]}
        reader.feed("stdout", event(type="assistant", message=message))
    assert reader.usage == Usage(10, 2)


def test_cost_and_tokens_may_come_in_different_events():
    output = {
        "format": "jsonl",
        "events": [
            {"when": {"cost": True}, "cost": "cost", "usage_is": "total"},
            {"when": {"in": True}, "usage": {"input_tokens": "in"}, "usage_is": "total"},
        ],
    }
    reader = Reader(output, lambda: NOW)
    reader.feed("stdout", event(cost=0.5))
    reader.feed("stdout", event(**{"in": 7}))
    assert reader.usage == Usage(7, 0, 0, 0, 500_000)


def test_a_message_in_pieces_is_put_together_before_it_is_shown():
    reader = Reader(output_of("gemini"), lambda: NOW)
    shown = []
    for piece in ("All ", "done."):
        shown += reader.feed(
            "stdout", event(type="message", role="assistant", content=piece, delta=True)
        )
    assert shown == []
    assert reader.finish() == ["All done."]
    assert reader.text == "All done."


def test_a_tool_call_is_shown_in_one_short_line():
    reader = Reader(output_of("gemini"), lambda: NOW)
    call = event(type="tool_use", tool_name="write_file", parameters={"content": "x\n" * 1000})
    (line,) = reader.feed("stdout", call)
    assert line.startswith('→ write_file {"content"')
    assert len(line) <= 240


@pytest.mark.parametrize("line", ["", "{", "[1]", "null", '{"type": 3}', '{"message": []}', "\x00"])
def test_what_is_no_event_of_the_program_harms_nothing(line):
    reader = Reader(output_of(CLAUDE), lambda: NOW)
    reader.feed("stdout", line)
    reader.finish()
    assert reader.failure is None


def test_without_rules_the_lines_themselves_are_the_words():
    reader = Reader({}, lambda: NOW)
    assert reader.feed("stdout", "One.") == ["One."]
    reader.feed("stdout", "Two.")
    reader.finish()
    assert reader.text == "One.\nTwo."


def test_an_output_that_is_one_object_is_read_at_its_end():
    output = {"format": "json", "events": [{"when": {"type": "result"}, "final": "words"}]}
    reader = Reader(output, lambda: NOW)
    for line in ("Loading ...", "{", '"type": "result",', '"words": "Done."', "}"):
        reader.feed("stdout", line)
    reader.finish()
    assert reader.text == "Done."
