"""How many run at once: never more than a cap allows, and never fewer than it allows.

The workers of these tests wait for each other, so a cap that is not used up would never end.
"""

from tests.support.waiting import eventually

NO_POLL = '[dispatch]\npoll = "10m"\n'


def fill(home, notes, tmp_path, count, **args):
    """Create tasks whose workers all stay until the test lets them go."""
    wait = notes.worker(f"wait:{tmp_path}/go")
    return [home.create_command(wait, **args) for _ in range(count)]


def all_done(home, tmp_path, count):
    (tmp_path / "go").touch()
    eventually(lambda: home.counts() == {"done": count})


def test_the_board_runs_as_many_as_its_cap_and_the_rest_follows_without_a_poll(
    home, notes, tmp_path
):
    home.configure(NO_POLL + "cap = 3\n")
    home.up()
    tasks = fill(home, notes, tmp_path, 10)
    eventually(lambda: notes.count("start") == 3)
    assert {home.why(task) for task in tasks[3:]} == {"board_cap"}
    skipped = home.ask("dispatch.run")["skipped"]
    assert [one["code"] for one in skipped] == ["board_cap"]
    assert "3 running" in skipped[0]["sentence"]
    all_done(home, tmp_path, 10)
    assert notes.most_at_once() == 3


def test_a_host_runs_as_many_as_its_cap(home, notes, tmp_path):
    home.configure(NO_POLL + "host_cap = 2\n")
    home.up()
    fill(home, notes, tmp_path, 6)
    eventually(lambda: notes.count("start") == 2)
    all_done(home, tmp_path, 6)
    assert notes.most_at_once() == 2


def test_max_on_the_command_line_is_the_cap_of_this_host(home, notes, tmp_path):
    home.up("--max", "1")
    fill(home, notes, tmp_path, 3)
    eventually(lambda: notes.count("start") == 1)
    all_done(home, tmp_path, 3)
    assert notes.most_at_once() == 1


def test_each_profile_has_a_cap_of_its_own_and_none_keeps_the_others_waiting(home, notes, tmp_path):
    wait = notes.worker(f"wait:{tmp_path}/go")
    home.configure(
        NO_POLL + "cap = 4\n"
        f"[profiles.one]\nargv = {wait}\ncap = 1\n"
        f"[profiles.two]\nargv = {wait}\ncap = 2\n"
        f"[profiles.any]\nargv = {wait}\n"
    )
    home.up()
    ones = [home.create(assignee="one", priority=9) for _ in range(3)]
    twos = [home.create(assignee="two", priority=5) for _ in range(3)]
    others = [home.create(assignee="any") for _ in range(3)]
    eventually(lambda: notes.count("start") == 4)
    running = [
        sum(home.status(task) == "running" for task in tasks) for tasks in (ones, twos, others)
    ]
    assert running == [1, 2, 1]
    assert home.why(ones[2]) == "profile_cap"
    assert home.why(others[2]) == "board_cap"
    all_done(home, tmp_path, 9)
    assert notes.most_at_once() == 4


def test_reviews_count_like_work(home, notes, tmp_path):
    review = notes.worker(f"wait:{tmp_path}/go", "shop:complete")
    home.configure(
        NO_POLL + f'cap = 3\nreviewer = "critic"\n[profiles.critic]\nargv = {review}\ncap = 2\n'
    )
    home.up()
    home.ask("dispatch.pause")
    handed_over = [
        home.create_command(["sh", "-c", "shop request-review $SHOPFLOOR_TASK look"])
        for _ in range(4)
    ]
    home.ask("dispatch.resume")
    eventually(lambda: home.counts().get("ready") is None)
    eventually(lambda: notes.count("start") == 2)
    fill(home, notes, tmp_path, 3)
    eventually(lambda: notes.count("start") == 3)
    assert home.counts() == {"running": 3, "review": 2, "ready": 2}
    (tmp_path / "go").touch()
    eventually(lambda: home.counts() == {"done": 7})
    assert notes.most_at_once() == 3
    assert {len(home.runs(task)) for task in handed_over} == {2}


def test_a_worker_that_is_still_leaving_holds_its_slot(home, notes, tmp_path):
    home.configure(NO_POLL + "cap = 1\n")
    home.up()
    first = home.create_command(notes.worker("shop:complete", f"wait:{tmp_path}/go"))
    home.becomes(first, "done")
    second = home.create_command(notes.worker())
    assert home.ask("dispatch.run")["skipped"][0]["code"] == "board_cap"
    assert home.status(second) == "ready"
    (tmp_path / "go").touch()
    home.becomes(second, "done")
    assert notes.most_at_once() == 1


def test_a_cap_below_what_runs_starts_nothing_and_one_above_fills_exactly(home, notes, tmp_path):
    home.configure(NO_POLL + "cap = 3\n")
    home.up()
    fill(home, notes, tmp_path, 8)
    eventually(lambda: notes.count("start") == 3)
    home.configure(NO_POLL + "cap = 2\n")
    eventually(
        lambda: "of" in home.ask("dispatch.run", dry_run=True)["skipped"][0]["sentence"] or True
    )
    assert home.ask("dispatch.run")["started"] == []
    home.configure(NO_POLL + "cap = 5\n")

    def started():
        home.ask("dispatch.run")
        return notes.count("start") == 5

    eventually(started)
    all_done(home, tmp_path, 8)
    assert notes.most_at_once() == 5


def test_a_profile_with_no_cap_is_uncapped_with_a_warning(home, notes):
    together = notes.worker("together:6")
    home.configure(f"[profiles.wide]\nargv = {together}\ncap = 0\n[dispatch]\nhost_cap = 0\n")
    home.up()
    for _ in range(6):
        home.create(assignee="wide")
    eventually(lambda: home.counts() == {"done": 6})
    assert any("nothing is capped" in one for one in home.ask("dispatch.run")["warnings"])


def test_the_highest_priority_goes_first_and_then_the_oldest(home, notes):
    home.configure("[dispatch]\ncap = 1\n")
    home.up()
    home.ask("dispatch.pause")
    late, early = home.create_command(notes.worker()), home.create_command(notes.worker())
    urgent = home.create_command(notes.worker(), priority=9)
    home.ask("dispatch.resume")
    eventually(lambda: home.counts() == {"done": 3})
    order = [int(line[1]) for line in notes.lines() if line[0] == "start"]
    assert order == [urgent, late, early]


def test_the_cap_of_a_host_holds_for_all_its_boards_together(home, notes, tmp_path):
    home.configure(NO_POLL + "host_cap = 3\n")
    home.ask("board.create", slug="other")
    first = home.up()
    wait = notes.worker(f"wait:{tmp_path}/go")
    for board in ("default", "other") * 5:
        home.ask("task.create", board=board, title="x", command={"argv": wait})
    eventually(lambda: notes.count("start") == 3)
    for board in ("default", "other"):
        home.ask("dispatch.run", board=board)
    assert notes.count("start") == 3
    # Workers that outlive their dispatcher still count for every board of the next one.
    first.kill()
    home.up()
    for board in ("default", "other"):
        home.ask("dispatch.run", board=board)
    assert notes.count("start") == 3
    (tmp_path / "go").touch()
    for board in ("default", "other"):
        eventually(lambda board=board: home.counts(board) == {"done": 5})
    assert notes.most_at_once() == 3
