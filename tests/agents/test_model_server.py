"""The scripted model server itself: every wire format, whole and streamed, and the ways to fail."""

import contextlib
import http.client
import json

import pytest

from tests.agents.replies import OUTPUT_TOKENS
from tests.agents.scenarios import SUMMARY
from tests.support.waiting import eventually

PROMPT = "Work on the task."
SCHEMA = {"type": "object", "properties": {"summary": {"type": "string"}}}
NAMES = ("mcp__board__task_show", "board-task_complete")
# Of each format: the path, the body of a first request, and the same with the tools of a board.
CHAT_TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in NAMES
]
BODIES = {
    "/v1/chat/completions": {
        "messages": [{"role": "user", "content": PROMPT}],
        "tools": CHAT_TOOLS,
    },
    "/v1/responses": {
        "input": [{"role": "user", "content": [{"type": "input_text", "text": PROMPT}]}],
        "tools": [{"type": "function", "name": name, "parameters": SCHEMA} for name in NAMES],
    },
    "/v1/messages": {
        "messages": [{"role": "user", "content": PROMPT}],
        "tools": [{"name": name, "input_schema": SCHEMA} for name in NAMES],
    },
    "/v1beta/models/m:generateContent": {
        "contents": [{"role": "user", "parts": [{"text": PROMPT}]}],
        "tools": [
            {"functionDeclarations": [{"name": name, "parameters": SCHEMA} for name in NAMES]}
        ],
    },
}


@contextlib.contextmanager
def connected(models):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", models.port)) as client:
        yield client


def post(models, scenario, path, body):
    """The status, the headers and the text of an answer."""
    with connected(models) as client:
        client.request("POST", f"/s/{scenario}/me{path}", json.dumps(body))
        answer = client.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()


def streamed(path, body):
    """The path and body that ask for a stream."""
    if "generateContent" in path:
        return path.replace(":generate", ":streamGenerate") + "?alt=sse", body
    return path, {**body, "stream": True}


@pytest.mark.parametrize("path", BODIES)
def test_every_format_is_served_whole_and_as_a_stream(models, path):
    for ask, body in ((path, BODIES[path]), streamed(path, BODIES[path])):
        status, _, text = post(models, "mcp", ask, body)
        assert status == 200
        assert "mcp__board__task_show" in text
        assert str(OUTPUT_TOKENS) in text
        assert ("data: " in text) is (ask != path or bool(body.get("stream")))


@pytest.mark.parametrize("path", BODIES)
def test_a_request_without_tools_is_no_part_of_the_work(models, path):
    body = {name: value for name, value in BODIES[path].items() if name != "tools"}
    _, _, text = post(models, "mcp", path, body)
    assert "A scripted title" in text
    assert len(models.calls("me")) == 1
    assert models.calls("me", work=True) == []


def test_a_script_goes_on_where_the_dialogue_is(models):
    messages = [{"role": "user", "content": PROMPT}]
    said = []
    for _ in range(3):
        body = {"messages": messages, "tools": CHAT_TOOLS}
        # A repeated request gets the same answer again.
        post(models, "mcp", "/v1/chat/completions", body)
        _, _, text = post(models, "mcp", "/v1/chat/completions", body)
        message = json.loads(text)["choices"][0]["message"]
        messages.append(message)
        calls = message.get("tool_calls")
        said.append(calls[0]["function"] if calls else message["content"])
        if calls:
            messages.append({"role": "tool", "tool_call_id": calls[0]["id"], "content": "fine"})
    assert [one["name"] for one in said[:2]] == list(NAMES)
    assert json.loads(said[1]["arguments"]) == {"summary": SUMMARY}
    assert said[2] == "The task is completed."
    assert models.calls("me")[-1].request.answers == ["fine", "fine"]


@pytest.mark.parametrize("path", BODIES)
def test_a_limit_says_when_it_ends_in_the_words_of_each_provider(models, path):
    status, headers, text = post(models, "limited-once", path, BODIES[path])
    assert status == 429
    assert headers["retry-after"] == "2"
    assert "2s" in text or "messages" in path
    status, _, _ = post(models, "limited-once", path, BODIES[path])
    assert status == 200


@pytest.mark.parametrize(
    ("scenario", "status"),
    [
        ("unauthorized", 401),
        ("quota", 429),
        ("broken", 500),
        ("overloaded", 529),
        ("overflow", 400),
    ],
)
def test_a_refusal_has_the_status_of_its_kind(models, scenario, status):
    for path, body in BODIES.items():
        assert post(models, scenario, path, body)[0] == status


@pytest.mark.parametrize("scenario", ["drop", "drop-mid"])
def test_a_connection_can_be_cut(models, scenario):
    path, body = streamed("/v1/messages", BODIES["/v1/messages"])
    with (
        pytest.raises(http.client.HTTPException) if scenario == "drop" else contextlib.nullcontext()
    ):
        _, _, text = post(models, scenario, path, body)
        assert "message_start" in text
        assert "message_stop" not in text


def test_a_model_can_stay_silent_until_its_client_has_gone(models):
    with connected(models) as client:
        client.request("POST", "/s/hang/me/v1/messages", json.dumps(BODIES["/v1/messages"]))
        assert eventually(lambda: models.calls("me"))


def test_what_programs_ask_beside_the_work_is_answered(models):
    with connected(models) as client:
        client.request("GET", "/s/mcp/me/v1/models")
        assert json.loads(client.getresponse().read())["data"]
    assert post(models, "mcp", "/v1/messages/count_tokens", {})[0] == 200
    assert post(models, "mcp", "/v1/nothing", {})[0] == 404
    assert models.calls() == []


def test_every_call_is_a_line_of_the_log(models, tmp_path):
    post(models, "mcp", "/v1/messages", BODIES["/v1/messages"])
    (line,) = (tmp_path / "models.jsonl").read_text().splitlines()
    assert json.loads(line)["prompts"] == [PROMPT]
    assert json.loads(line)["reply"] == "calls mcp__board__task_show {}"
