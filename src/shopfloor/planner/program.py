"""The planner's process: one job from standard input, one answer to standard output.

It is started for one question and ends with it: the client library costs most of a second and some 80 MB,
which nobody pays who asks no model.
"""

from __future__ import annotations

import os
import sys

import msgspec

from shopfloor.planner.job import Failure, Job, Reply


def main() -> None:
    """Answer one job."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    key = None
    if job.model.key_variable is not None:
        key = os.environ.get(job.model.key_variable)  # noqa: TID251 - the key comes this way alone
    try:
        from shopfloor.planner.model import ask  # noqa: PLC0415 - heavy, and perhaps not installed
    except ImportError as missing:
        sentence = f"the planner needs the extra shopfloor[planner]: {missing}"
        reply = Reply(failure=Failure("settings", sentence))
    else:
        reply = ask(job, key)
    sys.stdout.buffer.write(msgspec.json.encode(reply))


if __name__ == "__main__":
    main()
