"""What a configuration means, and how a wrong one is refused."""

import pytest

from shopfloor.config import Home
from shopfloor.config.reading import load_settings, parse
from shopfloor.domain.errors import BadConfiguration, Invalid

PROFILE = {"argv": ["sh", "-c", "true"]}


def test_nothing_set_is_the_defaults(tmp_path):
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
        ({"dispatch": {"host_cap": "4"}}, "dispatch.host_cap"),
        ({"dispatch": {"poll_ms": "5s"}}, "dispatch.poll_ms"),
        ({"dispatch": {"review": "robot"}}, "profile or person"),
        ({"dispatch": {"reviewer": "nobody"}}, "which is not there"),
        ({"dispatch": 3}, "must be a table"),
        ({"profiles": {"a": {"argv": "sh"}}}, "list of words"),
        ({"profiles": {"a": {"argv": []}}}, "list of words"),
        ({"profiles": {"a": {**PROFILE, "env": {"K": 1}}}}, "table of texts"),
        ({"profiles": {"a": {**PROFILE, "kind": "magic"}}}, "must be command"),
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
