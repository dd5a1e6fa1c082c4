"""Where the home is and what is set: the only file that reads the environment or the configuration.

Layers, the later one wins: the defaults of `domain/settings.py`, `config.toml` of the home, and
`SHOPFLOOR_*` variables for the few settings that have one.  An unknown key is refused with the nearest
known one; a cap of 0, below 0 or of a wrong type means "no cap" and is said as a warning.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from shopfloor.domain import limits
from shopfloor.domain.agents import BUILT_IN, AgentProgram, completed
from shopfloor.domain.durations import duration_ms
from shopfloor.domain.errors import BadConfiguration, Invalid
from shopfloor.domain.settings import Dispatch, Planner, Profile, Retention, Settings

T = TypeVar("T")
MEMORY_PER_WORKER = 512 * 1024 * 1024
SOCKET_PATH_MAX = 100
POSITIVE = ("failure_limit", "max_turns", "tokens_per_run", "tokens_per_day")


class Home(NamedTuple):
    """The folder with everything, and the paths below it."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "config.toml"

    @property
    def boards(self) -> Path:
        return self.root / "boards"

    @property
    def presets(self) -> Path:
        """The user's own presets, a file each."""
        return self.root / "presets"

    @property
    def current_board(self) -> Path:
        return self.root / "current-board"

    @property
    def lock(self) -> Path:
        return self.root / "up.lock"

    @property
    def mcp(self) -> Path:
        """Where the tools of workers were served last."""
        return self.root / "mcp.json"

    @property
    def socket(self) -> Path:
        """The door's socket; a home whose path is too long for one has it in the runtime folder."""
        beside = self.root / "shop.sock"
        if len(str(beside)) <= SOCKET_PATH_MAX:
            return beside
        from hashlib import blake2b  # noqa: PLC0415 - long homes are rare

        name = blake2b(str(self.root).encode(), digest_size=8).hexdigest()
        return Path(runtime_folder()) / f"shopfloor-{name}.sock"


class Worker(NamedTuple):
    """What a worker's environment says about itself."""

    task: int
    run: int
    token: str
    board: str


def environment() -> Mapping[str, str]:
    """The process's environment."""
    return os.environ


def runtime_folder() -> str:
    """A folder for sockets that only this user can enter."""
    given = os.environ.get("XDG_RUNTIME_DIR")
    if given and Path(given).is_dir():
        return given
    fallback = Path(f"/tmp/shopfloor-{os.getuid()}")  # noqa: S108 - made with mode 0700 and checked
    fallback.mkdir(mode=0o700, exist_ok=True)
    if fallback.stat().st_uid != os.getuid():
        raise BadConfiguration(
            f"{fallback} belongs to somebody else; set XDG_RUNTIME_DIR to a folder of yours"
        )
    return str(fallback)


def find_home(given: str | None = None) -> Home:
    """The home: what was given, `SHOPFLOOR_HOME`, or the user's data folder."""
    chosen = given or os.environ.get("SHOPFLOOR_HOME")
    if chosen:
        return Home(Path(chosen).expanduser().absolute())
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Home(Path(data).expanduser() / "shopfloor")


def worker_identity() -> Worker | None:
    """Who this process is, if a dispatcher started it; raises Invalid for half an identity."""
    env = os.environ
    run, token = env.get("SHOPFLOOR_RUN"), env.get("SHOPFLOOR_TOKEN")
    if not run and not token:
        return None
    try:
        return Worker(
            int(env["SHOPFLOOR_TASK"]), int(run or ""), token or "", env["SHOPFLOOR_BOARD"]
        )
    except (KeyError, ValueError):
        raise Invalid(
            "SHOPFLOOR_RUN and SHOPFLOOR_TOKEN are set, but SHOPFLOOR_TASK, SHOPFLOOR_BOARD or a number "
            "among them is missing; a worker gets all of them from its dispatcher"
        ) from None


def actor() -> str:
    """Who the person is, for the record."""
    return os.environ.get("USER") or os.environ.get("LOGNAME") or f"uid {os.getuid()}"


