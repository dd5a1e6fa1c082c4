"""How a command ends that did not do what was asked: one sentence, and an exit code that means it."""

import io
import os
import subprocess
import sys
import textwrap

import pytest

from shopfloor.domain import errors
from shopfloor.surfaces.cli.main import Program
from tests.surfaces.cli_shop import Shop


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "home")


class Raising:
    """A way to the board that ends in an error."""

    def __init__(self, error):
        self.error = error
        self.closed = False

    def ask(self, request):
        raise self.error

    def close(self):
        self.closed = True


@pytest.mark.parametrize(
    ("argv", "code", "sentence"),
    [
        (["show", "99"], 3, "there is no"),
        (["show", "x"], 2, "'x' names no task; write 42, #42 or board/42"),
        (["unblock", "1"], 4, "#1"),
        (["promote", "2"], 5, "#2"),
        (["link", "2", "1"], 5, ""),
        (["list", "--sort", "colour"], 2, "'colour' is no order; use one of priority-desc"),
        (["list", "--status", "open"], 2, "'open' is no status; use one of triage"),
        (["list", "--limit", "0"], 2, "--limit: expected a whole number of at least 1"),
        (
            ["create", "t", "--max-attempts", "0"],
            2,
            "--max-attempts: expected a whole number of at least 1",
        ),
        (["create", "t", "--max-runtime", "0s"], 2, "--max-runtime: expected a longer time"),
        (["create", "x" * 501], 2, "TITLE: expected at most 500 characters"),
        (["comment", "1", ""], 2, "BODY: expected something, and it is empty"),
        (["request-review", "1", "it is good"], 4, "it is ready, and that is its worker's to do"),
        (["order", "nosuch"], 2, "`shop order` has no 'nosuch', but list, query"),
        (["tail"], 2, "`shop tail` needs ID"),
        (["tail", "99"], 3, "there is no task #99"),
        (["watch", "99"], 3, "there is no task #99"),
        (["events", "99"], 3, "there is no task #99"),
        (["create", "t", "--triage", "--initial-status", "ready"], 2, "say one of them"),
        (["comment", "1", "@nothing-here"], 3, "there is no file 'nothing-here'"),
        (["show", "1", "--board", "elsewhere"], 3, "there is no board 'elsewhere'"),
        (
            ["delete", "1"],
            5,
            "`shop delete` cannot be undone and there is nobody to ask; say --yes",
        ),
        (["board", "remove", "default"], 5, "`shop board remove` cannot be undone"),
        (["lst"], 2, "there is no command 'lst'; did you mean `list`?"),
        (["qqqq"], 2, "there is no command 'qqqq'; `shop --help` lists them all"),
        (["heartbeat", "1"], 5, "only the worker of a run sends heartbeats"),
        (["help", "lst"], 2, "there is no command 'lst'"),
    ],
)
def test_an_error_is_one_sentence_and_an_exit_code(shop, argv, code, sentence):
    shop.create()
    shop.create("child", "--parent", "1")
    said = shop(*argv)
    assert said.code == code, said
    assert said.out == ""
    assert said.err.startswith("shop: ")
    assert said.err.count("\n") == 1
    assert sentence in said.err
    assert "Traceback" not in said.err
    if argv[0] == "help":
        return
    told = shop(*argv, "--json")
    assert told.code == code
    assert told.out == ""
    assert set(told.error) == {"code", "message", "detail"}
    assert sentence in told.error["message"]


@pytest.mark.parametrize("error", sorted(errors.BY_CODE.values(), key=lambda one: one.code))
def test_every_error_of_the_domain_has_its_exit_code(shop, error):
    client = Raising(error("it is so"))
    said = shop("list", connect=lambda board: client)
    assert (said.code, said.out, said.err) == (error.exit, "", "shop: it is so\n")
    assert client.closed


def test_a_board_that_cannot_be_reached_is_a_matter_of_time(shop):
    client = Raising(errors.Unavailable("somebody else has it"))
    assert shop("list", connect=lambda board: client).code == 75


def test_a_mistake_of_the_program_is_one_sentence_and_a_hint(shop):
    client = Raising(AssertionError("two open runs"))
    said = shop("list", connect=lambda board: client)
    assert said.code == 70
    assert said.err == (
        "shop: this is a mistake of the program: AssertionError('two open runs'); "
        "add --debug to see where, and please report it\n"
    )
    shown = shop("list", "--debug", connect=lambda board: client)
    assert "Traceback (most recent call last)" in shown.err
    assert shown.err.endswith("AssertionError('two open runs')\n")


@pytest.mark.parametrize("flag", ["--board", "--verbose", "-q"])
def test_flags_without_a_command_are_no_question_for_help(shop, flag):
    said = shop(flag)
    assert (said.code, said.out) == (2, "")
    assert said.err == f"shop: {flag} needs a command; `shop --help` lists them all\n"


