"""Receipts as lines: what jq prints, and a chain in which no change goes unseen."""

import json
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopfloor.domain.receipts import (
    GENESIS,
    Chain,
    End,
    canonical,
    digest,
    end_line,
    moment,
    read,
    read_end,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def chain_of(count, **more):
    """Lines of a whole chain, and its end."""
    lines, previous = [], GENESIS
    for seq in range(1, count + 1):
        line = canonical({"version": 1, "seq": seq, "previous": previous, "title": "müde", **more})
        lines.append(line)
        previous = digest(line)
    return lines, End(count, previous)


def faults(lines, end):
    chain = Chain()
    for line in lines:
        chain.take(line)
    return [(fault.code, fault.seq) for fault in chain.finish(end)]


@given(st.dictionaries(st.text(), JSON))
def test_a_line_says_the_same_after_it_was_read(told):
    assert json.loads(canonical(told)) == told
    assert "\n" not in canonical(told)


def test_a_line_is_what_jq_prints():
    told = {"b": 'é/\\"\t\n\x01\x7f\u2028\U0001f600', "a": [1, None, True, {}], "é": 2**53, "B": []}
    line = canonical(told)
    escaped = r'"b":"é/\\\"\t\n\u0001\u007f' + '\u2028\U0001f600",'
    assert line == '{"B":[],"a":[1,null,true,{}],' + escaped + '"é":9007199254740992}'
    if shutil.which("jq") is not None:
        said = subprocess.run(
            ["jq", "-cS", "."], input=line.encode(), capture_output=True, check=True, timeout=120
        )
        assert said.stdout.decode() == f"{line}\n"


def test_a_time_is_told_in_utc_with_milliseconds():
    assert moment(1_800_000_000_001) == "2027-01-15T08:00:00.001Z"
    assert moment(None) is None


def test_a_whole_chain_has_no_fault():
    assert faults(*chain_of(5)) == []
    assert faults(*chain_of(0)) == []


@pytest.mark.parametrize("place", range(6))
def test_a_missing_receipt_is_named(place):
    lines, end = chain_of(6)
    del lines[place]
    code = "truncated" if place == 5 else "missing"
    assert faults(lines, end) == [(code, place + 1)]


@pytest.mark.parametrize(("one", "other"), [(0, 1), (1, 4), (4, 5)])
def test_receipts_in_another_order_are_named(one, other):
    lines, end = chain_of(6)
    lines[one], lines[other] = lines[other], lines[one]
    found = faults(lines, end)
    assert ("reordered", one + 1) in found
    assert {code for code, _ in found} == {"reordered"}


def test_a_receipt_that_stands_there_twice_is_named():
    lines, end = chain_of(4)
    assert faults([*lines[:3], lines[1], *lines[3:]], end) == [("inserted", 2)]
    assert faults([*lines, lines[3]], end) == [("inserted", 4)]


def test_a_receipt_that_was_put_between_others_is_named():
    lines, end = chain_of(4)
    false = canonical({"version": 1, "seq": 3, "previous": digest(lines[1]), "title": "false"})
    found = faults([*lines[:2], false, *lines[2:]], end)
    assert sorted(found) == [("changed", 3), ("inserted", 3)]


def test_a_chain_that_was_written_anew_from_somewhere_is_found_by_its_end():
    _, end = chain_of(4)
    other, _ = chain_of(4, more="x")
    assert faults(other, end) == [("changed", 4)]


def test_a_receipt_that_only_a_changed_one_speaks_against_is_not_called_changed():
    lines, end = chain_of(4)
    lines[2] = lines[2].replace(digest(lines[1]), "f" * 64)
    assert faults(lines, end) == [("unconfirmed", 2), ("changed", 3)]


def test_every_single_bit_of_a_receipt_counts():
    lines, end = chain_of(3)
    for place, line in enumerate(lines):
        data = line.encode()
        for bit in range(len(data) * 8):
            flipped = bytearray(data)
            flipped[bit // 8] ^= 1 << bit % 8
            changed = [*lines]
            changed[place] = flipped.decode(errors="replace")
            found = faults(changed, end)
            assert found, f"bit {bit} of receipt {place + 1}"
            assert any(seq == place + 1 for _, seq in found), (bit, found)


@pytest.mark.parametrize(
    "line",
    ["", "null", "[]", "{}", '{"seq":1}', '{"previous":"x","seq":"1","version":1}',
     '{"seq": 1,"previous":"x","version":1}', "[" * 100_000],
    ids=range(8),
)  # fmt: skip
def test_what_is_no_receipt_is_not_read_as_one(line):
    assert read(line) is None
    assert read_end(line) is None


def test_an_end_is_read_as_it_was_written():
    end = End(3, "a" * 64, "b" * 64, "c" * 128, 2)
    assert read_end(end_line(end)) == end
    assert read_end(end_line(end).replace("3", "3.0")) is None
