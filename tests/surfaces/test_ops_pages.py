"""Lists that are there as a whole come in pages like all others."""

import pytest

from shopfloor.domain.errors import Invalid
from shopfloor.domain.settings import Profile, Settings
from shopfloor.domain.settings_hooks import Hook
from shopfloor.store import hosts
from tests.support.places import board, board_database, board_url, place

__all__ = ["board", "board_database", "board_url", "place"]

NAMES = ["a", "b", "c"]
LISTS = {
    "profile.list": "name",
    "hook.list": "name",
    "dispatch.holds": "key",
    "admin.hosts": "name",
    "token.list": "name",
    "task.attachments": "name",
}


@pytest.fixture
def full(board):
    """A board that has three of everything."""
    board.settings = Settings(
        profiles={name: Profile(name=name, argv=["true"]) for name in NAMES},
        hooks={name: Hook(name=name, command=["true"]) for name in NAMES},
    )
    board.create()
    for name in NAMES:
        board.ask("dispatch.pause", profile=name)
        board.ask("token.create", name=name, role="viewer")
        board.ask("task.attach", id=1, name=name, content="eA==")
        board.write(
            lambda tx, name=name: hosts.arrive(
                tx, name=name, boot_id="b", pid=1, pid_start=1, version="1", labels="[]"
            )
        )
    return board


def entries(answer):
    return getattr(answer, "items", answer)


@pytest.mark.parametrize("op", LISTS)
def test_a_list_goes_on_after_the_last_entry_of_a_page(full, op):
    more = {"id": 1} if op.startswith("task.") else {}
    whole = [getattr(one, LISTS[op]) for one in entries(full.ask(op, **more))]
    assert len(whole) == 3
    found, after = [], {}
    for _ in range(3):
        (one,) = entries(full.ask(op, limit=1, **after, **more))
        found.append(getattr(one, LISTS[op]))
        after = {"after": found[-1]}
    assert found == whole
    assert entries(full.ask(op, **after, **more)) == []


@pytest.mark.parametrize("op", LISTS)
def test_a_place_that_is_gone_is_no_place_to_go_on_after(full, op):
    more = {"id": 1} if op.startswith("task.") else {}
    with pytest.raises(Invalid, match="no 'nobody' to go on after"):
        full.ask(op, after="nobody", **more)
    for limit in (0, 1_001):
        with pytest.raises(Invalid):
            full.ask(op, limit=limit, **more)


def test_tokens_say_themselves_where_the_next_page_begins(full):
    told = [full.ask("token.list", limit=limit).next for limit in (1, 2, 3, 4)]
    assert told == ["a", "b", None, None]


def test_boards_go_on_after_a_short_name(full):
    slugs = [one.slug for one in full.ask("board.list")]
    assert [one.slug for one in full.ask("board.list", limit=1)] == slugs[:1]
    assert full.ask("board.list", after=slugs[-1]) == []
