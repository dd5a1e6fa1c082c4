"""The agent programs that need no configuration, and what a profile that names one becomes.

Each has a preset, a data file of the same name in `runners/presets` that says how it is run; a test holds
that both lists are the same.  The few facts here are what the settings need without reading those files:
which program must be there, and how it is spoken to.  A preset of the user's own (`presets/NAME.toml` in
the home) gives the same facts and may stand in for a built-in one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from shopfloor.domain import limits
from shopfloor.domain.errors import Invalid

KINDS = ("command", "cli", "acp")


class AgentProgram(NamedTuple):
    """A program that a preset knows how to run; `kind` is cli or acp."""

    name: str
    kind: str
    program: str
    title: str


# fmt: off
BUILT_IN = {
    one.name: one
    for one in (
        AgentProgram("claude",       "cli", "claude",   "Claude Code, Anthropic's coding agent"),
        AgentProgram("codex",        "cli", "codex",    "Codex, OpenAI's coding agent"),
        AgentProgram("opencode",     "cli", "opencode", "OpenCode, an open coding agent for many providers"),
        AgentProgram("gemini",       "cli", "gemini",   "Gemini CLI, Google's coding agent"),
        AgentProgram("hermes",       "cli", "hermes",   "Hermes Agent, a general agent with memory and skills"),
        AgentProgram("qwen",         "cli", "qwen",     "Qwen Code, a coding agent for many providers"),
        AgentProgram("copilot",      "cli", "copilot",  "Copilot CLI, GitHub's coding agent"),
        AgentProgram("cline",        "cli", "cline",    "Cline, an open coding agent for many providers"),
        AgentProgram("pi",           "cli", "pi",       "Pi, a small coding agent"),
        AgentProgram("gptme",        "cli", "gptme",    "gptme, an agent for the terminal"),
        AgentProgram("vibe",         "cli", "vibe",     "Mistral Vibe, Mistral's coding agent"),
        AgentProgram("mini",         "cli", "mini",     "mini-swe-agent, a minimal coding agent that works by shell"),
        AgentProgram("aider",        "cli", "aider",    "Aider, a pair programmer that edits files"),
        AgentProgram("llm",          "cli", "llm",      "llm, one prompt and one answer"),
        AgentProgram("gemini-acp",   "acp", "gemini",   "Gemini CLI by the Agent Client Protocol"),
        AgentProgram("opencode-acp", "acp", "opencode", "OpenCode by the Agent Client Protocol"),
        AgentProgram("qwen-acp",     "acp", "qwen",     "Qwen Code by the Agent Client Protocol"),
        AgentProgram("copilot-acp",  "acp", "copilot",  "Copilot CLI by the Agent Client Protocol"),
        AgentProgram("vibe-acp",     "acp", "vibe-acp", "Mistral Vibe by the Agent Client Protocol"),
    )
}
# fmt: on


def completed(
    name: str, given: dict[str, Any], known: Mapping[str, AgentProgram], where: str
) -> dict[str, Any]:
    """A profile's settings with what its preset adds; raises Invalid for a preset that is not there.

    A profile that has a preset's name and no command of its own is that preset's.
    """
    if given.get("kind", "command") not in KINDS:
        raise Invalid(f"{where}.kind must be {' or '.join(KINDS)}, not {given['kind']!r}")
    preset = given.get("preset")
    if preset is None and name in known and "argv" not in given and given.get("kind") != "command":
        preset = name
    if preset is None:
        if given.get("kind", "command") != "command":
            raise Invalid(f"{where} is an agent and names no preset; say preset = {_some(known)}")
        return given
    program = known.get(preset) if isinstance(preset, str) else None
    if program is None:
        raise Invalid(f"{where}.preset must be one of {_some(known)}, not {preset!r}")
    if given.get("kind", program.kind) != program.kind:
        raise Invalid(
            f"{where}.kind is {given['kind']!r}, and its preset {preset!r} is {program.kind!r}; "
            "leave the kind out"
        )
    usual = {"description": program.title, "stale_timeout_ms": limits.AGENT_STALE_MS}
    return {**usual, **given, "kind": program.kind, "preset": preset}


def _some(known: Mapping[str, AgentProgram]) -> str:
    return ", ".join(repr(name) for name in sorted(known))
