"""What is set: reads the configuration of a home, which no other file does.

Layers, the later one wins: the defaults of `domain/settings.py`, then `config.toml` of the home.  An
unknown key is refused with the nearest known one; a cap of 0, below 0 or of a wrong type means "no cap"
and is said as a warning.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

from shopfloor.config import Home
from shopfloor.domain import limits
from shopfloor.domain.agents import BUILT_IN, AgentProgram, completed
from shopfloor.domain.durations import duration_ms
from shopfloor.domain.errors import BadConfiguration, Invalid
from shopfloor.domain.events import KINDS
from shopfloor.domain.runtimes import image_of, memory_bytes, mount
from shopfloor.domain.settings import (
    Dispatch,
    Planner,
    Profile,
    Retention,
    Settings,
    durations,
    fields,
)
from shopfloor.domain.settings_chat import Telegram
from shopfloor.domain.settings_hooks import Hook
from shopfloor.domain.settings_notify import Notify, Sink
from shopfloor.domain.settings_runtime import Runtimes
from shopfloor.domain.settings_web import Web

T = TypeVar("T")

PORTS = 1 << 16
HOOK_RETRIES_MAX = 5
POSITIVE = ("failure_limit", "max_turns", "tokens_per_run", "tokens_per_day")


def load_settings(home: Home, board: str) -> Settings:
    """The settings that a board sees; raises BadConfiguration with the place and the reason."""
    read = opened(home.config)
    programs = {**BUILT_IN, **_own_programs(home)}
    there = {one.name for one in programs.values() if on_path(one.program)}
    try:
        return parse(read, board, programs, there) if read or there else Settings()
    except Invalid as wrong:
        raise BadConfiguration(f"{home.config}: {wrong.message}") from None


def parse_file(text: str, home: Home) -> Settings:
    """The settings that a configuration's text would mean; raises Invalid."""
    import tomllib  # noqa: PLC0415 - most homes set nothing

    return parse(tomllib.loads(text), "", {**BUILT_IN, **_own_programs(home)})


def opened(path: Path) -> dict[str, Any]:
    """A file's tables; none where there is no file."""
    try:
        text = path.read_bytes()
        if not text.strip():
            return {}
        import tomllib  # noqa: PLC0415 - most homes set nothing

        return tomllib.loads(text.decode())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as wrong:
        raise BadConfiguration(f"{path} cannot be read: {wrong}") from None


def _own_programs(home: Home) -> dict[str, AgentProgram]:
    """The programs of the user's own presets, by the presets' names."""
    found = {}
    for path in sorted(home.presets.glob("*.toml")) if home.presets.is_dir() else ():
        read = opened(path)
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
    tables = (
        "dispatch",
        "retention",
        "profiles",
        "planner",
        "web",
        "runtime",
        "chat",
        "notify",
        "sinks",
        "hooks",
        "boards",
        "labels",
    )
    _known(read, tables, "the configuration")
    warnings: list[str] = []
    dispatch = {**table(read, "dispatch"), **table(table(read, "boards"), board)}
    given = {**{name: {} for name in programs if name in there}, **table(read, "profiles")}
    profiles = {name: _profile(name, table(given, name), programs, warnings) for name in given}
    settings = Settings(
        dispatch=_dispatch(dispatch, warnings),
        retention=_typed(
            Retention, _fields(Retention, table(read, "retention"), "retention"), "retention"
        ),
        profiles=profiles,
        planner=_planner(table(read, "planner")) if "planner" in read else None,
        telegram=_telegram(table(read, "chat")),
        hooks={name: _hook(name, one) for name, one in table(read, "hooks").items()},
        web=_web(table(read, "web")) if "web" in read else Web(),
        notify=_notify(table(read, "notify")) if "notify" in read else Notify(),
        sinks={
            name: _sink(name, table(table(read, "sinks"), name)) for name in table(read, "sinks")
        },
        runtime=_typed(Runtimes, _fields(Runtimes, table(read, "runtime"), "runtime"), "runtime"),
        labels=tuple(read.get("labels", ())),
        warnings=tuple(warnings),
    )
    reviewer = settings.dispatch.reviewer
    if reviewer is not None and reviewer not in profiles:
        raise Invalid(f"dispatch.reviewer names the profile {reviewer!r}, which is not there")
    return settings


