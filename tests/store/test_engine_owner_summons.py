"""An owner without a thread of its own: it summons a loop that has other things to do as well."""

import threading

import pytest

from shopfloor.domain.errors import Invalid, Unavailable
from shopfloor.store.owner import Owner
from tests.store.owner_parts import Answers, Held, adding, refuse, words
from tests.support.waiting import eventually


class Loop:
    """A thread that serves an owner when it is summoned, as a loop with other things to do would."""

    def __init__(self, notes, **more):
        self.summons = threading.Semaphore(0)
        self.owner = Owner(notes, summon=self.summons.release, **more)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.over = False
        self.patient = True
        self.thread.start()

    def _serve(self):
        while not self.over:
            self.summons.acquire()
            if self.owner.waiting:
                self.owner.serve_waiting()
            if not self.patient:
                self.owner.stand_alone()
                return

    def end(self):
        self.over = True
        self.summons.release()
        self.thread.join(90)
        assert not self.thread.is_alive()


def test_an_owner_that_summons_has_no_thread_and_is_served_by_the_one_that_comes(notes_file):
    asked = []
    loop = Loop(notes_file(probe=asked.append))
    answers, held = Answers(), Held()
    assert loop.owner.summons
    loop.owner.submit(held, answers.to("held"))
    assert held.inside.wait(90)
    for name in "ab":
        loop.owner.submit(adding(name), answers.to(name))
    loop.owner.submit(refuse, answers.to("refused"))
    asked.clear()
    held.let_go()
    got = dict(answers.wait_for(4))
    assert isinstance(got["a"], int) and isinstance(got["refused"], Invalid)
    assert asked.count("commit") == 2 and asked.count("savepoint") == 3
    assert words(loop.owner) == ["a", "b", "held"]
    mistake = []

    def ask_again(_answer):
        try:
            loop.owner.write(adding("c"))
        except AssertionError as refusal:
            mistake.append(str(refusal))

    loop.owner.submit(adding("d"), ask_again)
    eventually(lambda: mistake == ["The writer cannot wait for itself."])
    loop.owner.close()
    with pytest.raises(Unavailable, match="being closed"):
        loop.owner.write(adding("late"))
    loop.owner.close()
    loop.end()


def test_closing_an_owner_that_summons_finishes_what_was_accepted(notes_file):
    loop, answers, held = Loop(notes_file()), Answers(), Held()
    loop.owner.submit(held, answers.to("held"))
    assert held.inside.wait(90)
    for name in "abc":
        loop.owner.submit(adding(name), answers.to(name))
    closing = threading.Thread(target=loop.owner.close)
    closing.start()
    eventually(lambda: loop.owner._closed)
    held.let_go()
    closing.join(90)
    assert sorted(name for name, answer in answers.got if isinstance(answer, int)) == [
        *("a", "b", "c", "held"),
    ]
    loop.end()


def test_an_owner_that_stands_alone_goes_on_with_what_waits_and_closes_in_good_order(notes_file):
    loop, answers, held = Loop(notes_file(), group_max=1), Answers(), Held()
    loop.owner.submit(held, answers.to("held"))
    assert held.inside.wait(90)
    for name in "abc":
        loop.owner.submit(adding(name), answers.to(name))
    loop.patient = False
    held.let_go()
    assert len(answers.wait_for(4)) == 4
    assert not loop.owner.summons
    assert loop.owner.write(adding("d")) > 0
    assert words(loop.owner) == ["a", "b", "c", "d", "held"]
    loop.owner.close()
    loop.end()


def test_an_owner_that_was_given_up_answers_who_waits_and_takes_nothing_more(notes_file):
    owner, answers = Owner(notes_file(), summon=lambda: None), Answers()
    for name in "ab":
        owner.submit(adding(name), answers.to(name))
    owner.give_up()
    assert [type(answer) for _, answer in answers.wait_for(2)] == [Unavailable, Unavailable]
    with pytest.raises(Unavailable, match="being closed"):
        owner.write(adding("c"))
    owner.close()
