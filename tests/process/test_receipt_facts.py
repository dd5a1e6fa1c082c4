"""What a supervisor tells for receipts: the hash of the output, and what the worker was started with."""

import hashlib

from shopfloor.app.keys import HomeKeys
from shopfloor.config import Home
from shopfloor.process import hashing


def test_the_output_is_hashed_as_the_log_has_it(floor):
    spec = floor.python("import sys; sys.stdout.write('x' * 300_000)")
    ended = floor.run(spec)
    assert ended.output_sha256 == hashlib.sha256(b"x" * 300_000).hexdigest()
    assert ended.output_sha256 == hashlib.sha256(floor.log(spec).encode()).hexdigest()


def test_what_is_masked_in_the_log_is_masked_in_the_hash(floor):
    ended = floor.run(floor.spec("echo", "hunter2hunter2", secrets=("hunter2hunter2",)))
    assert ended.output_sha256 == hashlib.sha256(b"***\n").hexdigest()


def test_a_worker_without_output_has_no_hash_of_it(floor):
    assert floor.run(floor.spec("true")).output_sha256 is None


def test_the_names_of_the_variables_are_told_but_for_the_boards_own(floor):
    env = {"PATH": "/usr/bin:/bin", "B": "1", "SHOPFLOOR_TOKEN": "t", "ODD": "\udcff"}
    ended = floor.run(floor.spec("true", env=env, environment="hmac-sha256:x:y"))
    assert ended.variables == "B ODD PATH"
    assert ended.environment == "hmac-sha256:x:y"


def test_the_digest_of_an_environment_is_keyed_and_says_when_two_are_the_same(tmp_path):
    one, other = (HomeKeys(Home(tmp_path / name)) for name in ("one", "other"))
    env = {"A": "1", "B": "2", "ODD": "\udcff"}
    digest = one.environment_digest(env)
    again = dict(reversed([*env.items(), ("SHOPFLOOR_RUN", "7")]))
    assert HomeKeys(Home(tmp_path / "one")).environment_digest(again) == digest
    assert one.environment_digest({**env, "A": "2"}) != digest
    assert other.environment_digest(env) != digest
    assert (tmp_path / "one" / "keys" / "environment.key").stat().st_mode & 0o777 == 0o600


def test_supervisors_hash_without_openssl():
    assert type(hashing.sha256()).__module__ in ("_sha256", "_sha2")
    assert hashing.sha256().hexdigest() == hashlib.sha256().hexdigest()
