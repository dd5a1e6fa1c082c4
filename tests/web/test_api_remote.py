"""`shop --url`: the same commands for a board on another machine, with the same output."""

import subprocess

import pytest

from tests.support.waiting import eventually


@pytest.fixture
def away(site, tmp_path):
    """A command line that has no home of its own and asks the site's boards."""
    environment = {
        **site.home.environment,
        "SHOPFLOOR_HOME": str(tmp_path / "nobody"),
        "SHOPFLOOR_URL": site.web.url,
        "SHOPFLOOR_URL_TOKEN": site.web.shown,
    }

    def shop(*arguments, **env):
        return site.home.shop(*arguments, **{**environment, **env})

    yield shop
    assert not (tmp_path / "nobody").exists()


def test_a_command_prints_the_same_here_and_there(site, away):
    task = site.home.create("seen from both sides")
    for command in (
        ("show", str(task), "--json"),
        ("comments", str(task)),
        ("list", "--json"),
        ("events", str(task), "--json"),
        ("board", "list", "--json"),
        ("show", "99999"),
        ("create",),
    ):
        here, there = site.home.shop(*command), away(*command)
        assert (there.stdout, there.stderr, there.returncode) == (
            here.stdout,
            here.stderr,
            here.returncode,
        )


def test_the_address_and_the_token_may_be_said_before_the_command(site, tmp_path):
    secret = tmp_path / "token"
    secret.write_text(f"{site.web.shown}\n")
    said = site.home.shop("--url", site.web.url, "--token", f"@{secret}", "create", "by flags")
    assert (said.returncode, "by flags" in said.stdout) == (0, True), said.stderr


def test_a_local_file_goes_there_and_comes_back(site, away, tmp_path):
    task = site.home.create("with a file from afar")
    (tmp_path / "notes.bin").write_bytes(bytes(range(256)))
    assert away("attach", str(task), str(tmp_path / "notes.bin")).returncode == 0
    assert away("fetch", str(task), "notes.bin", "-o", str(tmp_path / "again")).returncode == 0
    assert (tmp_path / "again").read_bytes() == bytes(range(256))


def test_a_log_is_followed_to_its_end(site, away):
    task = site.home.create_command(["sh", "-c", "for n in 1 2 3; do echo $n; sleep 0.2; done"])
    assert away("log", str(task), "--follow").stdout == "1\n2\n3\n"


def test_what_changes_is_watched(site, tmp_path):
    where = ["--url", site.web.url, "--token", site.web.shown]
    with (tmp_path / "out").open("w") as out:
        watching = subprocess.Popen(
            [str(site.home.python), "-m", "shopfloor", *where, "watch", "--json"],
            env={**site.home.environment, "SHOPFLOOR_HOME": str(tmp_path / "nobody")},
            stdout=out,
        )
    try:

        def heard():
            # It begins to watch at some moment, so one event after the other is made until one is heard.
            site.home.create("watched")
            return "watched" in (tmp_path / "out").read_text()

        eventually(heard)
    finally:
        watching.kill()
        watching.wait()


def test_a_program_about_this_machine_says_so(away):
    for program in ("up", "down", "doctor", "init"):
        said = away(program)
        assert (said.returncode, "another one" in said.stderr) == (2, True), program
    assert away("version").returncode == 0


def test_without_a_good_token_nothing_is_told(site, away):
    said = away("list", SHOPFLOOR_URL_TOKEN="")
    assert said.returncode == 5 and "needs a token" in said.stderr
    said = away("list", SHOPFLOOR_URL_TOKEN="shop_wrong")
    assert said.returncode == 5 and "opens nothing" in said.stderr


def test_what_a_role_may_not_is_refused_there(site, away):
    secret = site.home.ask("token.create", name="a looker", role="viewer")["secret"]
    said = away("create", "not mine to make", SHOPFLOOR_URL_TOKEN=secret)
    assert said.returncode == 5 and "needs the role operator" in said.stderr


def test_the_actor_is_the_tokens_name(site, away):
    secret = site.home.ask("token.create", name="remote hand")["secret"]
    said = away("create", "whose is it", "--quiet", SHOPFLOOR_URL_TOKEN=secret)
    task = int(said.stdout.strip().lstrip("#"))
    assert site.home.task(task)["creator"] == "remote hand"
