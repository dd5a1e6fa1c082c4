"""What the scripted model does: a scenario is a function from a request to a reply.

Most scenarios are scripts: steps, one a reply.  How far a dialogue has come is read out of the request,
which carries everything that the model said and called in this session.  So a program may repeat a
request, be killed, or resume the session in another process, and the script goes on where it was; a
fresh session starts it anew.  The name of a scenario stands in the address that a program is given.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.agents.dialogue import Body, Called, Request, Said, Tool
from tests.agents.replies import Drop, Failure, Reply, Silence, Text, ToolCall

Scenario = Callable[[Request], Reply]
NOT_OFFERED = "The script cannot go on: no tool is"
KILLER = Path(__file__).with_name("kill_the_agent.py")

SHELLS = (
    "Bash",
    "bash",
    "shell_command",
    "exec_command",
    "shell",
    "local_shell",
    "run_shell_command",
    "terminal",
)
SEARCHES = ("tool_search", "ToolSearch")
SEARCHES_MAX = 3
READS = ("task_show", "task_context")
FILLING: dict[str, object] = {
    "integer": 1,
    "number": 1,
    "boolean": False,
    "array": [],
    "object": {},
}


@dataclass(frozen=True, slots=True)
class Say:
    """A step: the model says this, which ends its turn."""

    text: str

    def was(self, item: object) -> bool:
        """Whether this part of the dialogue is the step."""
        return isinstance(item, Said) and item.who == "model" and self.text in item.text

    def play(self, _request: Request, _place: int) -> Reply:
        return Text(self.text)


@dataclass(frozen=True, slots=True)
class Tools:
    """A step: the model calls a tool of the board, whatever the program calls it."""

    name: str
    arguments: Body = field(default_factory=dict)

    def was(self, item: object) -> bool:
        return isinstance(item, Called) and Tool(item.name, {}).is_called(self.name)

    def play(self, request: Request, place: int) -> Reply:
        for tool in request.tools:
            if tool.is_called(self.name):
                return ToolCall(tool, self.arguments, f"call_{place:03d}{request.number:04d}")
        return _look_for(request, self.name)


@dataclass(frozen=True, slots=True)
class Shell:
    """A step: the model runs a command with the program's own shell tool."""

    command: str

    def was(self, item: object) -> bool:
        # The command may be in a list or in JSON twice over; its words are there in any case.
        written = (self.command, json.dumps(self.command)[1:-1])
        return isinstance(item, Called) and any(one in item.arguments for one in written)

    def play(self, request: Request, place: int) -> Reply:
        offered = {tool.name: tool for tool in request.tools}
        for name in SHELLS:
            if name in offered:
                tool = offered[name]
                return ToolCall(
                    tool, self._arguments(tool), f"call_{place:03d}{request.number:04d}"
                )
        return Text(f"{NOT_OFFERED} a shell.")

    def _arguments(self, tool: Tool) -> Body:
        name = "cmd" if "cmd" in tool.properties else "command"
        kind = str(tool.properties.get(name, {}).get("type", "string")).lower()
        listed = "array" in kind or tool.kind == "local_shell"
        given: Body = {name: ["bash", "-c", self.command] if listed else self.command}
        return _filled(tool, given)


Step = Say | Tools | Shell


def _look_for(request: Request, name: str) -> Reply:
    """Some programs hide the tools of MCP servers behind a tool that finds them."""
    searched = sum(isinstance(item, Called) and item.name in SEARCHES for item in request.items)
    for tool in request.tools:
        if tool.name in SEARCHES and searched < SEARCHES_MAX:
            return ToolCall(
                tool, _filled(tool, {"query": f"+{name}"}), f"call_s{request.number:06d}"
            )
    return Text(f"{NOT_OFFERED} {name}.")


def _filled(tool: Tool, given: Body) -> Body:
    """Arguments with something for each other one that the tool requires."""
    arguments = dict(given)
    for name in tool.schema.get("required") or []:
        wanted = tool.properties.get(name, {})
        kind = wanted.get("type", "string")
        first = str(kind[0] if isinstance(kind, list) else kind).lower()
        choice = (wanted.get("enum") or [FILLING.get(first, "scripted")])[0]
        arguments.setdefault(name, choice if wanted.get("enum") else FILLING.get(first, "scripted"))
    return arguments


def script(*steps: Step, **when: Sequence[Step]) -> Scenario:
    """The scenario that makes these steps, and says its last word again when it is asked for more.

    `when` has other steps for sessions whose opening has these words (underscores are blanks).
    """
    others = {words.replace("_", " "): tuple(told) for words, told in when.items()}

    def scenario(request: Request) -> Reply:
        if not request.tools:
            # Programs also ask for a title, or whether a topic is new; that is no part of the work.
            return Text("A scripted title")
        told = opening(request)
        chosen = next((other for words, other in others.items() if words in told), steps)
        place = progress(chosen, request)
        if place == len(chosen):
            return Text(
                next((one.text for one in reversed(chosen) if isinstance(one, Say)), "Done.")
            )
        return chosen[place].play(request, place)

    return scenario


def opening(request: Request) -> str:
    """What the model was told, and what it read, before it did anything."""
    told = [request.system]
    for item in request.items:
        if isinstance(item, Called):
            name = Tool(item.name, {})
            if item.name not in SEARCHES and not any(name.is_called(one) for one in READS):
                break
        elif isinstance(item, Said) and item.who == "model":
            break
        else:
            told.append(item.text)
    return "\n".join(told)


def progress(steps: Sequence[Step], request: Request) -> int:
    """How many of the steps the dialogue has behind it."""
    place = 0
    for item in request.items:
        if place < len(steps) and steps[place].was(item):
            place += 1
    return place