def table(read: dict[str, Any], name: str) -> dict[str, Any]:
    found = read.get(name, {})
    if not isinstance(found, dict):
        raise Invalid(f"{name} must be a table")
    return found


def _known(given: dict[str, Any], known: tuple[str, ...], where: str) -> None:
    for name in given:
        if name not in known:
            raise Invalid(f"{where} has no setting {name!r}{_nearest(name, known)}")


def _nearest(name: str, known: Collection[str]) -> str:
    """What may have been meant, as the end of a sentence."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

    near = get_close_matches(name, known, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"


def _fields(kind: type[Any], given: dict[str, Any], where: str) -> dict[str, Any]:
    """The table's values by field name: durations may be written as `10m` without the unit's suffix."""
    spans = durations(kind)
    _known(given, (*(field.name for field in fields(kind)), *spans), where)
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name in spans:
            found[spans[name]] = None if value is None else _duration(value, f"{where}.{name}")
        else:
            found[name] = value
    return found


def _duration(value: Any, where: str) -> int:
    try:
        return duration_ms(value)
    except Invalid as wrong:
        raise Invalid(f"{where}: {wrong.message}") from None


def _typed(kind: Callable[..., T], found: dict[str, Any], where: str, **more: Any) -> T:
    """The settings as their type, each value checked; raises Invalid with the setting's name."""
    import msgspec  # noqa: PLC0415 - most homes set nothing

    types = {field.name: field.type for field in fields(kind)}
    checked: dict[str, Any] = {}
    for name, value in found.items():
        try:
            checked[name] = msgspec.convert(value, types[name])
        except msgspec.ValidationError as wrong:
            words, _, place = str(wrong).partition(" - at `$")
            inside = place.rstrip("`")
            raise Invalid(f"{where}.{name}{inside}: {_in_words(words)}") from None
    return kind(**more, **checked)


_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text in quotes",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
}


def _in_words(words: str) -> str:
    """What the decoder says of a value's type, for people."""
    if not words.startswith("Expected `"):
        return words[:1].lower() + words[1:]
    names = re.sub(r"`([a-z |]+)`", lambda kinds: _either(kinds[1]), words)
    return names[:1].lower() + names[1:]


def _either(kinds: str) -> str:
    named = [kind for kind in kinds.split(" | ") if kind != "null"] or ["null"]
    return " or ".join(_KINDS.get(kind, kind) for kind in named)


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
    counted = [name for name in Dispatch._fields if name.endswith("_limit")]
    _positive(found, (*counted, "tokens_per_day"), "dispatch")
    dispatch = _typed(Dispatch, found, "dispatch")
    if dispatch.host_cap is not None and dispatch.host_cap < 0:
        raise Invalid("dispatch.host_cap is a number of workers, or 0 for no cap")
    _costs((dispatch.cost_per_day,), "dispatch")
    return dispatch


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
    return _checked(_typed(Profile, found, where, name=name), where)


def _checked(profile: Profile, where: str) -> Profile:
    """The profile, if what it says goes together."""
    if not 0 <= profile.reminders <= limits.REMINDERS_MAX:
        raise Invalid(f"{where}.reminders is 0 to {limits.REMINDERS_MAX}")
    if profile.permissions == "ask" and profile.kind != "acp":
        raise Invalid(
            f"{where}.permissions: only a program of kind acp can ask; say auto or refuse"
        )
    _costs((profile.cost_per_run, profile.cost_per_day), where)
    _runs_in(profile, where)
    return profile


