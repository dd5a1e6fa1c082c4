"""What a configuration means, and how a wrong one is refused."""

import os

import pytest

from shopfloor.config import Home
from shopfloor.config.reading import load_settings, parse
from shopfloor.domain.errors import BadConfiguration, Invalid

PROFILE = {"argv": ["sh", "-c", "true"]}


def test_nothing_set_is_the_defaults(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    settings = load_settings(Home(tmp_path), "default")
    assert settings.dispatch.failure_limit == 2
    assert settings.dispatch.cap is None
    assert settings.profiles == {}


def test_a_board_overrides_what_holds_for_all():
    read = {"dispatch": {"cap": 4, "failure_limit": 3}, "boards": {"ops": {"cap": 2}}}
    assert parse(read, "ops").dispatch.cap == 2
    assert parse(read, "ops").dispatch.failure_limit == 3
    assert parse(read, "default").dispatch.cap == 4


def test_durations_are_written_without_the_unit():
    read = {
        "dispatch": {"rate_limit_cooldown": "90s"},
        "profiles": {"a": {**PROFILE, "max_runtime": "1h"}},
    }
    settings = parse(read, "default")
    assert settings.dispatch.rate_limit_cooldown_ms == 90_000
    assert settings.profiles["a"].max_runtime_ms == 3_600_000


@pytest.mark.parametrize("cap", [0, -1, "none", "four", 1.5])
def test_a_cap_that_is_none_caps_nothing_and_is_said(cap):
    settings = parse(
        {"dispatch": {"cap": cap}, "profiles": {"a": {**PROFILE, "cap": cap}}}, "default"
    )
    assert settings.dispatch.cap is None
    assert settings.dispatch.host_cap == 0
    assert settings.profiles["a"].cap is None
    assert len(settings.warnings) == 2


@pytest.mark.parametrize(
    ("read", "words"),
    [
        ({"dispach": {}}, "did you mean 'dispatch'"),
        ({"dispatch": {"failure_limits": 3}}, "did you mean 'failure_limit'"),
        ({"dispatch": {"failure_limit": 0}}, "above 0"),
        (
            {"dispatch": {"host_cap": "4"}},
            "dispatch.host_cap: expected a whole number, got text in quotes",
        ),
        (
            {"dispatch": {"host_cap": -1}},
            "dispatch.host_cap is a number of workers, or 0 for no cap",
        ),
        (
            {"dispatch": {"rate_limit_cooldown": "soon"}},
            "dispatch.rate_limit_cooldown: 'soon' is no duration",
        ),
        ({"dispatch": {"poll_ms": "5s"}}, "dispatch.poll_ms"),
        ({"dispatch": {"review": "robot"}}, "profile or person"),
        ({"dispatch": {"reviewer": "nobody"}}, "which is not there"),
        ({"dispatch": 3}, "must be a table"),
        ({"profiles": {"a": {"argv": "sh"}}}, "list of words"),
        ({"profiles": {"a": {"argv": []}}}, "list of words"),
        ({"profiles": {"a": {**PROFILE, "env": {"K": 1}}}}, "table of texts"),
        ({"profiles": {"a": {**PROFILE, "kind": "magic"}}}, "must be command or cli or acp"),
        ({"profiles": {"a": {"kind": "cli"}}}, "names no preset"),
        ({"profiles": {"a": {"preset": "clod"}}}, "preset must be one of"),
        ({"profiles": {"a": {"preset": "claude", "kind": "acp"}}}, "leave the kind out"),
        ({"profiles": {"claude": {"reminders": 3}}}, "reminders is 0 to 2"),
        ({"profiles": {"claude": {"permissions": "ask"}}}, "kind acp can ask"),
        ({"profiles": {"claude": {"cost_per_day": 0}}}, "US dollars above 0"),
        ({"planner": {"provider": "openai"}}, "must name the model"),
        ({"retention": {"events_days": "x"}}, "retention.events_days"),
    ],
)
def test_a_wrong_setting_is_named(read, words):
    with pytest.raises(Invalid, match=words):
        parse(read, "default")


@pytest.mark.parametrize("text", ["[dispatch", "a = ", "\x00"])
def test_a_file_that_is_no_configuration_is_refused_with_its_place(tmp_path, text):
    home = Home(tmp_path)
    home.config.write_text(text)
    with pytest.raises(BadConfiguration, match=r"config\.toml"):
        load_settings(home, "default")


def test_an_agent_program_on_the_path_is_a_profile_by_itself(tmp_path, monkeypatch):
    program = tmp_path / "claude"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    profiles = load_settings(Home(tmp_path / "home"), "default").profiles
    assert list(profiles) == ["claude"]
    assert (profiles["claude"].kind, profiles["claude"].preset) == ("cli", "claude")
    assert profiles["claude"].stale_timeout_ms == 4 * 3_600_000


def test_a_table_of_that_name_extends_the_profile_and_another_may_have_its_preset():
    read = {"profiles": {"claude": {"model": "opus"}, "second": {"preset": "claude", "cap": 1}}}
    profiles = parse(read, "default").profiles
    assert profiles["claude"].model == "opus"
    assert profiles["claude"].kind == profiles["second"].kind == "cli"


def test_a_command_of_ones_own_may_have_a_preset_s_name():
    assert parse({"profiles": {"claude": PROFILE}}, "default").profiles["claude"].kind == "command"


def test_a_preset_of_the_user_s_own_is_a_profile_when_its_program_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/bin:/usr/bin")
    home = Home(tmp_path)
    home.presets.mkdir()
    (home.presets / "mine.toml").write_text('program = "sh"\ntitle = "Mine"\n')
    assert load_settings(home, "default").profiles["mine"].description == "Mine"


def test_the_planner_s_table_is_read():
    read = {"planner": {"provider": "openai", "model": "m", "timeout": "20s"}}
    planner = parse(read, "default").planner
    assert planner is not None and planner.timeout_ms == 20_000 and not planner.auto_decompose


def test_a_chat_needs_one_token_and_says_who_is_heard():
    given = {"token_file": "t", "chats": [-100, 7], "users": ["ann", 3]}
    found = parse({"chat": {"telegram": given}}, "").telegram
    assert found is not None
    assert (found.chats, found.users, found.admins) == ((-100, 7), ("ann", 3), ())
    assert parse({}, "").telegram is None
    for wrong, words in (
        ({}, "needs the bot's token"),
        ({"token_file": "t", "token_env": "T"}, "not both"),
        ({"token_env": "T", "api": "ftp://x"}, "begins with http"),
        ({"token_env": "T", "chats": ["dev"]}, "chat.telegram.chats"),
    ):
        with pytest.raises(Invalid, match=words):
            parse({"chat": {"telegram": wrong}}, "")
    with pytest.raises(Invalid, match="did you mean 'telegram'"):
        parse({"chat": {"telegran": {}}}, "")


def test_a_file_that_was_replaced_within_one_tick_of_the_clock_is_another_one(tmp_path):
    home = Home(tmp_path)
    assert home.config_stamp() == (0, 0, 0)
    stamps = set()
    for word in ("1s", "2s"):
        fresh = tmp_path / "fresh"
        fresh.write_text(f'[dispatch]\npoll = "{word}"\n')
        os.utime(fresh, ns=(1, 1))
        fresh.rename(home.config)
        stamps.add(home.config_stamp())
    assert len(stamps) == 2
