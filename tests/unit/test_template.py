"""What a preset and a brief together start: arguments, environment, files, input."""

import json
from pathlib import Path

import pytest

from shopfloor.domain.errors import Invalid
from shopfloor.runners import brief as briefs
from shopfloor.runners import preset
from shopfloor.runners.brief import Brief, Mcp, Profile
from shopfloor.runners.template import Template, Turn

NO_OWN = Path("/nonexistent")
TOKEN = "7:a-secret-token"
BASE = {"HOME": "/home/ann", "PATH": "/bin", "SHOPFLOOR_MCP_TOKEN": TOKEN}
MCP = Mcp("http://127.0.0.1:4000/mcp/default", ("/usr/bin/python3", "-m", "shopfloor", "mcp"))


def brief_for(name, folder, *, mcp=MCP, found=None, session=None, **profile):
    given = Profile(name="p", kind="cli", preset=name, **profile)
    return Brief(
        task=42,
        run=7,
        attempt=1,
        role="worker",
        board="default",
        profile=given,
        preset=found or preset.load(name, NO_OWN),
        context=f"{folder}/context.md",
        folder=str(folder),
        workspace=str(folder),
        session=session,
        mcp=mcp,
    )


def started(brief, *, session=None, resumes=False):
    turn = Turn("The whole task: secret plans.", "Read the file.", 1, session, resumes)
    return Template(brief, BASE).start(turn)


@pytest.mark.parametrize("name", preset.names())
def test_no_argument_list_or_file_holds_the_prompt_or_the_token(name, tmp_path):
    start = started(brief_for(name, tmp_path), session="s-1")
    assert "secret plans" not in " ".join(start.argv)
    assert TOKEN not in " ".join(start.argv)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(TOKEN not in path.read_text() for path in files)
    assert not any("{mcp_" in word for word in start.argv)


@pytest.mark.parametrize("name", preset.names())
def test_the_prompt_goes_in_by_input_by_a_file_or_as_a_pointer(name, tmp_path):
    start = started(brief_for(name, tmp_path))
    prompt_file = str(tmp_path / "prompt-1.md")
    by_file = start.stdin == prompt_file or prompt_file in start.argv
    by_protocol = preset.load(name, NO_OWN).get("kind") == "acp"
    assert by_file or by_protocol or any("Read the file." in word for word in start.argv)


@pytest.mark.parametrize("name", preset.names())
def test_without_the_board_s_tools_nothing_speaks_of_them(name, tmp_path):
    start = started(brief_for(name, tmp_path, mcp=None))
    assert not any("mcp_url" in word or "127.0.0.1" in word for word in start.argv)
    named = [value for value in start.env.values() if value.startswith(str(tmp_path))]
    assert all(Path(value).exists() for value in named if value.endswith(".json"))


def test_an_option_is_there_only_where_it_applies(tmp_path):
    plain = started(brief_for("claude", tmp_path, mcp=None)).argv
    assert not {"--model", "--max-turns", "--mcp-config", "--resume"} & set(plain)
    brief = brief_for("claude", tmp_path, max_turns=9)._replace(model="opus")
    full = started(brief, session="s-1").argv
    assert full[full.index("--model") + 1] == "opus"
    assert full[full.index("--max-turns") + 1] == "9"
    assert full[full.index("--session-id") + 1] == "s-1"
    again = started(brief, session="s-1", resumes=True).argv
    assert again[again.index("--resume") + 1] == "s-1"
    assert "--session-id" not in again


def test_a_profile_s_own_arguments_stand_where_the_preset_puts_them(tmp_path):
    argv = started(brief_for("codex", tmp_path, argv=("-c", "a=1"))).argv
    assert argv[0] == "codex" and argv[-1] == "-"
    assert argv[argv.index("a=1") - 1] == "-c"


def test_a_table_becomes_json_and_a_list_stays_one(tmp_path):
    argv = started(brief_for("qwen", tmp_path)).argv
    server = json.loads(argv[argv.index("--mcp-config") + 1])["mcpServers"]["board"]
    assert server == {
        "command": "/usr/bin/python3",
        "args": ["-m", "shopfloor", "mcp"],
        "trust": True,
    }


def test_the_profile_s_variables_win_over_the_preset_s(tmp_path):
    found = {"program": "x", "argv": ["y"], "env": {"A": "{task}", "HOME": "/elsewhere"}}
    start = started(brief_for("x", tmp_path, found=found))
    assert start.env["A"] == "42"
    assert start.env["HOME"] == "/home/ann"


def test_a_policy_that_a_program_cannot_be_held_to_is_refused(tmp_path):
    with pytest.raises(Invalid, match="no way to ask"):
        started(brief_for("claude", tmp_path, permissions="ask"))


def test_a_token_in_an_argument_is_no_preset():
    with pytest.raises(Invalid, match="stands only in env"):
        preset.check({"program": "x", "argv": ["--token", "{mcp_token}"]})


def test_a_brief_is_read_as_it_was_written(tmp_path):
    brief = brief_for("claude", tmp_path, argv=("-x",), secrets=("KEY",))._replace(
        goal=briefs.Goal(3, "Title", "Body"), skills=("a",), news="So be it."
    )
    (tmp_path / briefs.BRIEF).write_text(briefs.to_json(brief))
    assert briefs.read(str(tmp_path)) == brief


@pytest.mark.parametrize("text", ["{}", '{"profile": {}}', "[", '{"profile": 3}'])
def test_a_brief_that_is_none_is_refused(tmp_path, text):
    (tmp_path / briefs.BRIEF).write_text(text)
    with pytest.raises(ValueError, match=r"."):
        briefs.read(str(tmp_path))
