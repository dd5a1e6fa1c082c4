"""What a supervisor needs to know to run one worker, as one value that travels as JSON.

It holds no secret of the board but what the worker's own environment holds, and it goes over a
socket between two processes of the same user, never to disk.
"""

import json
from typing import NamedTuple

from shopfloor.domain.limits import LEAVE_GRACE_MS, LOG_BYTES_MAX, STOP_GRACE_MS

MARKER_NAME = "SHOPFLOOR_MARKER"
# The variables that the board itself sets: they differ in each run, or say where the board is.
OWN_PREFIX = "SHOPFLOOR_"
# What the dispatcher writes into a go-pipe.
GO = b"g"


class WorkerSpec(NamedTuple):
    """One worker to start.

    `marker` goes into its environment as SHOPFLOOR_MARKER, so that what it leaves behind can be
    found.  `record` names the exit record in `run_dir`: a second process of the same run (the
    check) uses another name.  With `fence_path` the worker is killed when the stamp in that file
    is older than `fence_ms`.  The values in `secrets` are masked in the log.  `environment` is the digest
    of the variables, which goes into the record.  `runtime` and `container` go there, too.

    With a container, `argv`, `env` and `cwd` are those in there, and the worker is the client of it
    (`container_client.py`).  `seat` is the container's folder, `fresh` says that nothing has run in it yet.
    `engine` starts a wrapper in one that has no door, with the variables `engine_env`.
    """

    run: int
    argv: tuple[str, ...]
    env: dict[str, str]
    cwd: str
    run_dir: str
    log_path: str
    marker: str
    record: str = "exit.json"
    max_runtime_ms: int | None = None
    grace_ms: int = STOP_GRACE_MS
    leave_grace_ms: int = LEAVE_GRACE_MS
    log_limit_bytes: int = LOG_BYTES_MAX
    fence_path: str | None = None
    fence_ms: int | None = None
    secrets: tuple[str, ...] = ()
    environment: str | None = None
    runtime: str = "host"
    container: str | None = None
    seat: str | None = None
    fresh: bool = False
    engine: tuple[str, ...] = ()
    engine_env: dict[str, str] | None = None

    def to_json(self) -> str:
        return json.dumps(self._asdict())

    @classmethod
    def from_json(cls, text: str) -> "WorkerSpec":
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, told: dict[str, object]) -> "WorkerSpec":
        """Build one from decoded JSON; TypeError when a field is missing or unknown."""
        lists = {name: told.get(name, ()) for name in ("argv", "secrets", "engine")}
        if "argv" not in told or not all(isinstance(one, list | tuple) for one in lists.values()):
            raise TypeError(
                "A worker's argv is a list of words, and so are its secrets and engine."
            )
        return cls(**{**told, **{name: tuple(one) for name, one in lists.items()}})  # type: ignore[arg-type]
