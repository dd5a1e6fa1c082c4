"""Durations as people write them."""

import pytest

from shopfloor.domain.durations import duration_ms, words
from shopfloor.domain.errors import Invalid


@pytest.mark.parametrize(
    ("given", "ms"),
    [
        ("90s", 90_000),
        ("10m", 600_000),
        ("1h30m", 5_400_000),
        ("2d", 172_800_000),
        ("250ms", 250),
        ("1.5h", 5_400_000),
        ("15", 15_000),
        (15, 15_000),
        (0.5, 500),
        ("0", 0),
    ],
)
def test_a_duration_is_read_in_milliseconds(given, ms):
    assert duration_ms(given) == ms


@pytest.mark.parametrize(
    "given", ["", "soon", "10 m", "5x", "1h 30m", "-1s", "-5", "nan", True, None]
)
def test_what_is_no_duration_is_refused_in_a_sentence(given):
    with pytest.raises(Invalid, match=r"duration|waited"):
        duration_ms(given)


def test_nobody_waits_a_hundred_years():
    with pytest.raises(Invalid, match="100 years"):
        duration_ms("40000d")
    with pytest.raises(Invalid, match="100 years"):
        duration_ms("inf")


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (0, "0 s"),
        (1, "1 s"),
        (59_000, "59 s"),
        (60_000, "1 min"),
        (61_000, "1 min 1 s"),
        (3_600_000, "1 h"),
        (3_660_000, "1 h 1 min"),
        (90_000_000, "1 d 1 h"),
        (86_400_000, "1 d"),
    ],
)
def test_a_duration_is_said_in_its_two_largest_units(ms, said):
    assert words(ms) == said
