"""Receipts on the command line: shown, exported, checked with and without a board, signed."""

import hashlib
import json
import stat
import subprocess

import pytest

from tests.surfaces.cli_shop import Shop


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "home")


@pytest.fixture
def worked(shop):
    """A board with three ended attempts."""
    for title in ("first", "second", "third"):
        number = shop.create(title)
        shop("complete", number, "--summary", "done")
    return shop


@pytest.fixture
def exported(worked, tmp_path):
    path = tmp_path / "chain.jsonl"
    assert worked("receipt", "export", "--output", path).code == 0
    return path


def files(shop):
    return shop.home.boards / "default" / "receipts"


def test_receipts_are_listed_and_shown(worked):
    listed = worked("receipt", "list")
    assert [line.split()[0] for line in listed.out.splitlines()] == ["id", "3", "2", "1"]
    assert "third" in listed.out
    shown = worked("receipt", "show", 2)
    assert "receipt 2  completed" in shown.out
    assert "#2 second" in shown.out
    assert "tester" in shown.out
    assert worked("receipt", "show", "--task", 2).out == shown.out
    assert worked("receipt", "show", "--run", 2).out == shown.out
    assert worked("receipt", "list", "--limit", 1).err == "more with --before 3\n"
    digest = worked("receipt", "show", 2, "--json").json["hash"]
    assert digest[:12] in worked("runs", 2).out
    assert digest[:12] in worked("show", 2).out


def test_a_receipt_that_is_not_there_is_said(worked):
    assert worked("receipt", "show", 9).code == 3
    assert "receipt 3 " in worked("receipt", "show").out
    assert worked("receipt", "show", 1, "--run", 1).code == 2
    assert Shop.create(worked, "open") == 4
    missing = worked("receipt", "show", "--task", 4)
    assert missing.code == 3
    assert "when it has ended" in missing.err


def test_an_export_can_be_checked_with_ordinary_tools(worked, exported):
    lines = exported.read_bytes().splitlines(keepends=True)
    assert len(lines) == 5
    hashes = [hashlib.sha256(line).hexdigest() for line in lines[:3]]
    told = [json.loads(line) for line in lines]
    assert [one["previous"] for one in told[1:3]] == hashes[:2]
    assert told[3]["end"]["hash"] == hashes[2]
    assert told[4]["sha256"] == hashlib.sha256(b"".join(lines[:4])).hexdigest()
    assert worked("receipt", "export").out == exported.read_text(encoding="utf-8")
    by_page = b"".join((files(worked) / "00000001.jsonl").read_bytes().splitlines(keepends=True))
    assert by_page == b"".join(lines[:3])


def test_an_export_is_checked_without_a_board(exported, tmp_path):
    elsewhere = Shop(tmp_path / "elsewhere")
    checked = elsewhere("receipt", "verify", "--file", exported)
    assert checked.code == 0
    assert "3 receipt(s), one chain, nothing changed" in checked.out
    assert not (tmp_path / "elsewhere").exists()
    assert elsewhere("receipt", "verify", "--file", tmp_path / "none").code == 2


def test_every_single_bit_of_an_export_counts(exported):
    whole = exported.read_bytes()
    shop = Shop(exported.parent / "elsewhere")
    unseen = []
    for bit in range(0, len(whole) * 8, 5):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        exported.write_bytes(data)
        if shop("receipt", "verify", "--file", exported, "--json").json["ok"]:
            unseen.append(bit)
    assert unseen == []


@pytest.mark.parametrize("count", [1, 2, 4, 5])
def test_an_export_that_was_cut_off_is_found(exported, count):
    lines = exported.read_bytes().splitlines(keepends=True)
    exported.write_bytes(b"".join(lines[:-count]))
    checked = Shop(exported.parent / "e")("receipt", "verify", "--file", exported)
    assert checked.code == 1
    assert "truncated" in checked.out


def test_what_was_done_to_the_files_is_found_and_written_anew(worked):
    worked("receipt", "list")
    path = files(worked) / "00000001.jsonl"
    whole = path.read_text(encoding="utf-8")
    first, second, third = whole.splitlines(keepends=True)
    for text, code, number in [
        (whole.replace("second", "sEcond"), "changed", "receipt 2"),
        (first + third + second, "reordered", "receipt 2"),
        (whole + third, "inserted", "receipt 4"),
    ]:
        path.write_text(text, encoding="utf-8")
        checked = worked("receipt", "verify")
        assert checked.code == 1
        assert any(line.startswith(f"{code}  {number} ") for line in checked.out.splitlines())
    rebuilt = worked("receipt", "rebuild")
    assert rebuilt.code == 0
    assert "receipts.old-1" in rebuilt.err
    assert path.read_text(encoding="utf-8") == whole
    assert worked("receipt", "verify").code == 0


def test_files_that_are_gone_or_cut_off_are_written_again(worked):
    worked("receipt", "list")
    path = files(worked) / "00000001.jsonl"
    whole = path.read_bytes()
    path.unlink()
    worked("receipt", "list")
    assert path.read_bytes() == whole
    path.write_bytes(whole[:-10])
    worked("receipt", "list")
    assert path.read_bytes() == whole


def test_files_that_know_more_than_the_ledger_are_not_written_over(worked):
    worked("receipt", "list")
    path = files(worked) / "00000001.jsonl"
    more = path.read_text(encoding="utf-8").replace('"seq":3', '"seq":7')
    path.write_text(more, encoding="utf-8")
    refused = worked("receipt", "list")
    assert refused.code == 4
    assert "tell of 7 receipts and the ledger of 3" in refused.err
    assert worked("receipt", "rebuild").code == 0
    assert worked("receipt", "list").code == 0


def test_a_signed_chain_is_checked_against_the_key(worked, tmp_path):
    made = worked("receipt", "keygen")
    key = made.out.strip()
    private = worked.home.keys / "receipts.key"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(worked.home.keys.stat().st_mode) == 0o700
    assert worked("receipt", "keygen").code == 4
    worked("complete", worked.create("fourth"))
    checked = worked("receipt", "verify", "--key", key)
    assert checked.code == 0
    assert f"signed up to receipt 4 with the key {key}" in checked.out
    path = tmp_path / "signed.jsonl"
    worked("receipt", "export", "-o", path)
    elsewhere = Shop(tmp_path / "elsewhere")
    assert elsewhere("receipt", "verify", "--file", path, "--key", key).code == 0
    assert elsewhere("receipt", "verify", "--file", path, "--key", "0" * 64).code == 1
    assert elsewhere("receipt", "verify", "--file", path, "--key", "x").code == 2


def test_a_signature_is_one_that_openssl_knows(worked, tmp_path):
    worked("receipt", "keygen")
    worked("complete", worked.create("fourth"))
    told = worked("receipt", "show", 4, "--json").json
    (tmp_path / "message").write_text(f"shopfloor receipt {told['hash']}")
    (tmp_path / "signature").write_bytes(bytes.fromhex(told["signature"]))
    done = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-rawin", "-inkey",
         str(worked.home.keys / "receipts.pub"), "-in", str(tmp_path / "message"),
         "-sigfile", str(tmp_path / "signature")],
        capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert b"Verified Successfully" in done.stdout, done.stderr
