"""Work for an owner, and what came of it."""

import threading

from shopfloor.domain.errors import Invalid
from tests.support.waiting import eventually


def adding(word):
    return lambda tx: tx.one("note_add", word=word, size=1)[0]


def words(database):
    return sorted(word for (word,) in database.read(lambda tx: tx.all("note_words")))


class Held:
    """Work that stays inside its transaction until it is let go, so that others have to wait."""

    def __init__(self, word="held"):
        self._word = word
        self.inside = threading.Event()
        self._go = threading.Event()

    def __call__(self, tx):
        self.inside.set()
        assert self._go.wait(90)
        return adding(self._word)(tx)

    def let_go(self):
        self._go.set()


class Answers:
    """What a few requests were answered, in the order in which they were."""

    def __init__(self):
        self.got = []

    def to(self, name):
        return lambda answer: self.got.append((name, answer))

    def wait_for(self, count):
        eventually(lambda: len(self.got) >= count)
        return self.got


def refuse(tx):
    adding("never")(tx)
    raise Invalid("no")
