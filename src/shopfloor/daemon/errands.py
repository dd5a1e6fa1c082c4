"""What follows a board beside its dispatcher: schedules, receipts, deliveries, hooks.

Each is an errand.  One thread looks after all errands of a board: whenever something was committed, and
when an errand wants to be looked at again.  An errand looks, does what is due in transactions of its
own, and remembers nothing that the board does not have: it may be killed between any two statements.
What takes longer than a transaction (a network, a program) it hands to threads of its own.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from shopfloor.domain.errors import BoardError
from shopfloor.store.wake import Wake

# How long it is deaf to the bell after a look, in looks, so that who writes has the processor; and the bounds.
REST: Final = 20
REST_MIN_S: Final = 0.05
REST_MAX_S: Final = 0.5
# How long an errand that failed is left alone.
FAILED_S: Final = 5.0
POLL_S: Final = 60.0


class Errand(Protocol):
    """Something that follows the board."""

    @property
    def name(self) -> str: ...

    def look(self) -> float | None:
        """Do what is due; answers in how many seconds to look again, None where only a change matters."""
        ...

    def close(self) -> None:
        """Let go of threads and files; nothing is looked at any more."""
        ...


class Errands:
    """The errands of one board, looked after in one thread until it is told to stop."""

    def __init__(
        self, errands: Sequence[Errand], wake: Wake, *, say: Callable[[str], None]
    ) -> None:
        self._errands = tuple(errands)
        self._wake = wake
        self._say = say
        self._due = dict.fromkeys(self._errands, 0.0)
        self._troubles: dict[Errand, str] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="errands", daemon=True)

    def start(self) -> None:
        if self._errands:
            self._thread.start()

    def stop(self) -> None:
        """Finish the look that is under way, and end the thread and the errands."""
        self._stopping.set()
        self._wake.ring()
        if self._thread.ident is not None:
            self._thread.join()
        for errand in self._errands:
            errand.close()

    def _serve(self) -> None:
        changed = True
        while not self._stopping.is_set():
            seen = self._wake.count
            began = time.monotonic()
            for errand in self._errands:
                if changed or self._due[errand] <= began:
                    self._due[errand] = began + self._look(errand)
            took_s = time.monotonic() - began
            self._stopping.wait(min(max(REST * took_s, REST_MIN_S), REST_MAX_S))
            pause_s = max(min(self._due.values()) - time.monotonic(), 0.0)
            changed = self._wake.wait(seen, pause_s) != seen

    def _look(self, errand: Errand) -> float:
        """Look once; one errand's trouble is said once, and the others go on."""
        try:
            again_s = errand.look()
        except BoardError as failed:
            self._tell(errand, failed.message)
            return FAILED_S
        except Exception as mistake:  # noqa: BLE001 - one errand's mistake must not end the others
            if self._tell(errand, f"a mistake of ours: {mistake!r}"):
                traceback.print_exc()
            return FAILED_S
        if self._troubles.pop(errand, None) is not None:
            self._say(f"{errand.name}: goes on")
        return POLL_S if again_s is None else min(max(again_s, 0.0), POLL_S)

    def _tell(self, errand: Errand, words: str) -> bool:
        """Whether this trouble was not said before."""
        if self._troubles.get(errand) == words:
            return False
        self._troubles[errand] = words
        self._say(f"{errand.name}: {words}")
        return True