def test_debug_belongs_to_the_command_only_before_two_dashes(shop):
    shop("create", "t", "--", "run", "--debug")
    assert shop("show", "1", "--json").json["task"]["command"]["argv"] == ["run", "--debug"]


def test_an_interrupt_is_130(shop):
    client = Raising(KeyboardInterrupt())
    assert shop("list", connect=lambda board: client) == (130, "", "")


def test_a_reader_that_leaves_is_no_error(shop):
    for _ in range(50):
        shop.create("a title that is long enough to fill something" * 4)
    leaving, kept = os.pipe()
    os.close(leaving)
    with os.fdopen(kept, "w", buffering=1) as out:
        err = io.StringIO()
        assert shop.run(["list"], out, err, stdin=io.StringIO()) == 141
    assert err.getvalue() == ""


def test_a_person_is_asked_before_what_cannot_be_undone(shop):
    shop.create("keep me")
    refused = shop.on_a_terminal("delete", "1", answer="\n", NO_COLOR="1")
    assert refused.code == 5
    assert "Delete #1 with its runs, events, comments and files? [y/N]" in refused.out
    assert "it was not confirmed; nothing was changed" in refused.out
    assert shop("show", "1").code == 0
    assert shop.on_a_terminal("delete", "1", answer="y\n", NO_COLOR="1").code == 0
    assert shop("show", "1").code == 3


def test_the_same_request_id_has_no_second_effect(shop):
    first = shop("create", "once", "--request-id", "r1", "--json")
    again = shop("create", "once", "--request-id", "r1", "--json")
    assert first.out == again.out
    assert shop("list", "-q").out == "1\n"
    other = shop("create", "another", "--request-id", "r1")
    assert other.code == 4
    assert "was used for another request" in other.err


def test_every_write_has_a_request_id_that_sorts_by_time_and_no_question_has_one(shop):
    asked = []

    class Listening:
        def __init__(self, inner):
            self.inner = inner

        def ask(self, request):
            asked.append(request)
            return self.inner.ask(request)

        def close(self):
            self.inner.close()

    def connect(board):
        return Listening(shop.connect(board))

    shop("create", "a", connect=connect)
    shop("create", "b", connect=connect)
    shop("list", connect=connect)
    first, second, question = (request.request_id for request in asked)
    assert question is None
    assert first[:12] <= second[:12]
    assert first != second
    assert len(first) == 28


def test_a_program_gets_its_arguments_and_its_exit_code_counts(shop):
    got = []

    def add_arguments(parser):
        parser.add_argument("target")
        parser.add_argument("--port", type=int)

    def run(arguments):
        got.append((arguments.target, arguments.port))
        if arguments.port == 1:
            raise errors.Unavailable("port 1 is taken")
        return 9

    shop.programs = {"serve": lambda: Program("serve", "Serve it.", add_arguments, run)}
    assert shop("serve", "here", "--port", "80") == (9, "", "")
    assert got == [("here", 80)]
    assert shop("serve", "here", "--port", "1") == (75, "", "shop: port 1 is taken\n")
    refused = shop("serve", "here", "--port", "x")
    assert refused.code == 2
    assert refused.err == "shop: --port: invalid int value: 'x'; see `shop serve --help`\n"
    assert "required: target" in shop("serve").err
    helped = shop("serve", "--help")
    assert "--port PORT" in helped.out
    assert shop("help", "serve") == helped


def test_version_is_a_program_that_a_flag_calls(shop):
    ran = []
    program = Program(
        "version", "Print it.", lambda parser: None, lambda _: len(ran.append(1) or "")
    )
    shop.programs = {"version": lambda: program}
    assert shop("--version").code == 0
    assert ran == [1]


def test_a_command_that_only_asks_loads_neither_the_kernel_nor_the_decoder():
    """What an open door answers needs no more than argparse, json and this folder."""
    program = textwrap.dedent("""
        import io, sys
        from shopfloor.surfaces.cli.main import main

        class Door:
            def ask(self, request):
                return b'{"result":{"items":[],"next":null}}'
            def close(self):
                pass

        code = main(["list"], connect=lambda board: Door(), worker=None, actor="a", board=None,
                    programs={}, environment={}, clock=lambda: 0,
                    stdout=io.StringIO(), stderr=io.StringIO(), stdin=io.StringIO())
        heavy = {"msgspec", "sqlite3", "pathlib", "dataclasses", "inspect", "shutil", "zoneinfo"}
        print(code, sorted(heavy & set(sys.modules)),
              [name for name in sys.modules if name.startswith(("shopfloor.ops", "shopfloor.kernel"))])
    """)
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
        env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert done.stdout == "0 [] []\n"