def _runs_in(profile: Profile, where: str) -> None:
    """Check what a profile says about containers, so that no attempt has to fail for it."""
    image = None if profile.runtime is None else image_of(profile.runtime)
    limits_given = (profile.memory, profile.cpus, profile.pids)
    if image is None and (profile.mounts or any(one is not None for one in limits_given)):
        raise Invalid(f'{where}: mounts and limits belong to runtime = "container:IMAGE"')
    if image is not None and profile.is_agent:
        raise Invalid(f"{where}.runtime: an agent runs on the host; only a command's profile can")
    for words in profile.mounts:
        mount(words)
    if profile.memory is not None:
        memory_bytes(profile.memory)
    if profile.cpus is not None and not profile.cpus > 0:
        raise Invalid(f"{where}.cpus is a number above 0, not {profile.cpus!r}")
    _positive({"pids": profile.pids}, ("pids",), where)


def _costs(given: tuple[float | None, ...], where: str) -> None:
    for cost in given:
        if cost is not None and not cost > 0:
            raise Invalid(f"{where}: a cost is a number of US dollars above 0, not {cost!r}")


def _planner(given: dict[str, Any]) -> Planner:
    found = _fields(Planner, given, "planner")
    _positive(found, ("per_pass", "attempts_per_task", "max_tokens"), "planner")
    planner = _typed(Planner, found, "planner")
    if not planner.model:
        raise Invalid("planner.model must name the model")
    return planner


def _web(given: dict[str, Any]) -> Web:
    web = _typed(Web, _fields(Web, given, "web"), "web")
    if not 0 <= web.port < PORTS:
        raise Invalid(f"web.port is 0 to {PORTS - 1}, not {web.port}")
    if web.session_days < 1:
        raise Invalid(f"web.session_days must be above 0, not {web.session_days}")
    if web.patience_ms < 1:
        raise Invalid("web.patience must be above 0: nobody is as fast as that")
    if web.public_url is not None and not web.public_url.startswith(("http://", "https://")):
        raise Invalid(f"web.public_url begins with http:// or https://, unlike {web.public_url!r}")
    return web


def _telegram(given: dict[str, Any]) -> Telegram | None:
    _known(given, ("telegram",), "chat")
    if "telegram" not in given:
        return None
    where = "chat.telegram"
    telegram = _typed(Telegram, _fields(Telegram, table(given, "telegram"), where), where)
    if (telegram.token_file is None) == (telegram.token_env is None):
        raise Invalid(f"{where} needs the bot's token: say token_file or token_env, and not both")
    if not telegram.api.startswith(("http://", "https://")):
        raise Invalid(f"{where}.api begins with http:// or https://, unlike {telegram.api!r}")
    return telegram


def _notify(given: dict[str, Any]) -> Notify:
    found = _fields(Notify, given, "notify")
    _positive(found, ("timeout_ms",), "notify")
    return _typed(Notify, found, "notify")


def _sink(name: str, given: dict[str, Any]) -> Sink:
    where = f"sinks.{name}"
    found = _fields(Sink, given, where)
    _positive(found, ("timeout_ms",), where)
    sink = _typed(Sink, found, where, name=name)
    if bool(sink.argv) == bool(sink.url):
        raise Invalid(f"{where} needs the command in argv, or the address in url")
    return sink


def _hook(name: str, given: Any) -> Hook:
    where = f"hooks.{name}"
    if not isinstance(given, dict):
        raise Invalid(f"{where} must be a table")
    hook = _typed(Hook, _fields(Hook, given, where), where, name=name)
    if bool(hook.command) == (hook.python is not None):
        raise Invalid(
            f"{where} needs either `command`, the program as a list of words, or `python`"
        )
    for kind in hook.events:
        if kind not in KINDS:
            raise Invalid(f"{where}.events: {kind!r} is no kind of event{_nearest(kind, KINDS)}")
    _positive(hook._asdict(), ("timeout_ms", "behind_max"), where)
    if not 0 <= hook.retries <= HOOK_RETRIES_MAX:
        raise Invalid(
            f"{where}.retries must be a number from 0 to {HOOK_RETRIES_MAX}, not {hook.retries}"
        )
    return hook


def _positive(found: dict[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in names:
        value = found.get(name)
        if value is not None and (type(value) is not int or value < 1):
            raise Invalid(f"{where}.{name} must be a whole number above 0, not {value!r}")
