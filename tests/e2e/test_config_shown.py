"""`shop config show`: what is in force for a board, and where each value was said."""

import json

SET = """
labels = ["linux"]
[dispatch]
cap = 5
rate_limit_cooldown = "10m"
[boards.site]
failure_limit = 4
[notify]
webhook_secret = "the password"
[profiles.script]
argv = ["/bin/sh", "run.sh"]
"""


def origins(home, *words, **env):
    """Each value with its origin, as `--json` has them."""
    done = home.shop("config", "show", "--json", *words, **env)
    assert done.returncode == 0, done.stderr
    return {one["name"]: (one["value"], one["origin"]) for one in json.loads(done.stdout)["values"]}


def test_each_value_is_told_with_the_place_that_said_it(home):
    home.configure(SET)
    home.shop("board", "create", "site", "--default-workdir", str(home.folder))
    told = origins(home, "--board", "site")
    assert told["dispatch.cap"] == (5, "config.toml [dispatch]")
    assert told["dispatch.rate_limit_cooldown_ms"] == (600_000, "config.toml [dispatch]")
    assert told["dispatch.failure_limit"] == (4, "config.toml [boards.site]")
    assert told["dispatch.poll_ms"] == (5_000, "default")
    assert told["notify.webhook_secret"] == ("***", "config.toml [notify]")
    assert told["profiles.script"] == ("set", "config.toml [profiles.script]")
    assert told["labels"] == (["linux"], "config.toml")
    assert told["home"] == (str(home.path), "environment: SHOPFLOOR_HOME")
    assert told["board"] == ("site", "flag: --board")
    place = home.board("site") / "board.json"
    assert told["board.default_workdir"] == (str(home.folder), f"board: {place}")
    # Another board has nothing of it.
    assert origins(home)["dispatch.failure_limit"] == (2, "default")


def test_board_host_and_zone_come_from_the_environment_or_the_machine(home):
    home.shop("board", "create", "site")
    told = origins(home, SHOPFLOOR_BOARD="site", SHOPFLOOR_HOST="bench-7", TZ="Europe/Berlin")
    assert told["board"] == ("site", "environment: SHOPFLOOR_BOARD")
    assert told["host"] == ("bench-7", "environment: SHOPFLOOR_HOST")
    assert told["zone"] == ("Europe/Berlin", "environment: TZ")
    home.shop("board", "switch", "site")
    assert origins(home)["board"] == ("site", f"file: {home.place.current_board}")


def test_a_cap_of_none_says_why_the_host_has_none_either(home):
    home.configure("[dispatch]\ncap = 0\n")
    told = origins(home)
    assert told["dispatch.host_cap"] == (0, "config.toml [dispatch]")


def test_a_flag_of_the_running_up_is_told_as_such(home):
    home.configure("[dispatch]\nhost_cap = 3\nfailure_limit = 4\n")
    assert origins(home)["dispatch.host_cap"] == (3, "config.toml [dispatch]")
    home.up("--max", "7")
    told = origins(home)
    assert told["dispatch.host_cap"] == (7, "flag: `shop up --max`")
    assert told["dispatch.failure_limit"] == (4, "config.toml [dispatch]")


def test_people_read_the_origin_behind_each_value_where_they_ask_for_it(home):
    home.configure("[dispatch]\ncap = 5\n")
    plain = home.shop("config").stdout.splitlines()
    assert "dispatch.cap = 5" in plain
    shown = home.shop("config", "show", "--origin").stdout.splitlines()
    assert "dispatch.cap = 5  # config.toml [dispatch]" in shown
    assert "dispatch.cost_per_day = unset  # default" in shown