def first(times: int, reply: Reply, then: Scenario) -> Scenario:
    """The first calls of an address get this reply, the later ones what another scenario says."""
    return lambda request: reply if request.number <= times else then(request)


def during(seconds: int, then: Scenario) -> Scenario:
    """A limit that is over so many seconds after the first call of an address, and says so."""

    def scenario(request: Request) -> Reply:
        left = seconds - request.at_s
        return rate_limited(max(1, round(left + 0.5))) if left > 0 else then(request)

    return scenario


def rate_limited(retry_after_s: int | None) -> Failure:
    """What a provider answers when an account has asked too often."""
    words = "Rate limit reached for this account."
    return Failure(429, "rate_limit_error", words, retry_after_s)


def in_turn(*replies: Reply | str) -> Scenario:
    """Each call of an address gets the next of these, and the last one again and again.

    A string is what the model says; where the request forces a call of a tool, it is the arguments,
    right or wrong.
    """

    def scenario(request: Request) -> Reply:
        reply = replies[min(request.number, len(replies)) - 1]
        if not isinstance(reply, str):
            return reply
        tool = forced(request)
        if tool is None:
            return Text(reply)
        return ToolCall(tool, reply, f"call_{request.number:07d}")

    return scenario


def forced(request: Request) -> Tool | None:
    """The tool that a request makes the model call, which is how some clients ask for structure."""
    google = request.body.get("toolConfig", {}).get("functionCallingConfig", {}).get("mode")
    choice = request.body.get("tool_choice") or {"ANY": "required"}.get(google)
    if not request.tools or choice in (None, "auto", "none") or choice == {"type": "auto"}:
        return None
    return request.tools[0]


FULL = Failure(400, "context_length_exceeded", "prompt is too long: 300000 tokens > 200000 maximum")
SPENT = Failure(
    429,
    "insufficient_quota",
    "You exceeded your current quota, please check your plan and billing.",
)
UNKNOWN_KEY = Failure(401, "authentication_error", "invalid x-api-key")
BROKEN = Failure(500, "api_error", "Internal server error")
OVERLOADED = Failure(529, "overloaded_error", "Overloaded")

SUMMARY = "made by a scripted model"
COMPLETE = Tools("task_complete", {"summary": SUMMARY})
SHOW, CONTEXT = Tools("task_show"), Tools("task_context")
BY_TOOLS = (SHOW, COMPLETE, Say("The task is completed."))
COMPLETE_IN_SHELL = Shell(f'shop complete "$SHOPFLOOR_TASK" --summary "{SUMMARY}"')
KILL_THE_AGENT = Shell(f"{sys.executable} {KILLER}")
QUESTION = "Which colour shall it have?"
OBJECTION = "The tests are missing"

by_tools = script(*BY_TOOLS)
SCENARIOS: dict[str, Scenario] = {
    # It works the task to its end.
    "mcp": by_tools,
    "shell": script(COMPLETE_IN_SHELL, Say("The task is completed from the shell.")),
    "made": script(Shell("echo made >> made.txt"), *BY_TOOLS),
    # It forgets to say so, or never does.
    "forgets": script(SHOW, Say("I have looked at it."), COMPLETE, Say("Now it is completed.")),
    "never": script(Say("I think that I am done.")),
    "chatty": script(Say("The API said 429 rate limit and 401 unauthorized once; all is well.")),
    # The provider does not play along.
    "limited": lambda _request: rate_limited(3600),
    "limited-once": first(1, rate_limited(2), by_tools),
    "limited-for-2s": during(2, by_tools),
    "limited-for-5s": during(5, by_tools),
    "limited-untold": lambda _request: rate_limited(None),
    "quota": lambda _request: SPENT,
    "unauthorized": lambda _request: UNKNOWN_KEY,
    "broken": lambda _request: BROKEN,
    "overloaded": lambda _request: OVERLOADED,
    "overflow": lambda _request: FULL,
    "hang": lambda _request: Silence(),
    "hang-mid": lambda _request: Silence(started=True),
    "drop": lambda _request: Drop(),
    "drop-mid": lambda _request: Drop(started=True),
    # The program dies, or leaves something behind.
    "crash-once": script(
        CONTEXT,
        KILL_THE_AGENT,
        Say("never said"),
        crashed=(CONTEXT, COMPLETE, Say("The second attempt completed it.")),
    ),
    "crash": script(SHOW, KILL_THE_AGENT, Say("never said")),
    "leftover": script(Shell("setsid sleep 300 > /dev/null 2>&1 < /dev/null &"), *BY_TOOLS),
    "long-tool": script(Shell("echo $$ > tool.pid; sleep 300"), Say("never said")),
    # People and other agents have a word.
    "asks": script(
        Tools("task_ask", {"question": QUESTION, "options": ["red", "blue"]}),
        Say("I have asked and wait for the answer."),
        COMPLETE,
        Say("Done, in the colour that was chosen."),
    ),
    "asks-for-review": script(
        SHOW,
        Tools("task_request_review", {"summary": "please look"}),
        Say("I have handed it over."),
        Shell("echo tests >> made.txt"),
        Tools("task_request_review", {"summary": "now with tests"}),
        Say("I have handed it over again."),
    ),
    "reviews": script(
        CONTEXT,
        Tools("task_request_changes", {"reason": f"{OBJECTION}."}),
        Say("I have asked for changes."),
        COMPLETE,
        Say("It is approved."),
        The_tests_are_missing=(CONTEXT, COMPLETE, Say("It is approved.")),
    ),
    "approves": script(SHOW, COMPLETE, Say("It is approved.")),
    "goal": script(*(Say(f"Part {number} of the work is done.") for number in range(1, 30))),
    "parts": script(Tools("task_subtask", {"title": "a part of it"}), *BY_TOOLS),
}