def wanted_board() -> str | None:
    """The board that the environment names."""
    return os.environ.get("SHOPFLOOR_BOARD") or None


def host_name() -> str:
    """The name of this machine on shared boards."""
    return os.environ.get("SHOPFLOOR_HOST") or os.uname().nodename


def load_settings(home: Home, board: str) -> Settings:
    """The settings that a board sees; raises BadConfiguration with the place and the reason."""
    read = _toml(home.config)
    programs = {**BUILT_IN, **_own_programs(home)}
    there = {one.name for one in programs.values() if on_path(one.program)}
    try:
        return parse(read or {}, board, programs, there)
    except Invalid as wrong:
        raise BadConfiguration(f"{home.config}: {wrong.message}") from None


def _toml(path: Path) -> dict[str, Any] | None:
    """A file's tables; None where there is none."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        return None
    except (OSError, tomllib.TOMLDecodeError) as wrong:
        raise BadConfiguration(f"{path} cannot be read: {wrong}") from None


def _own_programs(home: Home) -> dict[str, AgentProgram]:
    """The programs of the user's own presets, by the presets' names."""
    found = {}
    for path in sorted(home.presets.glob("*.toml")) if home.presets.is_dir() else ():
        read = _toml(path) or {}
        kind, program = read.get("kind", "cli"), read.get("program")
        if kind not in ("cli", "acp") or not isinstance(program, str):
            raise BadConfiguration(f"{path} needs a program, and its kind is cli or acp")
        found[path.stem] = AgentProgram(path.stem, kind, program, str(read.get("title", path.stem)))
    return found


def on_path(program: str) -> bool:
    """Whether a program is found as a worker would find it."""
    folders = [""] if "/" in program else os.environ.get("PATH", os.defpath).split(os.pathsep)
    return any(
        os.access(path, os.X_OK) and os.path.isfile(path)  # noqa: PTH113 - a hundred looks at every start
        for path in (f"{folder}/{program}" if folder else program for folder in folders)
    )


def parse(
    read: dict[str, Any],
    board: str,
    programs: Mapping[str, AgentProgram] = BUILT_IN,
    there: Collection[str] = (),
) -> Settings:
    """Settings from a parsed configuration; `[boards.NAME]` overrides `[dispatch]` for one board.

    `programs` are the agent programs that have a preset; those that are `there` are profiles by themselves.
    """
    tables = ("dispatch", "retention", "profiles", "planner", "boards", "labels")
    _known(read, tables, "the configuration")
    warnings: list[str] = []
    dispatch = {**_table(read, "dispatch"), **_table(_table(read, "boards"), board)}
    given = {**{name: {} for name in programs if name in there}, **_table(read, "profiles")}
    profiles = {name: _profile(name, _table(given, name), programs, warnings) for name in given}
    settings = Settings(
        dispatch=_dispatch(dispatch, warnings),
        retention=_typed(
            Retention, _fields(Retention, _table(read, "retention"), "retention"), "retention"
        ),
        profiles=profiles,
        planner=_planner(_table(read, "planner")) if "planner" in read else None,
        labels=tuple(read.get("labels", ())),
        warnings=tuple(warnings),
    )
    reviewer = settings.dispatch.reviewer
    if reviewer is not None and reviewer not in profiles:
        raise Invalid(f"dispatch.reviewer names the profile {reviewer!r}, which is not there")
    return settings


def _table(read: dict[str, Any], name: str) -> dict[str, Any]:
    found = read.get(name, {})
    if not isinstance(found, dict):
        raise Invalid(f"{name} must be a table")
    return found


def _known(given: dict[str, Any], known: tuple[str, ...], where: str) -> None:
    for name in given:
        if name not in known:
            from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

            near = get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
            raise Invalid(f"{where} has no setting {name!r}{hint}")


def _fields(kind: type[Any], given: dict[str, Any], where: str) -> dict[str, Any]:
    """The table's values by field name: durations may be written as `10m` without the unit's suffix."""
    names = tuple(field.name for field in fields(kind) if field.name != "name")
    durations = {name.removesuffix("_ms"): name for name in names if name.endswith("_ms")}
    _known(given, (*names, *durations), where)
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name in durations:
            found[durations[name]] = None if value is None else duration_ms(value)
        else:
            found[name] = value
    return found


def _typed(kind: type[T], found: dict[str, Any], where: str) -> T:
    """The settings as their type, each value checked; raises Invalid with the setting's name."""
    import msgspec  # noqa: PLC0415 - a command at an open door reads no settings

    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as wrong:
        words, _, place = str(wrong).partition(" - at `$")
        name = place.rstrip("`")
        raise Invalid(f"{where}{name}: {words[:1].lower()}{words[1:]}") from None


