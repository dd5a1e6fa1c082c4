"""What is told of an engine that gave up: the reason, and not what it did before."""

import pytest

from shopfloor.process.container import WORDS_MAX, reason_in

PULLING = 'Resolved "box" as an alias (shortnames.conf)\nTrying to pull example.org/box:latest...\n'


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            f"{PULLING}Error: initializing source: no such host\n",
            "initializing source: no such host",
        ),
        ("Error: one\nError: the other\n", "the other"),
        (
            "docker: Error response from daemon: denied.\n",
            "docker: Error response from daemon: denied.",
        ),
        ("", ""),
    ],
)
def test_the_reason_is_what_follows_the_last_error(said, reason):
    assert reason_in(said) == reason


def test_of_a_long_reason_the_end_is_told():
    assert reason_in(f"Error: {'a' * WORDS_MAX}b") == "a" * (WORDS_MAX - 1) + "b"
