"""Profiles that are written into the configuration: what is added, what stays, what is refused."""

import tomllib

import pytest

from shopfloor.app.profiles import HomeProfiles
from shopfloor.config import Home
from shopfloor.domain.errors import BadConfiguration, Conflict, GuardFailed, Invalid, NotFound
from shopfloor.domain.settings import Profile

KEPT = """# My settings.
[dispatch]
cap = 2  # two hands

[profiles.tidy] # the small one
preset = "claude"
description = "Small things."

# The rest.
[profiles.plain]
argv = ["sh"]
"""


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


@pytest.fixture
def profiles(home):
    return HomeProfiles(home, {"PATH": "/bin"})


def read(home):
    return tomllib.loads(home.config.read_text())["profiles"]


def test_a_profile_is_added_and_the_rest_stays_as_it_is(home, profiles):
    home.config.write_text(KEPT)
    profiles.add("big", {"preset": "codex", "model": 'a "b"', "cap": 1, "skills": ["x", "y"]})
    text = home.config.read_text()
    assert text.startswith(KEPT)
    assert read(home)["big"] == {
        "preset": "codex",
        "model": 'a "b"',
        "cap": 1,
        "skills": ["x", "y"],
    }


def test_the_first_profile_makes_the_file(home, profiles):
    profiles.add("Ann's own", {"preset": "claude"})
    assert read(home) == {"Ann's own": {"preset": "claude"}}


@pytest.mark.parametrize(
    ("name", "table", "error"),
    [
        ("tidy", {"preset": "claude"}, Conflict),
        ("new", {"preset": "clod"}, NotFound),
        ("new", {"preset": "claude", "permissions": "ask"}, Invalid),
    ],
)
def test_a_profile_that_cannot_be_is_refused_and_nothing_is_written(
    home, profiles, name, table, error
):
    home.config.write_text(KEPT)
    with pytest.raises(error):
        profiles.add(name, table)
    assert home.config.read_text() == KEPT


def test_a_description_is_changed_in_its_line(home, profiles):
    home.config.write_text(KEPT)
    profiles.describe("tidy", "Typos \\1 only.")
    wanted = KEPT.replace('"Small things."', '"Typos \\\\1 only."')
    assert home.config.read_text() == wanted


def test_a_description_is_added_to_a_table_or_as_one(home, profiles):
    home.config.write_text(KEPT)
    profiles.describe("plain", "A shell.")
    profiles.describe("claude", "For hard things.")
    assert read(home)["plain"] == {"argv": ["sh"], "description": "A shell."}
    assert read(home)["claude"] == {"description": "For hard things."}
    assert "# The rest." in home.config.read_text()


@pytest.mark.parametrize(
    "text",
    [
        'profiles = { tidy = { preset = "claude" } }\n',
        '[profiles]\ntidy = { preset = "claude" }\n',
        '[profiles.tidy]\npreset = "claude"\ndescription = """\nlong\n"""\n',
    ],
)
def test_a_table_of_another_form_is_left_to_the_person(home, profiles, text):
    home.config.write_text(text)
    with pytest.raises((Invalid, BadConfiguration)):
        profiles.describe("tidy", "Words.")
    assert home.config.read_text() == text


def test_a_linked_configuration_stays_a_link(home, profiles, tmp_path):
    real = tmp_path / "mine.toml"
    real.write_text(KEPT)
    home.config.symlink_to(real)
    profiles.add("big", {"preset": "codex"})
    assert home.config.is_symlink()
    assert "big" in tomllib.loads(real.read_text())["profiles"]


def test_a_plain_command_cannot_be_tried(profiles):
    with pytest.raises(GuardFailed, match="plain command"):
        profiles.check(Profile("sh", argv=("sh",)))