def _cap(found: dict[str, Any], where: str, warnings: list[str]) -> None:
    value = found.get("cap")
    if "cap" not in found or (type(value) is int and value >= 1):
        return
    found["cap"] = None
    if value not in (0, "none"):
        warnings.append(f"{where}.cap is {value!r}, which is no number above 0; nothing is capped")
    else:
        warnings.append(f"{where}.cap is {value!r}: nothing is capped")


def _dispatch(given: dict[str, Any], warnings: list[str]) -> Dispatch:
    found = _fields(Dispatch, given, "dispatch")
    uncapped = "cap" in found
    _cap(found, "dispatch", warnings)
    if uncapped and found["cap"] is None:
        found["host_cap"] = 0
    if found.get("default_assignee") == "":
        found["default_assignee"] = None
    if found.get("review", "profile") not in ("profile", "person"):
        raise Invalid("dispatch.review must be profile or person")
    _positive(found, ("failure_limit", "block_recurrence_limit", "quota_rounds_limit"), "dispatch")
    return _typed(Dispatch, found, "dispatch")


def _profile(
    name: str,
    given: dict[str, Any],
    programs: Mapping[str, AgentProgram],
    warnings: list[str],
) -> Profile:
    where = f"profiles.{name}"
    found = completed(name, _fields(Profile, given, where), programs, where)
    _cap(found, where, warnings)
    argv = found.get("argv", [])
    if not isinstance(argv, list) or not all(isinstance(word, str) for word in argv):
        raise Invalid(f"{where}.argv must be the command as a list of words")
    if not argv and "preset" not in found:
        raise Invalid(f"{where}.argv must be the command as a list of words, or name a preset")
    env = found.get("env", {})
    if not isinstance(env, dict) or not all(isinstance(value, str) for value in env.values()):
        raise Invalid(f"{where}.env must be a table of texts")
    _positive(found, POSITIVE, where)
    return _checked(_typed(Profile, {"name": name, **found}, where), where)


def _checked(profile: Profile, where: str) -> Profile:
    """The profile, if what it says goes together."""
    if not 0 <= profile.reminders <= limits.REMINDERS_MAX:
        raise Invalid(f"{where}.reminders is 0 to {limits.REMINDERS_MAX}")
    if profile.permissions == "ask" and profile.kind != "acp":
        raise Invalid(
            f"{where}.permissions: only a program of kind acp can ask; say auto or refuse"
        )
    for cost in (profile.cost_per_run, profile.cost_per_day):
        if cost is not None and not cost > 0:
            raise Invalid(f"{where}: a cost is a number of US dollars above 0, not {cost!r}")
    return profile


def _planner(given: dict[str, Any]) -> Planner:
    found = _fields(Planner, given, "planner")
    _positive(found, ("per_pass", "attempts_per_task", "max_tokens"), "planner")
    planner = _typed(Planner, found, "planner")
    if not planner.model:
        raise Invalid("planner.model must name the model")
    return planner


def _positive(found: dict[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in names:
        value = found.get(name)
        if value is not None and (type(value) is not int or value < 1):
            raise Invalid(f"{where}.{name} must be a whole number above 0, not {value!r}")


def safe_concurrency() -> int:
    """How many workers this machine takes without being told: by cores and memory, at least one."""
    cores = os.cpu_count() or 1
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        memory = cores * 4 * MEMORY_PER_WORKER
    return max(1, min(2 * cores, memory // MEMORY_PER_WORKER, limits.BATCH_PER_TICK))
