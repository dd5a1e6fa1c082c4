"""Secrets stay out of logs, however the output is cut into pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopfloor.process.mask import Mask


def masked(secrets: tuple[str, ...], pieces: list[bytes]) -> bytes:
    mask = Mask(secrets)
    return b"".join([*(mask.feed(piece) for piece in pieces), mask.rest()])


def test_a_secret_is_masked_wherever_the_pieces_are_cut():
    text = b"key=hunter22 again hunter22\n"
    for cut in range(len(text) + 1):
        assert masked(("hunter22",), [text[:cut], text[cut:]]) == b"key=*** again ***\n"


def test_what_only_begins_like_a_secret_is_written_in_full():
    assert masked(("hunter22",), [b"hunt", b"er", b"s hunter2"]) == b"hunters hunter2"


def test_a_secret_inside_another_leaves_nothing_of_it_over():
    assert masked(("abcd", "abcdefgh"), [b"<abcdefgh> <abcd>"]) == b"<***> <***>"


@pytest.mark.parametrize("secrets", [(), ("",), ("abc",)])
def test_nothing_is_masked_without_a_secret_of_four_characters(secrets):
    assert masked(secrets, [b"abc ", b"abc"]) == b"abc abc"


@given(st.lists(st.binary(max_size=12).map(lambda b: b.replace(b"\x00", b"s"))))
def test_no_cut_lets_a_secret_through(pieces):
    secret = "ssecs"
    whole = masked((secret,), [*pieces, b"ss", b"ecs"])
    assert secret.encode() not in whole
