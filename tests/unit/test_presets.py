"""What a preset may say, how a wrong one is refused, and that ours are right."""

import tomllib
from pathlib import Path

import pytest

from shopfloor.domain.agents import BUILT_IN
from shopfloor.domain.errors import Invalid, NotFound
from shopfloor.runners import preset

LEAST = {"program": "x", "argv": ["run"]}


def test_each_program_that_is_a_profile_by_itself_has_a_preset():
    assert preset.names() == sorted(BUILT_IN)


@pytest.mark.parametrize("name", preset.names())
def test_each_preset_of_ours_is_right_and_known_to_the_settings(name, tmp_path):
    found = preset.load(name, tmp_path)
    known = BUILT_IN[name]
    assert (known.kind, known.program) == (found.get("kind", "cli"), found["program"])
    assert known.title == found["title"]
    assert found["install"] and found["login"]


def test_the_least_preset_is_two_lines():
    preset.check(LEAST)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"progam": "x"}, "known are kind, program"),
        ({"argv": []}, "argv is missing"),
        ({"argv": ["@modell"]}, "argv names '@modell'"),
        ({"prompt": "telepathy"}, "one of stdin, argument"),
        ({"options": {"modle": ["x"]}}, "options has no 'modle'"),
        ({"options": {"extra": ["x"]}}, "options has no 'extra'"),
        ({"options": {"model": "x"}}, "a list of words"),
        ({"argv": ["{modell}"]}, "holds {modell}"),
        ({"env": {"A": "{contxt}"}}, "holds {contxt}"),
        ({"session": {"id": "guessed"}}, "chosen, read, none"),
        ({"files": [{"path": "a"}]}, "either text or json"),
        ({"output": {"format": "xml"}}, "jsonl, json, text"),
        ({"output": {"events": [{"text": "a"}]}}, "says when it is meant"),
        ({"output": {"events": [{"when": {"a": 1}, "usage": {"tokens": "a"}}]}}, "usage has no"),
        ({"output": {"lines": [{"match": "("}]}}, "no regular expression"),
        ({"output": {"lines": [{"ending": "failed"}]}}, "has no match"),
        ({"output": {"codes": {"a": "exploded"}}}, "is no ending"),
        ({"output": {"exits": {"1": "exploded"}}}, "is no ending"),
    ],
)
def test_a_wrong_preset_is_refused_with_what_would_be_right(more, words):
    with pytest.raises(Invalid, match=words):
        preset.check({**LEAST, **more})


def test_the_user_s_own_preset_stands_in_for_ours(tmp_path):
    (tmp_path / "claude.toml").write_text('program = "mine"\nargv = ["go"]\n')
    assert preset.load("claude", tmp_path)["program"] == "mine"


def test_a_preset_that_is_not_there_is_said_with_those_that_are(tmp_path):
    with pytest.raises(NotFound, match="claude"):
        preset.load("clod", tmp_path)


def test_a_file_that_is_no_preset_is_named(tmp_path):
    (tmp_path / "mine.toml").write_text("program = ")
    with pytest.raises(Invalid, match=r"mine\.toml"):
        preset.load("mine", tmp_path)


def test_the_preset_that_the_guide_shows_is_one():
    guide = Path(__file__).parents[2] / "docs" / "guides" / "bring-your-own-agent.md"
    blocks = guide.read_text().split("```toml\n")[1:]
    (shown,) = [block for block in blocks if block.startswith("program")]
    text = shown.partition("```")[0]
    preset.check(tomllib.loads(text))
    assert len(text.splitlines()) <= 10
