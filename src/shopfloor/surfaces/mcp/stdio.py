"""`shop mcp`: the tools for agent programs that start their servers instead of calling an address.

It carries lines between standard input and the address of the tools and understands nothing of them but
the protocol's version.  It is started once per agent, so it imports next to nothing: run as a file by
`python -I -S` it answers in some 30 ms.  While the tools are away (`shop up` is replaced) it waits and
sends the same message again; the id that it gives to a call keeps that from being done twice.

The credentials come from the worker's environment, or, for programs that hand none on, from a file that
only this user can read: `{"board": …, "run": …, "token": …}`.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping
    from io import BufferedReader

WAIT_S = 30.0
PAUSE_S = 0.1
ANSWER_S = 600.0
REFUSED = 2
INTERNAL_ERROR = -32603
META = "io.modelcontextprotocol/protocolVersion"


class Unusable(Exception):
    """There is nothing to serve, and one sentence says why."""


class Away(Exception):
    """The tools cannot be reached now."""


class Credentials:
    """Whose tools these are, and where the home is that knows their address."""

    def __init__(self, home: str, board: str, run: str, token: str) -> None:
        self.home = home
        self.board = board
        self.run = run
        self.token = token


def mcp_arguments(parser: ArgumentParser) -> None:
    parser.description = (
        "Serve the tools of the worker whose SHOPFLOOR_RUN and SHOPFLOOR_TOKEN are set."
    )
    parser.add_argument("--home", help="The home, instead of SHOPFLOOR_HOME.")
    parser.add_argument(
        "--credentials", help="A file of mode 0600 with board, run and token, as JSON."
    )


def mcp(args: Namespace) -> int:
    """Serve the tools of a worker on standard input and output."""
    return serve(args.home, args.credentials)


def main(words: list[str]) -> int:
    """The same without a parser, for the file by itself."""
    given = dict(zip(words[::2], words[1::2], strict=False))
    return serve(given.get("--home"), given.get("--credentials"))


def serve(home: str | None, file: str | None) -> int:
    """Carry messages until standard input ends."""
    try:
        found = credentials(os.environ, home, file)  # noqa: TID251 - loading `config` takes longer than all this
    except Unusable as wrong:
        sys.stderr.write(f"shop mcp: {wrong}\n")
        return REFUSED
    bridge = Bridge(found)
    for line in iter(sys.stdin.buffer.readline, b""):
        if line.strip():
            answer = bridge.carry(line)
            if answer:
                sys.stdout.buffer.write(answer + b"\n")
                sys.stdout.buffer.flush()
    return 0


def credentials(env: Mapping[str, str], home: str | None, file: str | None) -> Credentials:
    """Whose tools are meant; raises Unusable."""
    told: dict[str, object] = {}
    if file is not None:
        told = _private(file)
    base = home or env.get("SHOPFLOOR_HOME") or _usual_home(env)
    found = [
        str(told.get(name) or env.get(variable) or "")
        for name, variable in (
            ("board", "SHOPFLOOR_BOARD"),
            ("run", "SHOPFLOOR_RUN"),
            ("token", "SHOPFLOOR_TOKEN"),
        )
    ]
    if not all(found):
        raise Unusable(
            "it serves a worker, and SHOPFLOOR_BOARD, SHOPFLOOR_RUN and SHOPFLOOR_TOKEN are not all set; "
            "a worker gets them from its dispatcher, or from `shop claim`"
        )
    return Credentials(base, *found)


def _usual_home(env: Mapping[str, str]) -> str:
    data = env.get("XDG_DATA_HOME") or "~/.local/share"
    return os.path.join(os.path.expanduser(data), "shopfloor")  # noqa: PTH111, PTH118 - pathlib costs too much


def _private(file: str) -> dict[str, object]:
    try:
        with open(file, "rb") as opened:  # noqa: PTH123 - pathlib costs too much
            mode = os.fstat(opened.fileno()).st_mode
            told = json.load(opened)
    except (OSError, ValueError) as wrong:
        raise Unusable(f"the credentials {file} cannot be read: {wrong}") from None
    if stat.S_IMODE(mode) & 0o077:
        raise Unusable(f"others can read the credentials {file}; make its mode 0600")
    if not isinstance(told, dict):
        raise Unusable(f"the credentials {file} are no JSON object")
    return told


class Bridge:
    """Carries one message after the other to the address of the tools, and the answers back."""

    def __init__(self, found: Credentials) -> None:
        self._found = found
        self._version = ""
        self._connection: socket.socket | None = None
        self._stream: BufferedReader | None = None

    def carry(self, line: bytes) -> bytes:
        """The answer to a message; empty where none is due."""
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        try:
            status, body = self._until_answered(self._head(message), line.strip())
        except Away as lost:
            return _failed(message, f"the tools cannot be reached: {lost}; is `shop up` running?")
        if status >= 400 and b'"jsonrpc"' not in body:  # noqa: PLR2004 - the boundary of HTTP's errors
            return _failed(message, _sentence(status, body))
        if isinstance(message, dict) and message.get("method") == "initialize":
            self._agree(body)
        return body

    def _until_answered(self, head: str, body: bytes) -> tuple[int, bytes]:
        """Send a message until it is answered; raises Away when that takes too long."""
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                return self._exchange(head, body)
            except (Away, OSError) as lost:
                self._part()
                if time.monotonic() >= deadline:
                    raise Away(str(lost)) from None
            time.sleep(PAUSE_S)

    def _agree(self, body: bytes) -> None:
        """Remember the version that was agreed on: from now on each request names it."""
        result = json.loads(body).get("result")
        if isinstance(result, dict):
            self._version = str(result.get("protocolVersion", ""))

    def _head(self, message: object) -> str:
        """The headers that belong to a message, in the words of its generation of the protocol."""
        headers = {"Shop-Request-Id": os.urandom(12).hex()}
        if self._version:
            headers["MCP-Protocol-Version"] = self._version
        if isinstance(message, dict):
            params = message.get("params")
            meta = params.get("_meta") if isinstance(params, dict) else None
            if isinstance(meta, dict) and META in meta:
                headers["MCP-Protocol-Version"] = str(meta[META])
                headers["Mcp-Method"] = str(message.get("method"))
                if isinstance(params, dict) and "name" in params:
                    headers["Mcp-Name"] = str(params["name"])
        clean = {name: value for name, value in headers.items() if value.isprintable()}
        return "".join(f"{name}: {value}\r\n" for name, value in clean.items())

    def _exchange(self, head: str, body: bytes) -> tuple[int, bytes]:
        """Send one request and read its answer: the status and the body."""
        if self._connection is None or self._stream is None:
            self._connection = self._connect()
            self._stream = self._connection.makefile("rb")
        found = self._found
        request = (
            f"POST /mcp/{found.board} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {found.run}:{found.token}\r\n"
            "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
            f"{head}Content-Length: {len(body)}\r\n\r\n"
        )
        self._connection.sendall(request.encode() + body)
        return _answer(self._stream)

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        connection.settimeout(ANSWER_S)
        try:
            connection.connect(("127.0.0.1", self._port()))
        except BaseException:
            connection.close()
            raise
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _port(self) -> int:
        """The port as the home remembers it; without one the board is asked, which opens it."""
        try:
            with open(f"{self._found.home}/mcp.json", "rb") as opened:  # noqa: PTH123 - pathlib costs too much
                return int(json.load(opened)["port"])
        except (OSError, ValueError, TypeError, KeyError):
            url = self._asked()
        return int(url.partition("//")[2].partition(":")[2].partition("/")[0])

    def _asked(self) -> str:
        """The address, as the board tells it to a worker."""
        found = self._found
        where = os.environ.get("SHOPFLOOR_SOCKET") or f"{found.home}/shop.sock"  # noqa: TID251 - as above
        asked = {
            "op": "run.tools",
            "board": found.board,
            "run": int(found.run),
            "token": found.token,
        }
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
            door.settimeout(ANSWER_S)
            door.connect(where)
            door.sendall(json.dumps(asked).encode() + b"\n")
            answer = json.loads(door.makefile("rb").readline() or b"{}")
        url = answer.get("result", {}).get("url")
        if not url:
            told = answer.get("error", {}).get("message") or "this board serves no tools"
            raise Away(told)
        return str(url)

    def _part(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._stream is not None:
            self._stream.close()
        self._connection = self._stream = None


def _answer(stream: BufferedReader) -> tuple[int, bytes]:
    """An HTTP answer: its status and its whole body."""
    words = stream.readline().split(None, 2)
    if len(words) < 2:  # noqa: PLR2004 - version and status
        raise Away("the connection was closed")
    length = 0
    while (line := stream.readline()) not in (b"\r\n", b"\n"):
        if not line:
            raise Away("the connection was closed")
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    body = stream.read(length)
    if len(body) < length:
        raise Away("the connection was closed")
    return int(words[1]), body


def _sentence(status: int, body: bytes) -> str:
    """What a refusal of the address says."""
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, TypeError, KeyError):
        return f"the tools answered with status {status}: {body[:200].decode(errors='replace')}"


def _failed(message: object, why: str) -> bytes:
    """An error in the protocol's own words, for a message that waits for an answer."""
    if not isinstance(message, dict) or "id" not in message:
        return b""
    error = {"code": INTERNAL_ERROR, "message": why}
    return json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": error}).encode()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
